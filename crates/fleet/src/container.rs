//! One container of a task definition.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

use std::collections::BTreeMap;
use std::time::Duration;

use karma_terraform::Address;

use crate::ImageReference;

/// A container definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name, unique in the task.
    pub name: String,
    /// What it runs.
    pub image: ImageReference,
    /// `entryPoint`, where it replaces the image's.
    pub entry_point: Option<Vec<String>>,
    /// `command`, where it replaces the image's.
    pub command: Option<Vec<String>>,
    /// Whether the task stops when it stops.
    pub essential: bool,
    /// Plain environment variables.
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// Environment variables taken from Secrets Manager or Parameter Store when the task starts.
    pub secrets: Vec<SecretReference>,
    /// The ports it listens on.
    pub port_mappings: Vec<PortMapping>,
    /// How ECS looks after it.
    pub health_check: Option<ContainerHealthCheck>,
    /// Between SIGTERM and SIGKILL.
    pub stop_timeout: Duration,
    /// Which containers come first.
    pub depends_on: Vec<ContainerDependency>,
    /// Where its output goes.
    pub log: Option<LogConfiguration>,
    /// Arguments that the definition sets and this model does not read, by their names.
    pub unmodeled: Vec<String>,
}

/// The value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// Known before apply.
    Known(String),
    /// Decided by AWS; what it is made of, for a person to read.
    Unknown(String),
}

/// An environment variable whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReference {
    /// The variable's name.
    pub name: String,
    /// The secret, where the stack declares it.
    pub secret: Option<Address>,
    /// The secret's name where it can be told, else the text of `valueFrom`.
    pub secret_name: String,
    /// The key inside the secret's JSON object; the whole secret where there is none.
    pub json_key: Option<String>,
}

/// A port that a container listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// The name that Service Connect refers to.
    pub name: Option<String>,
    /// The port.
    pub container_port: u16,
}

/// A container's own health check: a command that is run inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerHealthCheck {
    /// `["CMD", program, argument…]` or `["CMD-SHELL", line]`.
    pub command: Vec<String>,
    /// Between two runs.
    pub interval: Duration,
    /// Until a run has failed.
    pub timeout: Duration,
    /// So many failures in a row make the container unhealthy.
    pub retries: u32,
    /// For so long after the start failures do not count.
    pub start_period: Duration,
}

/// A container that must have come to a state before this one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDependency {
    /// The other container's name.
    pub container_name: String,
    /// The state it must have come to.
    pub condition: DependencyCondition,
}

/// `START`, `COMPLETE`, `SUCCESS`, `HEALTHY`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyCondition {
    /// It has been started.
    Start,
    /// It has ended.
    Complete,
    /// It has ended with exit code zero.
    Success,
    /// Its health check has passed.
    Healthy,
}

/// `awslogs`: where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfiguration {
    /// The log group's name.
    pub group: String,
    /// The first part of the stream's name: `prefix/container/task-id`.
    pub stream_prefix: String,
}
