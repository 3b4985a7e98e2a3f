locals {
  # What each agent is told of the others: { skill-extractor = { KARMA_HELLO_URL = "http://karma-hello:9002" } }
  peer_urls = {
    for name, agent in var.agents : name => var.enable_service_connect ? {
      for callee in agent.calls : "${upper(replace(callee, "-", "_"))}_URL" => "http://${callee}:${var.agents[callee].port}"
    } : {}
  }

  environment = {
    for name, agent in var.agents : name => merge(
      { PORT = tostring(agent.port), DATA_DIR = "/app/data", LOG_LEVEL = var.log_level },
      local.peer_urls[name],
      agent.environment,
    )
  }

  images = {
    for name, repository in aws_ecr_repository.agents : name => (
      contains(keys(var.image_digests), name)
      ? "${repository.repository_url}@${var.image_digests[name]}"
      : "${repository.repository_url}:${var.image_tag}"
    )
  }

  # ECS Exec puts an agent of its own into the container, which must write here although the root file system is read-only.
  writable_paths = var.enable_execute_command ? {
    managed-agents = "/managed-agents"
    ssm-state      = "/var/lib/amazon/ssm"
    ssm-logs       = "/var/log/amazon/ssm"
  } : {}
}

resource "aws_ecs_cluster" "main" {
  name = "${var.project_name}-cluster"
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = var.use_fargate_spot ? "FARGATE_SPOT" : "FARGATE"
    weight            = 1
  }
}

resource "aws_service_discovery_http_namespace" "main" {
  count = var.enable_service_connect ? 1 : 0

  name        = var.project_name
  description = "The names under which the agents call each other"
}

resource "aws_secretsmanager_secret" "agents" {
  for_each = var.agents

  name        = "${var.project_name}/${each.key}"
  description = "What only ${each.key} may know; its value is a JSON object and is set outside of Terraform"
}

resource "aws_ecs_task_definition" "agents" {
  for_each = var.agents

  family                   = "${var.project_name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = coalesce(each.value.cpu, var.task_cpu)
  memory                   = coalesce(each.value.memory, var.task_memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  dynamic "volume" {
    for_each = local.writable_paths

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([{
    name                   = each.key
    image                  = local.images[each.key]
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    stopTimeout            = 120

    portMappings = [{
      name          = each.key
      containerPort = each.value.port
      protocol      = "tcp"
      appProtocol   = "http"
    }]

    environment = [for name, value in local.environment[each.key] : { name = name, value = value }]

    secrets = [for key in each.value.secrets : {
      name      = key
      valueFrom = "${aws_secretsmanager_secret.agents[each.key].arn}:${key}::"
    }]

    mountPoints = [for name, path in local.writable_paths : { sourceVolume = name, containerPath = path }]

    healthCheck = {
      command     = ["CMD", "/usr/local/bin/karma-agent", "health"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 15
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-region        = var.aws_region
        awslogs-group         = aws_cloudwatch_log_group.agents[each.key].name
        awslogs-stream-prefix = "ecs"
      }
    }
  }])
}

resource "aws_ecs_service" "agents" {
  for_each = var.agents

  name                   = "${var.project_name}-${each.key}"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.agents[each.key].arn
  desired_count          = coalesce(each.value.desired_count, var.desired_count_per_service)
  enable_execute_command = var.enable_execute_command
  propagate_tags         = "SERVICE"

  # A running service can only change its capacity provider together with a new deployment.
  force_new_deployment = true

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = var.use_fargate_spot ? "FARGATE_SPOT" : "FARGATE"
    weight            = 1
  }

  network_configuration {
    subnets          = [for subnet in var.enable_nat_gateway ? aws_subnet.private : aws_subnet.public : subnet.id]
    security_groups  = [aws_security_group.agents[each.key].id]
    assign_public_ip = !var.enable_nat_gateway
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.agents[each.key].arn
    container_name   = each.key
    container_port   = each.value.port
  }

  dynamic "service_connect_configuration" {
    for_each = aws_service_discovery_http_namespace.main

    content {
      enabled   = true
      namespace = service_connect_configuration.value.arn

      service {
        port_name      = each.key
        discovery_name = each.key

        client_alias {
          dns_name = each.key
          port     = each.value.port
        }
      }
    }
  }

  lifecycle {
    # Autoscaling moves it after creation.
    ignore_changes = [desired_count]
  }

  # ECS refuses a target group that no load balancer uses, and a task that starts before its role may read and write fails.
  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener_rule.agents,
  ]
}

resource "aws_appautoscaling_target" "agents" {
  for_each = var.agents

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.agents[each.key].name}"
  min_capacity       = var.autoscaling_min_capacity
  max_capacity       = var.autoscaling_max_capacity
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each = var.agents

  name               = "${var.project_name}-${each.key}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.agents[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.agents[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.agents[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.autoscaling_cpu_target
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "memory" {
  for_each = var.agents

  name               = "${var.project_name}-${each.key}-memory"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.agents[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.agents[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.agents[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.autoscaling_memory_target
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageMemoryUtilization"
    }
  }
}
