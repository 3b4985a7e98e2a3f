//! The shape of a container definition: the provider reads the JSON into it and writes it back, so that what is not in the shape is lost.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Integer,
    Truth,
    /// Texts by name.
    Texts,
    List(&'static Shape),
    Structure(&'static [(&'static str, Shape)]),
}

use Shape::{Integer, List, Structure, Text, Texts, Truth};

const TEXT_LIST: Shape = List(&Text);
const NAME_AND_SOURCE: Shape = List(&Structure(&[("name", Text), ("valueFrom", Text)]));
const TYPE_AND_VALUE: Shape = List(&Structure(&[("type", Text), ("value", Text)]));

/// A container definition.
pub(super) const CONTAINER: Shape = Structure(&[
    ("command", TEXT_LIST),
    ("cpu", Integer),
    ("credentialSpecs", TEXT_LIST),
    (
        "dependsOn",
        List(&Structure(&[("condition", Text), ("containerName", Text)])),
    ),
    ("disableNetworking", Truth),
    ("dnsSearchDomains", TEXT_LIST),
    ("dnsServers", TEXT_LIST),
    ("dockerLabels", Texts),
    ("dockerSecurityOptions", TEXT_LIST),
    ("entryPoint", TEXT_LIST),
    ("environment", List(&Structure(&[("name", Text), ("value", Text)]))),
    ("environmentFiles", TYPE_AND_VALUE),
    ("essential", Truth),
    (
        "extraHosts",
        List(&Structure(&[("hostname", Text), ("ipAddress", Text)])),
    ),
    (
        "firelensConfiguration",
        Structure(&[("options", Texts), ("type", Text)]),
    ),
    ("healthCheck", HEALTH_CHECK),
    ("hostname", Text),
    ("image", Text),
    ("interactive", Truth),
    ("links", TEXT_LIST),
    ("linuxParameters", LINUX_PARAMETERS),
    (
        "logConfiguration",
        Structure(&[
            ("logDriver", Text),
            ("options", Texts),
            ("secretOptions", NAME_AND_SOURCE),
        ]),
    ),
    ("memory", Integer),
    ("memoryReservation", Integer),
    (
        "mountPoints",
        List(&Structure(&[
            ("containerPath", Text),
            ("readOnly", Truth),
            ("sourceVolume", Text),
        ])),
    ),
    ("name", Text),
    ("portMappings", List(&PORT_MAPPING)),
    ("privileged", Truth),
    ("pseudoTerminal", Truth),
    ("readonlyRootFilesystem", Truth),
    ("repositoryCredentials", Structure(&[("credentialsParameter", Text)])),
    ("resourceRequirements", TYPE_AND_VALUE),
    ("restartPolicy", RESTART_POLICY),
    ("secrets", NAME_AND_SOURCE),
    ("startTimeout", Integer),
    ("stopTimeout", Integer),
    (
        "systemControls",
        List(&Structure(&[("namespace", Text), ("value", Text)])),
    ),
    (
        "ulimits",
        List(&Structure(&[
            ("hardLimit", Integer),
            ("name", Text),
            ("softLimit", Integer),
        ])),
    ),
    ("user", Text),
    ("versionConsistency", Text),
    (
        "volumesFrom",
        List(&Structure(&[("readOnly", Truth), ("sourceContainer", Text)])),
    ),
    ("workingDirectory", Text),
]);

const HEALTH_CHECK: Shape = Structure(&[
    ("command", TEXT_LIST),
    ("interval", Integer),
    ("retries", Integer),
    ("startPeriod", Integer),
    ("timeout", Integer),
]);

const LINUX_PARAMETERS: Shape = Structure(&[
    ("capabilities", Structure(&[("add", TEXT_LIST), ("drop", TEXT_LIST)])),
    (
        "devices",
        List(&Structure(&[
            ("containerPath", Text),
            ("hostPath", Text),
            ("permissions", TEXT_LIST),
        ])),
    ),
    ("initProcessEnabled", Truth),
    ("maxSwap", Integer),
    ("sharedMemorySize", Integer),
    ("swappiness", Integer),
    (
        "tmpfs",
        List(&Structure(&[
            ("containerPath", Text),
            ("mountOptions", TEXT_LIST),
            ("size", Integer),
        ])),
    ),
]);

const PORT_MAPPING: Shape = Structure(&[
    ("appProtocol", Text),
    ("containerPort", Integer),
    ("containerPortRange", Text),
    ("hostPort", Integer),
    ("name", Text),
    ("protocol", Text),
]);

const RESTART_POLICY: Shape = Structure(&[
    ("enabled", Truth),
    ("ignoredExitCodes", List(&Integer)),
    ("restartAttemptPeriod", Integer),
]);
