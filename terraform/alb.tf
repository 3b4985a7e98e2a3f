locals {
  # Where requests are shared out: over TLS where there is a certificate.
  agent_listener = var.certificate_arn == null ? aws_lb_listener.http : aws_lb_listener.https[0]

  no_agent = jsonencode({
    error  = "There is no agent at this path."
    agents = [for name in keys(var.agents) : "/${name}"]
  })

  # A name of its own for each agent: validator.example.com
  agent_hosts = var.domain_name == null ? {} : { for name in keys(var.agents) : name => "${name}.${var.domain_name}" }
}

resource "aws_lb" "main" {
  name                       = "${var.project_name}-alb"
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.alb.id]
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  idle_timeout               = var.alb_idle_timeout
  drop_invalid_header_fields = true
  enable_deletion_protection = var.alb_deletion_protection

  dynamic "access_logs" {
    for_each = aws_s3_bucket.access_logs

    content {
      enabled = true
      bucket  = access_logs.value.id
    }
  }

  # A load balancer that faces the internet needs its gateway first, and tries to write its log when it is made.
  depends_on = [aws_internet_gateway.main, aws_s3_bucket_policy.access_logs]
}

resource "aws_lb_target_group" "agents" {
  for_each = var.agents

  name                 = "${var.project_name}-${each.key}"
  vpc_id               = aws_vpc.main.id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = each.value.port
  deregistration_delay = 30

  health_check {
    path                = each.value.health_check_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = var.certificate_arn == null ? "fixed-response" : "redirect"

    dynamic "fixed_response" {
      for_each = var.certificate_arn == null ? [local.no_agent] : []

      content {
        status_code  = "404"
        content_type = "application/json"
        message_body = fixed_response.value
      }
    }

    dynamic "redirect" {
      for_each = var.certificate_arn == null ? [] : ["443"]

      content {
        status_code = "HTTP_301"
        protocol    = "HTTPS"
        port        = redirect.value
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "application/json"
      message_body = local.no_agent
    }
  }
}

# The load balancer does not take the prefix off: every agent serves its paths under its own name too.
resource "aws_lb_listener_rule" "agents" {
  for_each = var.agents

  listener_arn = local.agent_listener.arn
  priority     = each.value.priority

  condition {
    path_pattern {
      values = ["/${each.key}", "/${each.key}/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.agents[each.key].arn
  }
}

# Names of their own. A rule by host comes after every rule by path, since its number is higher.

resource "aws_lb_listener_rule" "hosts" {
  for_each = local.agent_hosts

  listener_arn = local.agent_listener.arn
  priority     = 25000 + var.agents[each.key].priority

  condition {
    host_header {
      values = [each.value]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.agents[each.key].arn
  }
}

resource "aws_route53_record" "agents" {
  for_each = var.route53_zone_id == null ? toset([]) : toset(concat([var.domain_name], values(local.agent_hosts)))

  zone_id = var.route53_zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }
}

# The access log, where it is wanted

resource "aws_s3_bucket" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  bucket_prefix = "${var.project_name}-alb-"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  bucket = aws_s3_bucket.access_logs[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  bucket = aws_s3_bucket.access_logs[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256" # The load balancer can write with no other.
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  bucket = aws_s3_bucket.access_logs[0].id

  rule {
    id     = "keep-as-long-as-logs"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_retention_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  statement {
    sid       = "DeliverAccessLog"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.access_logs[0].arn}/AWSLogs/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}

resource "aws_s3_bucket_policy" "access_logs" {
  count = var.enable_alb_access_logs ? 1 : 0

  bucket = aws_s3_bucket.access_logs[0].id
  policy = data.aws_iam_policy_document.access_logs[0].json

  depends_on = [aws_s3_bucket_public_access_block.access_logs]
}
