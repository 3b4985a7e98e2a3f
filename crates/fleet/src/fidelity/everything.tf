# Every resource that the model reads, with every block that a reader goes into.

resource "aws_ecr_repository" "x" {
  name = "x"
}

resource "aws_cloudwatch_log_group" "x" {
  name              = "x"
  retention_in_days = 1
}

resource "aws_secretsmanager_secret" "x" {
  name = "x"
}

resource "aws_service_discovery_http_namespace" "x" {
  name = "x"
}

resource "aws_ecs_cluster" "x" {
  name = "x"

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.x.arn
  }

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "x" {
  cluster_name       = aws_ecs_cluster.x.name
  capacity_providers = ["FARGATE"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }
}

resource "aws_subnet" "x" {
  vpc_id            = "vpc-1"
  cidr_block        = "10.0.0.0/24"
  availability_zone = "us-east-1a"
}

resource "aws_ecs_task_definition" "x" {
  family = "x"
  cpu    = 256
  memory = 512

  ephemeral_storage {
    size_in_gib = 30
  }

  container_definitions = jsonencode([{
    name         = "x"
    image        = "${aws_ecr_repository.x.repository_url}:1"
    essential    = true
    command      = ["a"]
    entryPoint   = ["a"]
    stopTimeout  = 5
    startTimeout = 5

    cpu                    = 1
    memory                 = 64
    memoryReservation      = 32
    workingDirectory       = "/a"
    user                   = "1"
    readonlyRootFilesystem = true

    ulimits       = [{ name = "nofile", softLimit = 10, hardLimit = 10 }]
    restartPolicy = { enabled = true, ignoredExitCodes = [1], restartAttemptPeriod = 60 }

    environment  = [{ name = "A", value = "b" }]
    secrets      = [{ name = "B", valueFrom = aws_secretsmanager_secret.x.arn }]
    portMappings = [{ name = "http", containerPort = 80 }]
    dependsOn    = [{ containerName = "y", condition = "START" }]
    healthCheck  = { command = ["CMD", "a"], interval = 5, timeout = 5, retries = 1, startPeriod = 1 }
    logConfiguration = {
      logDriver = "awslogs"
      options   = { awslogs-group = "x", awslogs-stream-prefix = "x", awslogs-region = "us-east-1" }
    }
    }, {
    name  = "y"
    image = "${aws_ecr_repository.x.repository_url}:1"
  }])
}

resource "aws_lb" "x" {
  name = "x"

  access_logs {
    bucket  = "x"
    enabled = true
  }
}

resource "aws_lb_target_group" "x" {
  name                          = "x"
  port                          = 80
  protocol                      = "HTTP"
  target_type                   = "ip"
  deregistration_delay          = 5
  load_balancing_algorithm_type = "round_robin"

  health_check {
    path                = "/"
    port                = 80
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
    matcher             = "200"
  }

  stickiness {
    type            = "app_cookie"
    cookie_name     = "x"
    cookie_duration = 60
  }

  target_group_health {
    unhealthy_state_routing {
      minimum_healthy_targets_count      = 1
      minimum_healthy_targets_percentage = "50"
    }
  }
}

resource "aws_lb_listener" "x" {
  load_balancer_arn = aws_lb.x.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.x.arn
        weight = 1
      }
      stickiness {
        duration = 60
        enabled  = true
      }
    }
  }
}

resource "aws_lb_listener" "w" {
  load_balancer_arn = aws_lb.x.arn
  port              = 83
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      status_code = "HTTP_301"
      protocol    = "HTTPS"
      host        = "x"
      port        = "443"
      path        = "/x"
      query       = "x"
    }
  }
}

resource "aws_lb_listener_rule" "w" {
  listener_arn = aws_lb_listener.x.arn
  priority     = 4

  condition {
    http_header {
      http_header_name = "x"
      values           = ["x"]
    }
  }
  condition {
    http_request_method {
      values = ["GET"]
    }
  }
  condition {
    query_string {
      key   = "x"
      value = "y"
    }
  }
  condition {
    source_ip {
      values = ["10.0.0.0/8"]
    }
  }

  action {
    type = "redirect"
    redirect {
      status_code = "HTTP_301"
      protocol    = "HTTPS"
      host        = "x"
      port        = "443"
      path        = "/x"
      query       = "x"
    }
  }
}

resource "aws_lb_listener" "y" {
  load_balancer_arn = aws_lb.x.arn
  port              = 81
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "no"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "z" {
  load_balancer_arn = aws_lb.x.arn
  port              = 82
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.x.arn
  }
}

resource "aws_lb_listener_rule" "x" {
  listener_arn = aws_lb_listener.x.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/x"]
    }
  }
  condition {
    host_header {
      values = ["x"]
    }
  }

  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.x.arn
        weight = 1
      }
      stickiness {
        duration = 60
        enabled  = true
      }
    }
  }
}

resource "aws_lb_listener_rule" "y" {
  listener_arn = aws_lb_listener.x.arn
  priority     = 2

  condition {
    path_pattern {
      values = ["/y"]
    }
  }

  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "no"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "z" {
  listener_arn = aws_lb_listener.x.arn
  priority     = 3

  condition {
    path_pattern {
      values = ["/z"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.x.arn
  }
}

resource "aws_ecs_service" "x" {
  name                               = "x"
  cluster                            = aws_ecs_cluster.x.id
  task_definition                    = aws_ecs_task_definition.x.arn
  desired_count                      = 1
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 1
  availability_zone_rebalancing      = "ENABLED"
  enable_execute_command             = true
  force_new_deployment               = true

  deployment_controller {
    type = "ECS"
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    alarm_names = ["x"]
    enable      = true
    rollback    = true
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }

  network_configuration {
    subnets          = [aws_subnet.x.id]
    security_groups  = ["sg-1"]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.x.arn
    container_name   = "x"
    container_port   = 80
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.x.arn
    service {
      port_name      = "http"
      discovery_name = "x"
      client_alias {
        dns_name = "x"
        port     = 80
      }
      timeout {
        idle_timeout_seconds        = 60
        per_request_timeout_seconds = 5
      }
    }
  }
}

resource "aws_ecs_service" "y" {
  name            = "y"
  cluster         = aws_ecs_cluster.x.id
  task_definition = aws_ecs_task_definition.x.arn
  launch_type     = "FARGATE"

  service_connect_configuration {
    enabled = true
    service {
      port_name = "http"
      client_alias {
        port = 81
      }
    }
  }
}

resource "aws_appautoscaling_target" "x" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.x.name}/${aws_ecs_service.x.name}"
  min_capacity       = 1
  max_capacity       = 2

  suspended_state {
    dynamic_scaling_in_suspended  = false
    dynamic_scaling_out_suspended = false
    scheduled_scaling_suspended   = false
  }
}

resource "aws_appautoscaling_policy" "x" {
  name               = "x"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.x.service_namespace
  scalable_dimension = aws_appautoscaling_target.x.scalable_dimension
  resource_id        = aws_appautoscaling_target.x.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 50
    scale_in_cooldown  = 60
    scale_out_cooldown = 60
    disable_scale_in   = false

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.x.arn_suffix}/${aws_lb_target_group.x.arn_suffix}"
    }
  }
}

resource "aws_appautoscaling_policy" "y" {
  name               = "y"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.x.service_namespace
  scalable_dimension = aws_appautoscaling_target.x.scalable_dimension
  resource_id        = aws_appautoscaling_target.x.resource_id

  target_tracking_scaling_policy_configuration {
    target_value = 50

    customized_metric_specification {
      metric_name = "X"
      namespace   = "X"
      statistic   = "Average"
      dimensions {
        name  = "A"
        value = "b"
      }
    }
  }
}

resource "aws_appautoscaling_policy" "z" {
  name               = "z"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.x.service_namespace
  scalable_dimension = aws_appautoscaling_target.x.scalable_dimension
  resource_id        = aws_appautoscaling_target.x.resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    cooldown                 = 60
    metric_aggregation_type  = "Average"
    min_adjustment_magnitude = 1

    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
    step_adjustment {
      metric_interval_upper_bound = "0"
      scaling_adjustment          = -1
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "x" {
  name               = "x"
  service_namespace  = aws_appautoscaling_target.x.service_namespace
  scalable_dimension = aws_appautoscaling_target.x.scalable_dimension
  resource_id        = aws_appautoscaling_target.x.resource_id
  schedule           = "rate(1 day)"
  timezone           = "Europe/Berlin"
  start_time         = "2026-01-01T00:00:00Z"
  end_time           = "2026-02-01T00:00:00Z"

  scalable_target_action {
    min_capacity = 1
    max_capacity = 2
  }
}

resource "aws_cloudwatch_metric_alarm" "x" {
  alarm_name                            = "x"
  alarm_description                     = "x"
  comparison_operator                   = "GreaterThanThreshold"
  evaluation_periods                    = 1
  datapoints_to_alarm                   = 1
  threshold                             = 1
  treat_missing_data                    = "ignore"
  evaluate_low_sample_count_percentiles = "ignore"
  metric_name                           = "X"
  namespace                             = "X"
  period                                = 60
  extended_statistic                    = "p99"
  actions_enabled                       = true
  alarm_actions                         = ["arn:aws:sns:us-east-1:123456789012:x"]
  dimensions                            = { A = "b" }
}

resource "aws_cloudwatch_metric_alarm" "y" {
  alarm_name          = "y"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1
  metric_name         = "X"
  namespace           = "X"
  period              = 60
  statistic           = "Sum"
}

resource "aws_cloudwatch_metric_alarm" "z" {
  alarm_name          = "z"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1

  metric_query {
    id          = "a"
    return_data = false
    metric {
      metric_name = "X"
      namespace   = "X"
      period      = 60
      stat        = "Sum"
      dimensions  = { A = "b" }
    }
  }
  metric_query {
    id          = "b"
    expression  = "a * 2"
    return_data = true
  }
}

resource "aws_cloudwatch_composite_alarm" "x" {
  alarm_name        = "xy"
  alarm_description = "x"
  alarm_rule        = "ALARM(${aws_cloudwatch_metric_alarm.x.alarm_name})"
  actions_enabled   = true
  alarm_actions     = ["arn:aws:sns:us-east-1:123456789012:x"]
}

resource "aws_cloudwatch_log_metric_filter" "x" {
  name           = "x"
  log_group_name = aws_cloudwatch_log_group.x.name
  pattern        = "ERROR"

  metric_transformation {
    name          = "X"
    namespace     = "X"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_scheduler_schedule" "x" {
  name                         = "x"
  schedule_expression          = "rate(1 hour)"
  schedule_expression_timezone = "UTC"
  state                        = "ENABLED"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 1
  }

  target {
    arn      = "arn:aws:scheduler:::aws-sdk:ecs:updateService"
    role_arn = "arn:aws:iam::123456789012:role/x"
    input    = jsonencode({ Service = aws_ecs_service.x.name, ForceNewDeployment = true })
  }
}

resource "aws_xray_sampling_rule" "x" {
  rule_name      = "x"
  priority       = 1
  version        = 1
  reservoir_size = 1
  fixed_rate     = 0.5
  service_name   = "*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}
