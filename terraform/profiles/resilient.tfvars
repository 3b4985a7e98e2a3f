# No single zone, machine or shortage of spare capacity stops an agent.

# Each zone has its own way out.
enable_nat_gateway = true
single_nat_gateway = false

# Two tasks of each agent: the first runs on demand, the second on spare capacity.
use_fargate_spot          = true
fargate_base              = 1
fargate_weight            = 0
fargate_spot_weight       = 1
desired_count_per_service = 2
autoscaling_min_capacity  = 2
autoscaling_max_capacity  = 6

# Nothing is deleted by mistake, and what happened can be looked up.
alb_deletion_protection   = true
enable_container_insights = true
container_insights_mode   = "enhanced"
log_retention_days        = 30
