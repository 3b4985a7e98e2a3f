# Each mistake is told where it stands; nothing stops at the first.

resource "aws_secretsmanager_secret" "app" {
  name = "app"
}

resource "aws_ecs_task_definition" "app" {
  family = "app"
  container_definitions = jsonencode([{
    name         = "app"
    image        = "nginx:1.27"
    portMappings = [{ name = "http", containerPort = 80 }]
  }])
}

resource "aws_ecs_task_definition" "colons" {
  family = "colons"
  container_definitions = jsonencode([{
    name    = "app"
    image   = "nginx:1.27"
    secrets = [{ name = "KEY", valueFrom = "${aws_secretsmanager_secret.app.arn}:KEY" }]
  }])
}

resource "aws_lb" "main" {
  name = "main"
}

resource "aws_lb_target_group" "app" {
  name     = "app"
  port     = 80
  protocol = "HTTP"
  vpc_id   = "vpc-0"
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  default_action {
    type             = "forward"
    target_group_arn = aws_lb.main.arn
  }
}

resource "aws_lb_listener" "spare" {
  load_balancer_arn = aws_lb.main.arn
  port              = 8080
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

resource "aws_lb_listener_rule" "twice" {
  count        = 2
  listener_arn = aws_lb_listener.spare.arn
  priority     = 10
  condition {
    host_header {
      values = ["app${count.index}.example.com"]
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

resource "aws_ecs_service" "app" {
  name            = "app"
  task_definition = aws_ecs_task_definition.app.arn
  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = "web"
    container_port   = 80
  }
  service_connect_configuration {
    enabled = true
    service {
      port_name = "grpc"
      client_alias {
        port = 80
      }
    }
  }
}
