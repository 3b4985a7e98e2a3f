resource "aws_lb" "main" {
  name                       = "${var.project_name}-alb"
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.alb.id]
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  idle_timeout               = var.alb_idle_timeout
  drop_invalid_header_fields = true

  # A load balancer that faces the internet needs its gateway first.
  depends_on = [aws_internet_gateway.main]
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
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "application/json"
      message_body = jsonencode({
        error  = "There is no agent at this path."
        agents = [for name in keys(var.agents) : "/${name}"]
      })
    }
  }
}

# The load balancer does not take the prefix off: every agent serves its paths under its own name too.
resource "aws_lb_listener_rule" "agents" {
  for_each = var.agents

  listener_arn = aws_lb_listener.http.arn
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
