# Tasks read their secrets once, when they start, and stay on the platform they started on. A regular rolling restart brings both up to date.

resource "aws_scheduler_schedule_group" "main" {
  count = var.restart_schedule == null ? 0 : 1

  name = var.project_name
}

resource "aws_scheduler_schedule" "restart" {
  for_each = var.restart_schedule == null ? {} : var.agents

  name                = "${var.project_name}-${each.key}-restart"
  description         = "Replaces the tasks of ${each.key} by new ones"
  group_name          = aws_scheduler_schedule_group.main[0].name
  schedule_expression = var.restart_schedule

  # Not all agents in the same minute.
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = "arn:aws:scheduler:::aws-sdk:ecs:updateService"
    role_arn = aws_iam_role.events[0].arn

    input = jsonencode({
      Cluster            = aws_ecs_cluster.main.name
      Service            = aws_ecs_service.agents[each.key].name
      ForceNewDeployment = true
    })
  }
}
