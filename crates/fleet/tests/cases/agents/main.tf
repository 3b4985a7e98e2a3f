# Two agents out of one map: repositories, secrets, log groups, task definitions, services and rules, all by for_each.

variable "agents" {
  type = map(object({
    port    = number
    secrets = optional(list(string), [])
    calls   = optional(list(string), [])
  }))
  default = {
    hello     = { port = 9002, secrets = ["OPENAI_API_KEY"] }
    validator = { port = 9001, calls = ["hello"] }
  }
}

locals {
  version = "0.1.0"
  ports   = { for name, agent in var.agents : name => agent.port }
}

resource "aws_ecs_cluster" "main" {
  name = "karma"
}

resource "aws_service_discovery_http_namespace" "main" {
  name = "karma"
}

resource "aws_ecr_repository" "agents" {
  for_each = var.agents
  name     = "karma/${each.key}"
}

resource "aws_secretsmanager_secret" "agents" {
  for_each = var.agents
  name     = "karma/${each.key}"
}

resource "aws_cloudwatch_log_group" "agents" {
  for_each          = var.agents
  name              = "/ecs/karma/${each.key}"
  retention_in_days = 7
}

resource "aws_ecs_task_definition" "agents" {
  for_each                 = var.agents
  family                   = "karma-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512

  container_definitions = jsonencode([{
    name         = each.key
    image        = "${aws_ecr_repository.agents[each.key].repository_url}:${local.version}"
    user         = "65532:65532"
    stopTimeout  = 120
    portMappings = [{ name = "http", containerPort = each.value.port }]
    environment = concat(
      [{ name = "PORT", value = tostring(each.value.port) }],
      [for name in each.value.calls : { name = "${upper(name)}_URL", value = "http://${name}:${local.ports[name]}" }],
    )
    secrets = [for key in each.value.secrets : {
      name      = key
      valueFrom = "${aws_secretsmanager_secret.agents[each.key].arn}:${key}::"
    }]
    healthCheck = { command = ["CMD", "/agent", "health"], interval = 10, startPeriod = 15 }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.agents[each.key].name
        "awslogs-region"        = "us-east-1"
        "awslogs-stream-prefix" = "ecs"
      }
    }
  }])
}

resource "aws_lb" "main" {
  name         = "karma"
  idle_timeout = 120
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      message_body = jsonencode({ error = "not found" })
      status_code  = "404"
    }
  }
}

resource "aws_lb_target_group" "agents" {
  for_each             = var.agents
  name                 = "karma-${each.key}"
  port                 = each.value.port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = "vpc-0"
  deregistration_delay = 30

  health_check {
    path    = "/${each.key}/health"
    matcher = "200-299"
  }
}

resource "aws_lb_listener_rule" "agents" {
  for_each     = var.agents
  listener_arn = aws_lb_listener.http.arn
  priority     = each.value.port

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

resource "aws_ecs_service" "agents" {
  for_each        = var.agents
  name            = "karma-${each.key}"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.agents[each.key].arn
  desired_count   = 1

  load_balancer {
    target_group_arn = aws_lb_target_group.agents[each.key].arn
    container_name   = each.key
    container_port   = each.value.port
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn
    service {
      port_name      = "http"
      discovery_name = each.key
      client_alias {
        port     = each.value.port
        dns_name = each.key
      }
    }
  }
}
