//! `aws_ecs_task_definition` and its containers

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const NO_CREDENTIALS: &str = "no AWS credentials are given to a task";
const NOT_ON_FARGATE: &str = "Fargate has none";
const THIS_MACHINE: &str = "programs are built for this machine";
const TERRAFORM: &str = "a matter between Terraform and AWS";

pub(super) const TASK_DEFINITION: &[Treatment] = &[
    enforced("family"),
    ignored("cpu", "not run yet"),
    ignored("memory", "not run yet"),
    ignored("ephemeral_storage", "not run yet"),
    ignored("volume", "a task has one working directory"),
    ignored("proxy_configuration", "there is no App Mesh"),
    ignored("pid_mode", "processes of a task see one another"),
    ignored("ipc_mode", "processes of a task share what this machine shares"),
    ignored("enable_fault_injection", "`karma drill` breaks things on purpose"),
    not_applicable("network_mode", "every task has an address of its own, in 127.0.0.0/8"),
    not_applicable("requires_compatibilities", "every task is made of processes"),
    not_applicable("runtime_platform", THIS_MACHINE),
    not_applicable("execution_role_arn", NO_CREDENTIALS),
    not_applicable("task_role_arn", NO_CREDENTIALS),
    not_applicable("placement_constraints", NOT_ON_FARGATE),
    not_applicable("skip_destroy", TERRAFORM),
    not_applicable("track_latest", TERRAFORM),
];

pub(super) const CONTAINER: &[Treatment] = &[
    enforced("container_definitions.name"),
    simulated("container_definitions.image", "karma.toml says which program it is"),
    enforced("container_definitions.command"),
    enforced("container_definitions.entryPoint"),
    enforced("container_definitions.environment"),
    simulated("container_definitions.secrets", "their values are this machine's own"),
    enforced("container_definitions.essential"),
    enforced("container_definitions.dependsOn"),
    enforced("container_definitions.stopTimeout"),
    enforced("container_definitions.healthCheck"),
    enforced("container_definitions.portMappings.name"),
    enforced("container_definitions.portMappings.containerPort"),
    not_applicable("container_definitions.portMappings.hostPort", "it is the container's"),
    not_applicable(
        "container_definitions.portMappings.protocol",
        "a program listens as it likes",
    ),
    ignored(
        "container_definitions.portMappings.appProtocol",
        "Service Connect speaks HTTP/1.1",
    ),
    simulated(
        "container_definitions.logConfiguration.logDriver",
        "lines go to files: `karma logs`",
    ),
    simulated(
        "container_definitions.logConfiguration.options.awslogs-group",
        "lines go to files: `karma logs`",
    ),
    simulated(
        "container_definitions.logConfiguration.options.awslogs-stream-prefix",
        "lines go to files: `karma logs`",
    ),
    not_applicable(
        "container_definitions.logConfiguration.options.awslogs-region",
        "lines go to files: `karma logs`",
    ),
    not_applicable(
        "container_definitions.logConfiguration.options.awslogs-create-group",
        "lines go to files: `karma logs`",
    ),
    ignored(
        "container_definitions.logConfiguration",
        "lines go to files: `karma logs`",
    ),
    ignored("container_definitions.cpu", "not run yet"),
    ignored("container_definitions.memory", "not run yet"),
    ignored("container_definitions.memoryReservation", "not run yet"),
    ignored("container_definitions.user", "programs run as you"),
    ignored("container_definitions.workingDirectory", "not run yet"),
    ignored(
        "container_definitions.readonlyRootFilesystem",
        "programs see this machine's files",
    ),
    ignored("container_definitions.mountPoints", "a task has one working directory"),
    ignored("container_definitions.volumesFrom", "a task has one working directory"),
    ignored("container_definitions.linuxParameters", "not run yet"),
    ignored("container_definitions.ulimits", "not run yet"),
    ignored("container_definitions.restartPolicy", "not run yet"),
    ignored("container_definitions.startTimeout", "not run yet"),
    ignored("container_definitions.environmentFiles", "nothing is fetched from S3"),
    ignored(
        "container_definitions.firelensConfiguration",
        "lines go to files: `karma logs`",
    ),
    ignored("container_definitions.interactive", "standard input is empty"),
    ignored("container_definitions.pseudoTerminal", "output goes to a pipe"),
    ignored("container_definitions.systemControls", "the kernel is this machine's"),
    ignored(
        "container_definitions.resourceRequirements",
        "the hardware is this machine's",
    ),
    not_applicable("container_definitions.repositoryCredentials", "nothing is pulled"),
    not_applicable(
        "container_definitions.versionConsistency",
        "a revision keeps the program it was made with",
    ),
    not_applicable("container_definitions.dockerLabels", "labels of objects in AWS"),
    not_applicable("container_definitions.credentialSpecs", NOT_ON_FARGATE),
    not_applicable("container_definitions.disableNetworking", NOT_ON_FARGATE),
    not_applicable("container_definitions.dnsSearchDomains", NOT_ON_FARGATE),
    not_applicable("container_definitions.dnsServers", NOT_ON_FARGATE),
    not_applicable("container_definitions.dockerSecurityOptions", NOT_ON_FARGATE),
    not_applicable("container_definitions.extraHosts", NOT_ON_FARGATE),
    not_applicable("container_definitions.hostname", NOT_ON_FARGATE),
    not_applicable("container_definitions.links", NOT_ON_FARGATE),
    not_applicable("container_definitions.privileged", NOT_ON_FARGATE),
];
