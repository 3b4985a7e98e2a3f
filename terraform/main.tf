locals {
  # What each agent is told of the others: { skill-extractor = { KARMA_HELLO_URL = "http://karma-hello:9002" } }
  peer_urls = {
    for name, agent in var.agents : name => var.enable_service_connect ? {
      for callee in agent.calls : "${upper(replace(callee, "-", "_"))}_URL" => "http://${callee}:${var.agents[callee].port}"
    } : {}
  }

  # What all agents are told of the chain and of the language model. What is null they are not told.
  connections = merge(
    var.payments == null ? {} : {
      CHAIN_RPC_URL       = var.payments.rpc_url
      CHAIN_ID            = tostring(var.payments.chain_id)
      TOKEN_ADDRESS       = var.payments.token_address
      IDENTITY_REGISTRY   = try(var.payments.registries.identity, null)
      REPUTATION_REGISTRY = try(var.payments.registries.reputation, null)
      VALIDATION_REGISTRY = try(var.payments.registries.validation, null)
      FACILITATOR_URL     = var.payments.facilitator_url
      ALLOWED_PAYEES      = length(var.payments.allowed_payees) > 0 ? join(",", var.payments.allowed_payees) : null
      SPEND_PER_TASK      = tostring(var.payments.spend_per_task)
      SPEND_PER_DAY       = tostring(var.payments.spend_per_day)
    },
    var.language_model == null ? {} : {
      OPENAI_BASE_URL        = var.language_model.base_url
      OPENAI_MODEL           = var.language_model.model
      OPENAI_EMBEDDING_MODEL = var.language_model.embedding_model
      LLM_TOKENS_PER_DAY     = try(tostring(var.language_model.tokens_per_day), null)
    },
  )

  # Who takes their traces. X-Ray's sampling rule knows the agents by the names of their services.
  otlp_endpoint = var.otlp_endpoint != null ? var.otlp_endpoint : var.enable_xray_tracing ? "https://xray.${var.aws_region}.amazonaws.com" : null
  traces = {
    for name, agent in var.agents : name => local.otlp_endpoint == null ? {} : {
      OTEL_EXPORTER_OTLP_ENDPOINT = local.otlp_endpoint
      OTEL_SERVICE_NAME           = "${var.project_name}-${name}"
    }
  }

  # What each agent asks for its skills, where the stack says so: { karma-hello = { PRICES = "get_chat_logs=10000" } }
  prices = {
    for name, agent in var.agents : name => var.payments == null || length(agent.prices) == 0 ? {} : {
      PRICES = join(",", [for skill, price in agent.prices : "${skill}=${price}"])
    }
  }

  environment = {
    for name, agent in var.agents : name => merge(
      { PORT = tostring(agent.port), DATA_DIR = "/app/data", LOG_LEVEL = var.log_level },
      { AWS_REGION = var.aws_region, STORE_URL = "s3://${aws_s3_bucket.data.id}/store" },
      # What a task has read goes back to the machine: the C library keeps it otherwise, once for each thread.
      # https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
      { GLIBC_TUNABLES = "glibc.malloc.arena_max=1:glibc.malloc.trim_threshold=65536:glibc.malloc.mmap_threshold=65536" },
      { RATE_LIMIT_PER_MINUTE = var.rate_limit_per_minute == null ? "off" : tostring(var.rate_limit_per_minute) },
      { for variable, value in local.connections : variable => value if value != null },
      local.prices[name],
      local.traces[name],
      local.peer_urls[name],
      agent.environment,
    )
  }

  # What each agent reads from its secret. Who pays needs a key, and a node's address that is not told here.
  secrets = {
    for name, agent in var.agents : name => setunion(
      agent.secrets,
      var.payments == null ? [] : ["PRIVATE_KEY"],
      try(var.payments.rpc_url, "") == null ? ["CHAIN_RPC_URL"] : [],
    )
  }

  images = {
    for name, repository in aws_ecr_repository.agents : name => (
      contains(keys(var.image_digests), name)
      ? "${repository.repository_url}@${var.image_digests[name]}"
      : "${repository.repository_url}:${var.image_tag}"
    )
  }

  # Where tasks run. On-demand tasks come first up to the base, the others are shared out by weight.
  capacity_providers = {
    for name, provider in {
      FARGATE      = { base = var.use_fargate_spot ? var.fargate_base : 0, weight = var.use_fargate_spot ? var.fargate_weight : 1 }
      FARGATE_SPOT = { base = 0, weight = var.use_fargate_spot ? var.fargate_spot_weight : 0 }
    } : name => provider if provider.base + provider.weight > 0
  }

  # In private subnets while something there leads to the internet.
  tasks_are_private = var.enable_nat_gateway || var.enable_nat_instance

  # ECS Exec puts an agent of its own into the container, which must write here although the root file system is read-only.
  writable_paths = var.enable_execute_command ? {
    managed-agents = "/managed-agents"
    ssm-state      = "/var/lib/amazon/ssm"
    ssm-logs       = "/var/log/amazon/ssm"
  } : {}
}

resource "aws_ecs_cluster" "main" {
  name = "${var.project_name}-cluster"

  setting {
    name  = "containerInsights"
    value = var.enable_container_insights ? var.container_insights_mode : "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  dynamic "default_capacity_provider_strategy" {
    for_each = local.capacity_providers

    content {
      capacity_provider = default_capacity_provider_strategy.key
      base              = default_capacity_provider_strategy.value.base
      weight            = default_capacity_provider_strategy.value.weight
    }
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

  recovery_window_in_days = var.secret_recovery_window_days
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

    secrets = [for key in local.secrets[each.key] : {
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

  # Applying ends when the tasks run, not when ECS has been told about them.
  wait_for_steady_state = var.wait_for_steady_state

  deployment_minimum_healthy_percent = var.deployment_minimum_healthy_percent
  deployment_maximum_percent         = var.deployment_maximum_percent
  health_check_grace_period_seconds  = var.health_check_grace_period_seconds

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = local.capacity_providers

    content {
      capacity_provider = capacity_provider_strategy.key
      base              = capacity_provider_strategy.value.base
      weight            = capacity_provider_strategy.value.weight
    }
  }

  network_configuration {
    subnets          = [for subnet in local.tasks_are_private ? aws_subnet.private : aws_subnet.public : subnet.id]
    security_groups  = [aws_security_group.agents[each.key].id]
    assign_public_ip = !local.tasks_are_private
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

    # The circuit breaker takes a bad deployment back, and AWS calls that a success.
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.agents[each.key].arn
      error_message = "The new tasks of ${each.key} did not become healthy, and ECS went back to the task definition before. Its stopped tasks say why."
    }
  }

  # ECS refuses a target group that no load balancer uses, and a task fails that starts before its role may read and write or before there is
  # a way to the registry.
  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.pull_images,
    aws_iam_role_policy.read_secrets,
    aws_iam_role_policy.write_logs,
    aws_iam_role_policy.task,
    aws_iam_role_policy.task_data,
    aws_iam_role_policy.task_exec,
    aws_iam_role_policy.task_traces,
    aws_lb_listener_rule.agents,
    aws_route.internet,
    aws_route.nat,
    aws_route.nat_instance,
    aws_route_table_association.private,
    aws_route_table_association.public,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_egress_rule.agents_https,
  ]
}

resource "aws_appautoscaling_target" "agents" {
  for_each = var.agents

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.agents[each.key].name}"
  min_capacity       = coalesce(each.value.min_capacity, var.autoscaling_min_capacity)
  max_capacity       = coalesce(each.value.max_capacity, var.autoscaling_max_capacity)
  role_arn           = aws_iam_role.autoscaling.arn

  lifecycle {
    # For ECS, Application Auto Scaling puts its service-linked role in this place once there is one.
    ignore_changes = [role_arn]
  }

  depends_on = [aws_iam_role_policy.autoscaling]
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

# Other limits outside of business hours

resource "aws_appautoscaling_scheduled_action" "open" {
  for_each = var.business_hours == null ? {} : var.agents

  name               = "${var.project_name}-${each.key}-open"
  service_namespace  = aws_appautoscaling_target.agents[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.agents[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.agents[each.key].resource_id
  schedule           = var.business_hours.open
  timezone           = var.business_hours.timezone

  scalable_target_action {
    min_capacity = aws_appautoscaling_target.agents[each.key].min_capacity
    max_capacity = aws_appautoscaling_target.agents[each.key].max_capacity
  }
}

resource "aws_appautoscaling_scheduled_action" "close" {
  for_each = var.business_hours == null ? {} : var.agents

  name               = "${var.project_name}-${each.key}-close"
  service_namespace  = aws_appautoscaling_target.agents[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.agents[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.agents[each.key].resource_id
  schedule           = var.business_hours.close
  timezone           = var.business_hours.timezone

  scalable_target_action {
    min_capacity = var.business_hours.closed_min_capacity
    max_capacity = var.business_hours.closed_max_capacity
  }

  # The provider cannot write two actions of one target at once.
  depends_on = [aws_appautoscaling_scheduled_action.open]
}
