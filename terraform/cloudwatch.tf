locals {
  # What CloudWatch knows a service by.
  service_dimensions = {
    for name, service in aws_ecs_service.agents : name => { ClusterName = aws_ecs_cluster.main.name, ServiceName = service.name }
  }

  # What CloudWatch knows the targets of a service by.
  target_dimensions = {
    for name, group in aws_lb_target_group.agents : name => { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = group.arn_suffix }
  }

  # How many tasks run is a metric of Container Insights. Without it, how many of them are healthy is the next best.
  task_count_metric = var.enable_container_insights ? {
    namespace  = "ECS/ContainerInsights"
    name       = "RunningTaskCount"
    dimensions = local.service_dimensions
    } : {
    namespace  = "AWS/ApplicationELB"
    name       = "HealthyHostCount"
    dimensions = local.target_dimensions
  }

  alarm_actions = [for topic in aws_sns_topic.alarms : topic.arn]
}

# Logs, and the errors in them

resource "aws_cloudwatch_log_group" "agents" {
  for_each = var.agents

  name              = "/ecs/${var.project_name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  for_each = var.agents

  name           = "${var.project_name}-${each.key}-errors"
  log_group_name = aws_cloudwatch_log_group.agents[each.key].name
  pattern        = "{ $.level = \"error\" }"

  metric_transformation {
    namespace     = var.project_name
    name          = "${each.key}-errors"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

# Who is told

resource "aws_sns_topic" "alarms" {
  count = var.enable_alarm_topic ? 1 : 0

  name = "${var.project_name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.enable_alarm_topic ? var.alarm_emails : toset([])

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# Four alarms for each agent

resource "aws_cloudwatch_metric_alarm" "high_cpu" {
  for_each = var.agents

  alarm_name          = "${var.project_name}-${each.key}-high-cpu"
  alarm_description   = "${each.key} needs more CPU than it has, although autoscaling had time to add tasks"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = local.service_dimensions[each.key]
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_cpu_threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "high_memory" {
  for_each = var.agents

  alarm_name          = "${var.project_name}-${each.key}-high-memory"
  alarm_description   = "${each.key} is about to run out of memory, which would kill its tasks"
  namespace           = "AWS/ECS"
  metric_name         = "MemoryUtilization"
  dimensions          = local.service_dimensions[each.key]
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_memory_threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "low_task_count" {
  for_each = var.agents

  alarm_name          = "${var.project_name}-${each.key}-low-task-count"
  alarm_description   = "${each.key} has had fewer tasks than autoscaling allows for longer than a replacement takes"
  namespace           = local.task_count_metric.namespace
  metric_name         = local.task_count_metric.name
  dimensions          = local.task_count_metric.dimensions[each.key]
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = aws_appautoscaling_target.agents[each.key].min_capacity
  treat_missing_data  = "breaching" # Where nothing runs, nothing is reported.
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "unhealthy_targets" {
  for_each = var.agents

  alarm_name          = "${var.project_name}-${each.key}-unhealthy-targets"
  alarm_description   = "A task of ${each.key} runs but does not pass the load balancer's health check"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = local.target_dimensions[each.key]
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# One page for all agents

locals {
  service_metrics = { for name, dimensions in local.service_dimensions : name => flatten([for key, value in dimensions : [key, value]]) }
  target_metrics  = { for name, dimensions in local.target_dimensions : name => flatten([for key, value in dimensions : [key, value]]) }

  # Each is a graph with one line for each agent.
  graphs = [
    { title = "CPU (percent)", stat = "Average", namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_metrics },
    { title = "Memory (percent)", stat = "Average", namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service_metrics },
    { title = "Requests", stat = "Sum", namespace = "AWS/ApplicationELB", metric = "RequestCount", dimensions = local.target_metrics },
    { title = "5xx answers", stat = "Sum", namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target_metrics },
    { title = "p99 of the response time (seconds)", stat = "p99", namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target_metrics },
    { title = "Healthy hosts", stat = "Minimum", namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.target_metrics },
  ]

  lines = concat(
    [for graph in local.graphs : {
      title = graph.title
      stat  = graph.stat
      metrics = [for name, dimensions in graph.dimensions :
        concat([graph.namespace, graph.metric], dimensions, [{ label = name }])
      ]
    }],
    [{
      title = "Errors in the logs"
      stat  = "Sum"
      metrics = [for name, filter in aws_cloudwatch_log_metric_filter.errors :
        [filter.metric_transformation[0].namespace, filter.metric_transformation[0].name, { label = name }]
      ]
    }],
  )
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = var.project_name

  dashboard_body = jsonencode({
    widgets = [for index, graph in local.lines : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = graph.title
        region  = var.aws_region
        view    = "timeSeries"
        stacked = false
        stat    = graph.stat
        period  = 60
        metrics = graph.metrics
      }
    }]
  })
}

# Traces

resource "aws_xray_sampling_rule" "agents" {
  count = var.enable_xray_tracing ? 1 : 0

  rule_name      = var.project_name
  priority       = 1000
  version        = 1
  reservoir_size = 1
  fixed_rate     = var.xray_sampling_rate
  service_name   = "${var.project_name}-*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}

# Money

resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.project_name}-monthly"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
