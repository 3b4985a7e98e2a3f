# Every resource type the embedded schemas know: "a" with as little as possible, the others with the nested blocks an ECS stack uses. What the
# plan says beyond what is written here are the provider's defaults.

resource "aws_vpc" "a" { cidr_block = "10.0.0.0/16" }

resource "aws_vpc" "b" { assign_generated_ipv6_cidr_block = true }

resource "aws_subnet" "a" { vpc_id = "vpc-1" }

resource "aws_subnet" "b" {
  vpc_id     = "vpc-1"
  cidr_block = "10.0.0.0/24"
}

resource "aws_internet_gateway" "a" {}

resource "aws_eip" "a" {}

resource "aws_nat_gateway" "a" { subnet_id = "subnet-1" }

resource "aws_nat_gateway" "b" {
  subnet_id         = "subnet-1"
  connectivity_type = "private"
}

resource "aws_route_table" "a" { vpc_id = "vpc-1" }

resource "aws_route" "a" {
  route_table_id         = "rtb-1"
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = "igw-1"
}

resource "aws_route" "b" {
  route_table_id         = "rtb-1"
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = "eni-1"
}

resource "aws_route_table_association" "a" {
  route_table_id = "rtb-1"
  subnet_id      = "subnet-1"
}

resource "aws_vpc_endpoint" "a" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.us-east-1.s3"
}

resource "aws_vpc_endpoint" "b" {
  vpc_id              = "vpc-1"
  service_name        = "com.amazonaws.us-east-1.logs"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = ["subnet-1"]
  security_group_ids  = ["sg-1"]
  policy              = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "*", Resource = "*" }] })
  dns_options {}
}

resource "aws_vpc_endpoint_route_table_association" "a" {
  route_table_id  = "rtb-1"
  vpc_endpoint_id = "vpce-1"
}

resource "aws_security_group" "a" {}

resource "aws_security_group" "b" {
  ingress {
    from_port = 1
    to_port   = 1
    protocol  = "tcp"
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "a" {
  type              = "ingress"
  from_port         = 1
  to_port           = 1
  protocol          = "tcp"
  security_group_id = "sg-1"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_default_security_group" "a" {}

resource "aws_vpc_security_group_ingress_rule" "a" {
  security_group_id = "sg-1"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "a" {
  security_group_id = "sg-1"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_instance" "a" {
  ami           = "ami-1"
  instance_type = "t4g.nano"
}

resource "aws_instance" "b" {
  ami           = "ami-1"
  instance_type = "t4g.nano"
  root_block_device {}
  metadata_options {}
  credit_specification {}
  instance_market_options {}
  network_interface {
    device_index         = 0
    network_interface_id = "eni-1"
  }
}

resource "aws_flow_log" "a" {
  traffic_type    = "ALL"
  vpc_id          = "vpc-1"
  log_destination = "arn:aws:logs:us-east-1:123456789012:log-group:x"
}

resource "aws_lb" "a" { subnets = ["subnet-1"] }

resource "aws_lb" "b" {
  subnets = ["subnet-1", "subnet-2"]
  access_logs { bucket = "b" }
  connection_logs { bucket = "b" }
}

resource "aws_lb" "c" {
  load_balancer_type = "network"
  subnet_mapping { subnet_id = "subnet-1" }
}

resource "aws_lb_target_group" "a" { target_type = "lambda" }

resource "aws_lb_target_group" "b" {
  port     = 80
  protocol = "HTTP"
  vpc_id   = "vpc-1"
  health_check {}
  stickiness { type = "lb_cookie" }
}

resource "aws_lb_target_group" "c" {
  port     = 80
  protocol = "TCP"
  vpc_id   = "vpc-1"
  health_check {}
}

resource "aws_lb_listener" "a" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
  default_action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"
  }
}

resource "aws_lb_listener" "b" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
  port              = 80
  default_action {
    type = "redirect"
    redirect { status_code = "HTTP_301" }
  }
}

resource "aws_lb_listener" "c" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  default_action {
    type = "fixed-response"
    fixed_response { content_type = "text/plain" }
  }
  mutual_authentication { mode = "off" }
}

resource "aws_lb_listener" "d" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
  port              = 80
  default_action {
    type = "forward"
    forward {
      target_group { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1" }
      stickiness { duration = 60 }
    }
  }
}

resource "aws_lb_listener_certificate" "a" {
  listener_arn    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
}

resource "aws_lb_listener_rule" "a" {
  listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
  action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"
  }
  condition {
    path_pattern { values = ["/b", "/a"] }
  }
  condition {
    host_header { values = ["b.example.com", "a.example.com"] }
  }
}

resource "aws_lb_listener_rule" "b" {
  listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
  action {
    type = "redirect"
    redirect { status_code = "HTTP_301" }
  }
  condition {
    http_header {
      http_header_name = "x"
      values           = ["y"]
    }
  }
  condition {
    http_request_method { values = ["GET"] }
  }
  condition {
    query_string { value = "x" }
  }
  condition {
    source_ip { values = ["10.0.0.0/8"] }
  }
}

resource "aws_lb_listener_rule" "c" {
  listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
  action {
    type = "fixed-response"
    fixed_response { content_type = "text/plain" }
  }
  action {
    type = "forward"
    forward {
      target_group { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1" }
      stickiness { duration = 60 }
    }
  }
  condition {
    path_pattern { values = ["/b"] }
  }
}

resource "aws_ecr_repository" "a" { name = "a" }

resource "aws_ecr_repository" "b" {
  name = "b"
  encryption_configuration {}
  image_scanning_configuration { scan_on_push = true }
}

resource "aws_ecr_lifecycle_policy" "a" {
  repository = "a"
  policy     = jsonencode({ rules = [{ rulePriority = 1, selection = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 1 }, action = { type = "expire" } }] })
}

resource "aws_ecs_cluster" "a" { name = "a" }

resource "aws_ecs_cluster" "b" {
  name = "b"
  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
  configuration {
    execute_command_configuration {
      log_configuration {}
    }
    managed_storage_configuration {}
  }
  service_connect_defaults { namespace = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1" }
}

resource "aws_ecs_cluster_capacity_providers" "a" { cluster_name = "a" }

resource "aws_ecs_cluster_capacity_providers" "b" {
  cluster_name       = "b"
  capacity_providers = ["FARGATE"]
  default_capacity_provider_strategy { capacity_provider = "FARGATE" }
}

resource "aws_ecs_service" "a" { name = "a" }

resource "aws_ecs_service" "b" {
  name = "b"
  alarms {
    alarm_names = ["x"]
    enable      = true
    rollback    = true
  }
  capacity_provider_strategy { capacity_provider = "FARGATE" }
  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    base              = 1
    weight            = 2
  }
  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }
  deployment_controller {}
  load_balancer {
    container_name   = "x"
    container_port   = 1
    target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"
  }
  network_configuration { subnets = ["subnet-1"] }
  service_registries { registry_arn = "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-1" }
  service_connect_configuration {
    enabled = true
    log_configuration {
      log_driver = "awslogs"
      secret_option {
        name       = "x"
        value_from = "y"
      }
    }
    service {
      port_name = "x"
      client_alias { port = 1 }
      timeout {}
      tls {
        issuer_cert_authority { aws_pca_authority_arn = "arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/x" }
      }
    }
  }
}

resource "aws_ecs_task_definition" "a" {
  family                = "a"
  container_definitions = jsonencode([{ name = "a", image = "b" }])
}

resource "aws_ecs_task_definition" "b" {
  family                = "b"
  container_definitions = jsonencode([{ name = "a", image = "b" }])
  ephemeral_storage { size_in_gib = 21 }
  runtime_platform {}
  volume { name = "v" }
  volume {
    name = "w"
    efs_volume_configuration {
      file_system_id = "fs-1"
      authorization_config {}
    }
  }
  proxy_configuration {
    container_name = "x"
  }
}

resource "aws_appautoscaling_target" "a" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  min_capacity       = 1
  max_capacity       = 2
}

resource "aws_appautoscaling_target" "b" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  min_capacity       = 1
  max_capacity       = 2
  suspended_state {}
}

resource "aws_appautoscaling_policy" "a" {
  name               = "a"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
}

resource "aws_appautoscaling_policy" "b" {
  name               = "b"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  target_tracking_scaling_policy_configuration {
    target_value = 1
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

resource "aws_appautoscaling_policy" "c" {
  name               = "c"
  policy_type        = "StepScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  step_scaling_policy_configuration {
    step_adjustment { scaling_adjustment = 1 }
  }
}

resource "aws_appautoscaling_policy" "d" {
  name               = "d"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  target_tracking_scaling_policy_configuration {
    target_value = 1.5
    customized_metric_specification {
      metric_name = "x"
      namespace   = "y"
      statistic   = "Average"
      dimensions {
        name  = "a"
        value = "b"
      }
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "a" {
  name               = "a"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/a/b"
  schedule           = "cron(0 8 * * ? *)"
  scalable_target_action {
    min_capacity = 1
    max_capacity = 2
  }
}

resource "aws_iam_role" "a" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}

resource "aws_iam_role" "b" {
  name_prefix        = "x"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }] })
  inline_policy {}
}

resource "aws_iam_role_policy" "a" {
  role   = "r"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "a" {
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/x"
}

resource "aws_iam_policy" "a" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_instance_profile" "a" {}

resource "aws_cloudwatch_log_group" "a" {}

resource "aws_cloudwatch_log_group" "b" { name = "b" }

resource "aws_cloudwatch_log_metric_filter" "a" {
  name           = "a"
  log_group_name = "b"
  pattern        = "x"
  metric_transformation {
    name      = "a"
    namespace = "b"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "a"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = "x"
  namespace           = "y"
  period              = 60
  statistic           = "Average"
  threshold           = 1
}

resource "aws_cloudwatch_metric_alarm" "b" {
  alarm_name          = "b"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1
  metric_query {
    id = "m1"
    metric {
      metric_name = "x"
      period      = 60
      stat        = "Sum"
    }
  }
  metric_query {
    id          = "e1"
    expression  = "m1"
    return_data = true
  }
}

resource "aws_cloudwatch_composite_alarm" "a" {
  alarm_name = "a"
  alarm_rule = "ALARM(x)"
}

resource "aws_cloudwatch_dashboard" "a" {
  dashboard_name = "a"
  dashboard_body = jsonencode({ widgets = [] })
}

resource "aws_cloudwatch_event_rule" "a" { schedule_expression = "rate(1 hour)" }

resource "aws_cloudwatch_event_rule" "b" { event_pattern = jsonencode({ source = ["aws.ecs"] }) }

resource "aws_cloudwatch_event_target" "a" {
  rule = "a"
  arn  = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
}

resource "aws_cloudwatch_event_target" "b" {
  rule     = "a"
  arn      = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
  role_arn = "arn:aws:iam::123456789012:role/x"
  ecs_target {
    task_definition_arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/x:1"
    network_configuration { subnets = ["subnet-1"] }
    capacity_provider_strategy { capacity_provider = "FARGATE" }
  }
  retry_policy {}
  dead_letter_config {}
}

resource "aws_scheduler_schedule" "a" {
  schedule_expression = "rate(1 hour)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
    role_arn = "arn:aws:iam::123456789012:role/x"
  }
}

resource "aws_scheduler_schedule" "b" {
  schedule_expression = "rate(1 hour)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
    role_arn = "arn:aws:iam::123456789012:role/x"
    ecs_parameters {
      task_definition_arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/x:1"
      network_configuration { subnets = ["subnet-1"] }
      capacity_provider_strategy { capacity_provider = "FARGATE" }
    }
    retry_policy {}
  }
}

resource "aws_scheduler_schedule_group" "a" {}

resource "aws_scheduler_schedule_group" "b" {
  name = "b"
  tags = { A = "b" }
}

resource "aws_service_discovery_http_namespace" "a" { name = "a" }

resource "aws_service_discovery_private_dns_namespace" "a" {
  name = "a.local"
  vpc  = "vpc-1"
}

resource "aws_secretsmanager_secret" "a" {}

resource "aws_secretsmanager_secret" "b" {
  name = "b"
  replica { region = "us-west-2" }
}

resource "aws_secretsmanager_secret_version" "a" {
  secret_id     = "x"
  secret_string = "y"
}

resource "aws_ssm_parameter" "a" {
  name  = "/a"
  type  = "SecureString"
  value = "x"
}

resource "aws_kms_key" "a" {}

resource "aws_kms_alias" "a" { target_key_id = "k" }

resource "aws_s3_bucket" "a" {}

resource "aws_s3_bucket" "b" { bucket = "b" }

resource "aws_s3_bucket_versioning" "a" {
  bucket = "b"
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "a" {
  bucket = "b"
  rule {}
}

resource "aws_s3_bucket_server_side_encryption_configuration" "b" {
  bucket = "b"
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_public_access_block" "a" { bucket = "b" }

resource "aws_s3_bucket_ownership_controls" "a" {
  bucket = "b"
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_lifecycle_configuration" "a" {
  bucket = "b"
  rule {
    id     = "a"
    status = "Enabled"
    filter {}
    expiration { days = 1 }
    noncurrent_version_expiration { noncurrent_days = 1 }
    abort_incomplete_multipart_upload { days_after_initiation = 1 }
  }
}

resource "aws_s3_bucket_policy" "a" {
  bucket = "b"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "*" }] })
}

resource "aws_s3_bucket_logging" "a" {
  bucket        = "b"
  target_bucket = "c"
  target_prefix = "d"
}

resource "aws_sns_topic" "a" {}

resource "aws_sns_topic" "b" { name = "b" }

resource "aws_sns_topic_policy" "a" {
  arn    = "arn:aws:sns:us-east-1:123456789012:x"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "sns:Publish", Resource = "*" }] })
}

resource "aws_sns_topic_subscription" "a" {
  topic_arn = "arn:aws:sns:us-east-1:123456789012:x"
  protocol  = "email"
  endpoint  = "a@example.com"
}

resource "aws_sqs_queue" "a" {}

resource "aws_sqs_queue" "b" { name = "b" }

resource "aws_xray_sampling_rule" "a" {
  rule_name      = "a"
  priority       = 1
  version        = 1
  reservoir_size = 1
  fixed_rate     = 0.05
  url_path       = "*"
  host           = "*"
  http_method    = "*"
  service_type   = "*"
  service_name   = "*"
  resource_arn   = "*"
}

resource "aws_budgets_budget" "a" {
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "100"
  limit_unit   = "USD"
}

resource "aws_budgets_budget" "b" {
  name         = "b"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "100.5"
  limit_unit   = "USD"
  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = ["a@example.com"]
  }
  cost_filter {
    name   = "TagKeyValue"
    values = ["x"]
  }
}

resource "aws_acm_certificate" "a" {
  domain_name       = "example.com"
  validation_method = "DNS"
}

resource "aws_acm_certificate_validation" "a" { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }

resource "aws_route53_zone" "a" { name = "example.com" }

resource "aws_route53_record" "a" {
  zone_id = "Z1"
  name    = "a.example.com"
  type    = "A"
  ttl     = 60
  records = ["10.0.0.1"]
}

resource "aws_route53_record" "b" {
  zone_id = "Z1"
  name    = "b.example.com"
  type    = "A"
  alias {
    name                   = "x"
    zone_id                = "Z2"
    evaluate_target_health = true
  }
}
