data "aws_iam_policy_document" "assume_by_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# The execution role: ECS itself uses it to start a task.

resource "aws_iam_role" "execution" {
  name               = "${var.project_name}-execution"
  description        = "What ECS needs to start the agents' tasks"
  assume_role_policy = data.aws_iam_policy_document.assume_by_tasks.json
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "LogInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # The action knows no resources.
  }

  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [for repository in aws_ecr_repository.agents : repository.arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in aws_cloudwatch_log_group.agents : "${group.arn}:*"]
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for secret in aws_secretsmanager_secret.agents : secret.arn]
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-tasks"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

# The task roles: what each agent itself may do.

resource "aws_iam_role" "task" {
  for_each = var.agents

  name               = "${var.project_name}-${each.key}"
  description        = "What ${each.key} may do"
  assume_role_policy = data.aws_iam_policy_document.assume_by_tasks.json
}

data "aws_iam_policy_document" "task" {
  for_each = var.agents

  statement {
    sid       = "ReadOwnSecret"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.agents[each.key].arn]
  }

  statement {
    sid       = "WriteOwnLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.agents[each.key].arn}:*"]
  }

  dynamic "statement" {
    for_each = var.enable_execute_command ? ["ssmmessages"] : []

    content {
      sid = "AnswerExecuteCommand"
      actions = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      resources = ["*"] # The actions know no resources.
    }
  }
}

resource "aws_iam_role_policy" "task" {
  for_each = var.agents

  name   = "own-resources"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task[each.key].json
}
