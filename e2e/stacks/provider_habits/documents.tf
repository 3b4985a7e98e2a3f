# JSON documents, container definitions, names and prefixes.

locals {
  j = <<-EOT
    {
      "Version": "2012-10-17",
      "Id": "",
      "Statement": [ { "Sid": "", "Effect": "Allow", "Principal": "*", "Action": ["sns:b", "sns:a"], "Resource": ["*"], "Condition": {"StringLike": {"a": ["b"]}} } ]
    }
  EOT
}
resource "aws_iam_role" "a_document" {
  assume_role_policy = local.j
  inline_policy {
    name   = "x"
    policy = local.j
  }
}
resource "aws_iam_role_policy" "a_document" {
  role   = "r"
  policy = local.j
}
resource "aws_iam_policy" "a_document" { policy = local.j }
resource "aws_vpc_endpoint" "b_document" {
  vpc_id       = "vpc-1"
  service_name = "com.amazonaws.us-east-1.s3"
  policy       = local.j
}
resource "aws_s3_bucket_policy" "a_document" {
  bucket = "b"
  policy = local.j
}
resource "aws_sns_topic" "a_document" { policy = local.j }
resource "aws_sqs_queue" "a_document" { policy = local.j }
resource "aws_sns_topic_policy" "a_document" {
  arn    = "arn:aws:sns:us-east-1:123456789012:x"
  policy = local.j
}
resource "aws_kms_key" "a_document" { policy = local.j }
resource "aws_secretsmanager_secret" "a_document" { policy = local.j }
resource "aws_ecr_lifecycle_policy" "a_document" {
  repository = "x"
  policy     = <<-EOT
    { "rules": [ { "rulePriority": 2, "description": "", "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1 }, "action": { "type": "expire" } },
     { "rulePriority": 1, "selection": { "tagStatus": "tagged", "tagPrefixList": ["b", "a"], "countType": "imageCountMoreThan", "countNumber": 1 }, "action": { "type": "expire" } } ] }
  EOT
}
resource "aws_cloudwatch_event_rule" "a_document" { event_pattern = "{ \"source\": [\"b\", \"a\"], \"account\": [ \"x\" ] }" }
resource "aws_cloudwatch_event_target" "a_document" {
  rule  = "a"
  arn   = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
  input = "{ \"b\": 1, \"a\": 2 }"
}
resource "aws_cloudwatch_dashboard" "a_document" {
  dashboard_name = "a"
  dashboard_body = "{ \"widgets\": [], \"start\": \"x\" }"
}
resource "aws_scheduler_schedule" "a_document" {
  schedule_expression = "rate(1 hour)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
    role_arn = "arn:aws:iam::123456789012:role/x"
    input    = "{ \"b\": 1, \"a\": 2 }"
  }
}
resource "aws_ecs_task_definition" "u_document" {
  family                = "x"
  container_definitions = jsonencode([{ name = "a", image = "b", ulimits = [{ name = "nofile", softLimit = 0, hardLimit = 0 }], linuxParameters = { tmpfs = [{ containerPath = "/", size = 0 }], devices = [{ hostPath = "x", permissions = ["read"] }] }, extraHosts = [{ hostname = "a", ipAddress = "b" }], dnsServers = ["a"], dependsOn = null, credentialSpecs = ["x"], links = [], pseudoTerminal = true, hostname = "h", disableNetworking = true, healthCheck = {}, resourceRequirements = [], dockerLabels = {} }])
}
# Names and prefixes, numbers as strings, letters
resource "aws_lb" "p_document" {
  name_prefix     = "abc"
  internal        = true
  subnets         = ["subnet-2", "subnet-1"]
  security_groups = ["sg-2", "sg-1"]
}
resource "aws_lb_target_group" "p_document" {
  name_prefix = "abc"
  port        = 80
  protocol    = "HTTP"
  vpc_id      = "vpc-1"
}
resource "aws_lb_target_group" "q_document" {
  name        = "q"
  port        = 80
  protocol    = "HTTP"
  vpc_id      = "vpc-1"
  target_type = "ip"
  health_check {
    path    = "/h"
    matcher = "200-299"
  }
}
resource "aws_lb_target_group" "lambda_document" {
  target_type = "lambda"
  health_check {}
}
resource "aws_security_group" "p_document" { name_prefix = "abc" }
resource "aws_iam_role" "p_document" {
  name_prefix        = "abc"
  assume_role_policy = local.j
}
resource "aws_cloudwatch_log_group" "p_document" { name_prefix = "abc" }
resource "aws_cloudwatch_metric_alarm" "q_document" {
  alarm_name          = "b"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1
  metric_query {
    id          = "m1"
    return_data = true
    metric {
      metric_name = "x"
      period      = 60
      stat        = "Sum"
      dimensions  = { a = "b" }
    }
  }
}
resource "aws_lb_listener" "l_document" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
  port              = "80"
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1"
  }
}
resource "aws_route53_record" "r_document" {
  zone_id = "Z1"
  name    = "A.Example.com."
  type    = "A"
  ttl     = 60
  records = ["10.0.0.1"]
}
resource "aws_vpc" "cidr_document" { cidr_block = "10.0.0.0/16" }
resource "aws_ecs_service" "np_document" {
  name        = "b"
  launch_type = "FARGATE"
  network_configuration {
    subnets         = ["subnet-2", "subnet-1"]
    security_groups = []
  }
}
resource "aws_budgets_budget" "b_document" {
  name         = "b"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "100.50"
  limit_unit   = "USD"
}
resource "aws_acm_certificate" "alternative_names" {
  domain_name               = "example.com"
  validation_method         = "DNS"
  subject_alternative_names = ["www.example.com"]
}
