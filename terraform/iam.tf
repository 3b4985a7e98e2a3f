# The execution role: ECS itself uses it to start a task.

data "aws_iam_policy_document" "assume_by_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.project_name}-execution"
  description        = "What ECS needs to start the agents' tasks"
  assume_role_policy = data.aws_iam_policy_document.assume_by_tasks.json
}

data "aws_iam_policy_document" "pull_images" {
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
}

resource "aws_iam_role_policy" "pull_images" {
  name   = "pull-images"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.pull_images.json
}

data "aws_iam_policy_document" "write_logs" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in aws_cloudwatch_log_group.agents : "${group.arn}:*"]
  }
}

resource "aws_iam_role_policy" "write_logs" {
  name   = "write-logs"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.write_logs.json
}

data "aws_iam_policy_document" "read_secrets" {
  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for secret in aws_secretsmanager_secret.agents : secret.arn]
  }
}

resource "aws_iam_role_policy" "read_secrets" {
  name   = "read-secrets"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.read_secrets.json
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
}

resource "aws_iam_role_policy" "task" {
  for_each = var.agents

  name   = "own-resources"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task[each.key].json
}

data "aws_iam_policy_document" "task_data" {
  for_each = var.agents

  statement {
    sid       = "ReadOwnData"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.data.arn}/${each.key}/*"]
  }

  statement {
    sid       = "ListOwnData"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.data.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${each.key}/*", "store/${each.key}/*"]
    }
  }

  statement {
    sid       = "KeepOwnState"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.data.arn}/store/${each.key}/*"]
  }

  statement {
    sid       = "ForgetOldTasks"
    actions   = ["s3:DeleteObject"]
    resources = ["${aws_s3_bucket.data.arn}/store/${each.key}/journal/*"]
  }
}

resource "aws_iam_role_policy" "task_data" {
  for_each = var.agents

  name   = "own-data"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task_data[each.key].json
}

# OTLP's endpoint asks for the same permission as the API of segments:
# https://docs.aws.amazon.com/xray/latest/devguide/xray-opentelemetry-bearer-token.html
data "aws_iam_policy_document" "task_traces" {
  statement {
    sid = "SendTraces"
    actions = [
      "xray:GetSamplingRules",
      "xray:GetSamplingTargets",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ]
    resources = ["*"] # The actions know no resources.
  }
}

resource "aws_iam_role_policy" "task_traces" {
  for_each = var.enable_xray_tracing ? var.agents : {}

  name   = "send-traces"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task_traces.json
}

data "aws_iam_policy_document" "task_exec" {
  statement {
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

resource "aws_iam_role_policy" "task_exec" {
  for_each = var.enable_execute_command ? var.agents : {}

  name   = "answer-execute-command"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task_exec.json
}

# The autoscaling role: Application Auto Scaling uses it while the account has no service-linked role of its own for ECS.

locals {
  # Made from the cluster's ARN, not read off the services: these change with every image, and the policies would be planned again each time.
  service_arns = [for name in keys(var.agents) : "${replace(aws_ecs_cluster.main.arn, ":cluster/", ":service/")}/${var.project_name}-${name}"]

  # Application Auto Scaling names its alarms after the service they watch.
  scaling_alarm_arns = [for name in keys(var.agents) :
    "${local.alarms_arn}:TargetTracking-service/${aws_ecs_cluster.main.name}/${var.project_name}-${name}-*"
  ]
  alarms_arn = "${replace(split(":cluster/", aws_ecs_cluster.main.arn)[0], ":ecs:", ":cloudwatch:")}:alarm"
}

data "aws_iam_policy_document" "assume_by_autoscaling" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["application-autoscaling.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "autoscaling" {
  name               = "${var.project_name}-autoscaling"
  description        = "What Application Auto Scaling needs to change the agents' number of tasks"
  assume_role_policy = data.aws_iam_policy_document.assume_by_autoscaling.json
}

data "aws_iam_policy_document" "autoscaling" {
  statement {
    sid       = "ScaleServices"
    actions   = ["ecs:DescribeServices", "ecs:UpdateService"]
    resources = local.service_arns
  }

  statement {
    sid       = "KeepOwnAlarms"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"]
    resources = local.scaling_alarm_arns
  }
}

resource "aws_iam_role_policy" "autoscaling" {
  name   = "scale-services"
  role   = aws_iam_role.autoscaling.id
  policy = data.aws_iam_policy_document.autoscaling.json
}

# The events role: EventBridge uses it to restart the services.

data "aws_iam_policy_document" "assume_by_events" {
  count = var.restart_schedule == null ? 0 : 1

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Only on behalf of this stack's own schedules.
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_scheduler_schedule_group.main[0].arn]
    }
  }
}

resource "aws_iam_role" "events" {
  count = var.restart_schedule == null ? 0 : 1

  name               = "${var.project_name}-events"
  description        = "What EventBridge needs to restart the agents"
  assume_role_policy = data.aws_iam_policy_document.assume_by_events[0].json
}

data "aws_iam_policy_document" "events" {
  count = var.restart_schedule == null ? 0 : 1

  statement {
    sid       = "RestartServices"
    actions   = ["ecs:UpdateService"]
    resources = local.service_arns
  }
}

resource "aws_iam_role_policy" "events" {
  count = var.restart_schedule == null ? 0 : 1

  name   = "restart-services"
  role   = aws_iam_role.events[0].id
  policy = data.aws_iam_policy_document.events[0].json
}
