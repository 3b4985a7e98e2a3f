# Container definitions as people write them.

locals {
  full = [{
    name                  = "b", image = "x:1", cpu = 0, memory = 0, essential = true, user = "1:1", readonlyRootFilesystem = true, privileged = false
    linuxParameters       = { initProcessEnabled = true, capabilities = { add = [], drop = ["ALL"] } }
    stopTimeout           = 120
    portMappings          = [{ name = "p", containerPort = 9001, hostPort = 9001, protocol = "tcp", appProtocol = "http" }, { containerPort = 80 }, { containerPort = 81, hostPort = 0, protocol = "udp" }]
    environment           = [{ name = "Z", value = "1" }, { name = "A", value = "<&>é \" \u2028" }, { name = "B", value = "" }]
    secrets               = [{ name = "S2", valueFrom = "arn:b" }, { name = "S1", valueFrom = "arn:a" }]
    mountPoints           = [{ sourceVolume = "v", containerPath = "/v" }, { sourceVolume = "a", containerPath = "/a", readOnly = false }]
    volumesFrom           = []
    healthCheck           = { command = ["CMD", "x"], interval = 10, timeout = 5, retries = 3, startPeriod = 0 }
    logConfiguration      = { logDriver = "awslogs", options = { z = "1", awslogs-group = "g" }, secretOptions = [] }
    dependsOn             = [{ containerName = "a", condition = "HEALTHY" }]
    dockerLabels          = { b = "1", a = "2" }
    ulimits               = [{ name = "nofile", softLimit = 1, hardLimit = 2 }]
    entryPoint            = ["a", "b"]
    command               = []
    workingDirectory      = ""
    repositoryCredentials = null
    unknownField          = "x"
    restartPolicy         = { enabled = true, ignoredExitCodes = [0], restartAttemptPeriod = 180 }
    versionConsistency    = "enabled"
    systemControls        = []
    interactive           = false
    startTimeout          = 3
    environmentFiles      = [{ type = "s3", value = "arn" }]
    resourceRequirements  = [{ type = "GPU", value = "1" }]
    firelensConfiguration = { type = "fluentbit", options = { x = "y" } }
    memoryReservation     = 100
  }, { name = "a", image = "y", essential = false, cpu = 10, logConfiguration = null, environment = null, memory = 512 }]
}
resource "aws_ecs_task_definition" "full_container" {
  family                = "f"
  container_definitions = jsonencode(local.full)
}
resource "aws_ecs_task_definition" "simple_container" {
  family                = "s"
  container_definitions = jsonencode([{ name = "a", image = "b" }])
}
resource "aws_ecs_task_definition" "upper_container" {
  family                = "s"
  container_definitions = jsonencode([{ Name = "a", Image = "b", PortMappings = [{ ContainerPort = 80, hostPort = 80 }], essential = true, cpu = 1.0 }])
}
resource "aws_ecs_task_definition" "empty_container" {
  family                = "s"
  container_definitions = "[]"
}
resource "aws_ecs_task_definition" "host_container" {
  family                   = "s"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "a", image = "b", essential = true, cpu = 0, portMappings = [{ containerPort = 80 }], environment = [], mountPoints = [], volumesFrom = [], healthCheck = { command = ["CMD", "x"] } }])
}
resource "aws_ecs_task_definition" "novalue_container" {
  family                = "s"
  container_definitions = jsonencode([{ name = "a", image = "b", environment = [{ name = "A" }, { name = "", value = "" }, {}], secrets = [{}] }])
}
