resource "aws_cloudwatch_log_group" "agents" {
  for_each = var.agents

  name              = "/ecs/${var.project_name}/${each.key}"
  retention_in_days = var.log_retention_days
}
