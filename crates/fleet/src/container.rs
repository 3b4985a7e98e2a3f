//! One container of a task definition.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

pub(crate) mod health_check;
pub(crate) mod limits;
pub(crate) mod log_configuration;
pub(crate) mod restart_policy;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use karma_terraform::Value;

use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;
use crate::value_text::made_of;
use crate::{ContainerHealthCheck, ContainerLimits, ImageReference, LogConfiguration, RestartPolicy, SecretReference};

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
    /// For so long at most the containers that depend on it wait for it.
    pub start_timeout: Option<Duration>,
    /// How it is started again without its task.
    pub restart_policy: Option<RestartPolicy>,
    /// What it may use of its task.
    pub limits: ContainerLimits,
    /// Where its program begins, instead of where the image says.
    pub working_directory: Option<String>,
    /// Who runs its program, instead of whom the image says: `app`, `1000:1000`.
    pub user: Option<String>,
    /// Whether its root file system can only be read.
    pub readonly_root_filesystem: bool,
    /// Where its output goes.
    pub log: Option<LogConfiguration>,
    /// Arguments that the definition sets and this model does not read, by their names.
    pub unmodeled: Vec<String>,
}

/// The value of an environment variable. Its `Debug` never shows a known value: whatever a stack marks as sensitive can stand here, and in
/// too many stacks a password that nobody has marked.
#[derive(Clone, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// Known before apply.
    Known(String),
    /// Decided by AWS; what it is made of, for a person to read.
    Unknown(String),
}

/// A port that a container listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// The name that Service Connect refers to.
    pub name: Option<String>,
    /// The port.
    pub container_port: u16,
    /// What Service Connect takes it to speak.
    pub app_protocol: AppProtocol,
}

/// `appProtocol` of a port mapping.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppProtocol {
    /// Anything: none is set.
    #[default]
    Tcp,
    /// `http`
    Http,
    /// `http2`
    Http2,
    /// `grpc`
    Grpc,
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

/// For our own eyes in failed tests and logs.
impl fmt::Debug for EnvironmentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(_) => f.write_str("Known(..)"),
            Self::Unknown(made_of) => f.debug_tuple("Unknown").field(made_of).finish(),
        }
    }
}

/// The arguments that [`Container::read`] reads.
const MODELED: &[&str] = &[
    "command",
    "cpu",
    "dependsOn",
    "entryPoint",
    "environment",
    "essential",
    "healthCheck",
    "image",
    "logConfiguration",
    "memory",
    "memoryReservation",
    "name",
    "portMappings",
    "readonlyRootFilesystem",
    "restartPolicy",
    "secrets",
    "startTimeout",
    "stopTimeout",
    "ulimits",
    "user",
    "workingDirectory",
];

impl Container {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("name");
        let image = image(from);
        let environment = from.each("environment", environment_variable);
        let secrets = from.each("secrets", SecretReference::read);
        let port_mappings = from.each("portMappings", PortMapping::read);
        let depends_on = from.each("dependsOn", ContainerDependency::read);
        let health_check = from.at_most_one("healthCheck", ContainerHealthCheck::read);
        let restart_policy = from.at_most_one("restartPolicy", RestartPolicy::read);
        let limits = ContainerLimits::read(from);
        let log = from.at_most_one("logConfiguration", LogConfiguration::read)?.flatten();
        Ok(Self {
            entry_point: non_empty(from, "entryPoint"),
            command: non_empty(from, "command"),
            essential: from.optional("essential").unwrap_or(true),
            stop_timeout: from.seconds("stopTimeout").unwrap_or(Duration::from_secs(30)),
            start_timeout: from.seconds("startTimeout").filter(|it| !it.is_zero()),
            restart_policy: restart_policy?.flatten(),
            limits: limits?,
            working_directory: non_blank(from, "workingDirectory"),
            user: non_blank(from, "user"),
            readonly_root_filesystem: from.optional("readonlyRootFilesystem").unwrap_or(false),
            unmodeled: unmodeled(from, log.as_ref()),
            name: name?,
            image: image?,
            environment: environment?.into_iter().collect(),
            secrets: secrets?,
            port_mappings: port_mappings?,
            health_check: health_check?,
            depends_on: depends_on?,
            log,
        })
    }
}

fn image(from: &Attributes<'_>) -> Read<ImageReference> {
    let value = from.value_of("image")?;
    let image = ImageReference::read(from.stack(), value);
    image.ok_or_else(|| from.unsuitable("image", value, "an image reference"))
}

/// An empty list replaces nothing.
fn non_empty(from: &Attributes<'_>, name: &'static str) -> Option<Vec<String>> {
    from.optional(name).filter(|words: &Vec<String>| !words.is_empty())
}

fn non_blank(from: &Attributes<'_>, name: &'static str) -> Option<String> {
    from.optional(name).filter(|text: &String| !text.is_empty())
}

fn environment_variable(from: &Attributes<'_>) -> Read<(String, EnvironmentValue)> {
    let name = from.required("name")?;
    let value = match from.get("value") {
        Some(unknown) if unknown.as_unknown().is_some() => EnvironmentValue::Unknown(made_of(unknown)),
        Some(_) => EnvironmentValue::Known(from.required("value")?),
        None => EnvironmentValue::Known(String::new()),
    };
    Ok((name, value))
}

/// What is set and not read. Zeros, empty texts and empty lists are as good as absent: the provider drops them.
fn unmodeled(from: &Attributes<'_>, log: Option<&LogConfiguration>) -> Vec<String> {
    let is_set = |name: &&str| from.glance(name).is_some_and(|value| !is_zero(value));
    let is_read = |name: &str| MODELED.contains(&name) && (name != "logConfiguration" || log.is_some());
    from.names()
        .filter(is_set)
        .filter(|name| !is_read(name))
        .map(str::to_owned)
        .collect()
}

fn is_zero(value: &Value) -> bool {
    match value.unmarked() {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i128() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

impl PortMapping {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        Ok(Self {
            name: from.optional("name"),
            container_port: from.required("containerPort")?,
            app_protocol: from.optional("appProtocol").unwrap_or_default(),
        })
    }
}

impl FromValue for AppProtocol {
    const EXPECTED: &'static str = "`http`, `http2` or `grpc`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "http" => Some(Self::Http),
            "http2" => Some(Self::Http2),
            "grpc" => Some(Self::Grpc),
            _ => None,
        }
    }
}

impl ContainerDependency {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let container_name = from.required("containerName");
        let condition = from.required("condition");
        Ok(Self {
            container_name: container_name?,
            condition: condition?,
        })
    }
}

impl FromValue for DependencyCondition {
    const EXPECTED: &'static str = "`START`, `COMPLETE`, `SUCCESS` or `HEALTHY`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "START" => Some(Self::Start),
            "COMPLETE" => Some(Self::Complete),
            "SUCCESS" => Some(Self::Success),
            "HEALTHY" => Some(Self::Healthy),
            _ => None,
        }
    }
}
