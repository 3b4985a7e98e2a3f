//! `aws_ecs_task_definition` and its containers

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const NO_CREDENTIALS: &str = "no AWS credentials are given to a task";
const NOT_ON_FARGATE: &str = "Fargate has none";
const THIS_MACHINE: &str = "programs are built for this machine";
const LIMIT: &str =
    "kept by the kernel where control groups can be made; else memory is measured once a second, and CPU only counted";
const TERRAFORM: &str = "a matter between Terraform and AWS";

pub(super) const TASK_DEFINITION: &[Treatment] = &[
    enforced("family"),
    simulated("cpu", LIMIT),
    simulated("memory", LIMIT),
    simulated(
        "ephemeral_storage.size_in_gib",
        "the size of its directory is measured, and more than that is told",
    ),
    ignored("volume", "a task has one working directory"),
    ignored("proxy_configuration", "there is no App Mesh"),
    ignored("pid_mode", "processes of a task see one another"),
    ignored("ipc_mode", "processes of a task share what this machine shares"),
    ignored("enable_fault_injection", "faults are not injected"),
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
    not_applicable(
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
    simulated("container_definitions.cpu", LIMIT),
    simulated("container_definitions.memory", LIMIT),
    simulated("container_definitions.memoryReservation", LIMIT),
    not_applicable("container_definitions.user", "programs run as you"),
    simulated(
        "container_definitions.workingDirectory",
        "it lies in the task's own directory",
    ),
    simulated(
        "container_definitions.readonlyRootFilesystem",
        "where the kernel lets a task have a view of files of its own",
    ),
    ignored("container_definitions.mountPoints", "a task has one working directory"),
    ignored("container_definitions.volumesFrom", "a task has one working directory"),
    not_applicable(
        "container_definitions.linuxParameters.initProcessEnabled",
        "what a program leaves behind ends with its task",
    ),
    ignored("container_definitions.linuxParameters", "the kernel is this machine's"),
    enforced("container_definitions.ulimits"),
    enforced("container_definitions.restartPolicy"),
    enforced("container_definitions.startTimeout"),
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
