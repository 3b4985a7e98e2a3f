# The least that still runs all agents in private subnets. What it gives up stands beside each line.

# One small machine instead of the NAT gateway: no other takes over when it fails, and its updates are yours to make.
enable_nat_gateway  = false
enable_nat_instance = true
nat_instance_type   = "t4g.nano"

# Cheaper processors: the images must be built for them.
cpu_architecture = "ARM64"

# Spare capacity only: an agent with one task is down from the moment AWS takes it back until its replacement runs.
use_fargate_spot          = true
fargate_base              = 0
desired_count_per_service = 1

# No metrics of single tasks, and nothing between the tasks and AWS but the NAT instance and the free endpoint of S3.
enable_container_insights = false
enable_vpc_endpoints      = true
vpc_interface_endpoints   = []

# What is older than three days is gone.
log_retention_days = 3
