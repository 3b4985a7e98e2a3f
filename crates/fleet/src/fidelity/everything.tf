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
}

resource "aws_ecs_task_definition" "x" {
  family = "x"
  cpu    = 256
  memory = 512

  container_definitions = jsonencode([{
    name         = "x"
    image        = "${aws_ecr_repository.x.repository_url}:1"
    essential    = true
    command      = ["a"]
    entryPoint   = ["a"]
    stopTimeout  = 5
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
    type = "lb_cookie"
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
        enabled  = false
      }
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
        enabled  = false
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
    }
  }
}

resource "aws_ecs_service" "y" {
  name            = "y"
  cluster         = aws_ecs_cluster.x.id
  task_definition = aws_ecs_task_definition.x.arn

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
