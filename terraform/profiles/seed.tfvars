# The configuration that was first asked for. Container Insights and interface endpoints in two zones make it much dearer than the defaults:
# COST_ANALYSIS.md says by how much. Two of the agents' secrets must have values before the first apply.

single_nat_gateway        = true
use_fargate_spot          = true
task_cpu                  = 256
task_memory               = 512
autoscaling_max_capacity  = 3
log_retention_days        = 7
enable_execute_command    = true
enable_xray_tracing       = true
enable_container_insights = true
container_insights_mode   = "enabled"
availability_zones        = ["us-east-1a", "us-east-1b"]

# All five: the gateway endpoint of S3 belongs to the first line.
enable_vpc_endpoints    = true
vpc_interface_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]

agents = {
  validator       = { port = 9001, priority = 100, secrets = ["OPENAI_API_KEY", "PRIVATE_KEY"] }
  karma-hello     = { port = 9002, priority = 200, secrets = ["OPENAI_API_KEY", "PRIVATE_KEY"] }
  abracadabra     = { port = 9003, priority = 300, secrets = ["OPENAI_API_KEY", "PRIVATE_KEY"] }
  skill-extractor = { port = 9004, priority = 400, secrets = ["OPENAI_API_KEY", "PRIVATE_KEY"], calls = ["karma-hello"] }
  voice-extractor = { port = 9005, priority = 500, secrets = ["OPENAI_API_KEY", "PRIVATE_KEY"], calls = ["karma-hello"] }
}
