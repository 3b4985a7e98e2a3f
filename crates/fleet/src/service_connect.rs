//! Service Connect: the names under which services call each other.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html>

use std::time::Duration;

use karma_terraform::Address;

use crate::attributes::{Attributes, Read};
use crate::links::{self, NAMESPACE, name_of};
use crate::{AppProtocol, TaskDefinition};

/// A service's `service_connect_configuration` where it is enabled. Without `services` the service is a client only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceConnect {
    /// The namespace it joins, by name, where the name is known: services see only names of their own namespace.
    pub namespace: Option<String>,
    /// What it offers.
    pub services: Vec<ServiceConnectService>,
}

/// An endpoint that a service offers.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceConnectService {
    /// The `name` of the port mapping it stands for.
    pub port_name: String,
    /// Its name in the namespace; `port_name` where none is given.
    pub discovery_name: String,
    /// How clients call it.
    pub client_alias: ClientAlias,
    /// How long requests and silence may last.
    pub timeouts: Timeouts,
}

/// How long requests and silence may last; `None` is for ever.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TimeoutConfiguration.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long a connection may be silent.
    pub idle: Option<Duration>,
    /// How long a request may take, its answer included; nobody can tell where a port is taken to speak TCP.
    pub per_request: Option<Duration>,
}

/// The name and port that clients use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientAlias {
    /// `karma-hello`
    pub dns_name: String,
    /// The port that clients connect to.
    pub port: u16,
}

impl ServiceConnect {
    /// Reads a service's configuration; `None` where there is none or it is off.
    pub(crate) fn read(
        service: &Attributes<'_>,
        cluster: Option<&Address>,
        definition: Option<&TaskDefinition>,
    ) -> Read<Option<Self>> {
        let Some(block) = service.block("service_connect_configuration") else {
            return Ok(None);
        };
        if !block.required::<bool>("enabled")? {
            return Ok(None);
        }
        let namespace = namespace(&block).or_else(|| namespace_of_cluster(service, cluster?));
        let read = |block: &Attributes<'_>| ServiceConnectService::read(block, namespace.as_deref(), definition);
        let services = block.each("service", read)?;
        Ok(Some(Self { namespace, services }))
    }
}

/// The namespace's name: of a resource of the stack, or as it is written, which may also be an ARN.
fn namespace(block: &Attributes<'_>) -> Option<String> {
    let value = block.get("namespace")?;
    let declared = links::resolve(block.stack(), value, NAMESPACE).map(name_of);
    declared.or_else(|| value.as_str().map(str::to_owned))
}

/// A service that names no namespace joins the default one of its cluster.
fn namespace_of_cluster(service: &Attributes<'_>, cluster: &Address) -> Option<String> {
    let cluster = service.stack().resources.get(cluster)?;
    namespace(&service.of_other(cluster).block("service_connect_defaults")?)
}

impl ServiceConnectService {
    fn read(block: &Attributes<'_>, namespace: Option<&str>, definition: Option<&TaskDefinition>) -> Read<Self> {
        let port_name: String = block.required("port_name")?;
        let discovery_name = block.optional("discovery_name").unwrap_or_else(|| port_name.clone());
        let client_alias = ClientAlias::read(&block.required_block("client_alias")?, &discovery_name, namespace);
        // Of a definition that could not be read nothing more needs to be said here.
        let protocol = definition.map(|definition| protocol_of(block, &port_name, definition));
        let defaults = Timeouts::of(protocol.transpose()?.unwrap_or_default());
        Ok(Self {
            port_name,
            discovery_name,
            client_alias: client_alias?,
            timeouts: block
                .block("timeout")
                .map_or(defaults, |block| defaults.replaced(&block)),
        })
    }
}

/// What the port of this name speaks.
fn protocol_of(block: &Attributes<'_>, port_name: &str, definition: &TaskDefinition) -> Read<AppProtocol> {
    let mappings = definition
        .containers
        .iter()
        .flat_map(|container| &container.port_mappings);
    let mut named = mappings.clone();
    if let Some(found) = named.find(|mapping| mapping.name.as_deref() == Some(port_name)) {
        return Ok(found.app_protocol);
    }
    let known: Vec<&str> = mappings.filter_map(|mapping| mapping.name.as_deref()).collect();
    let has = if known.is_empty() {
        "no named ones".to_owned()
    } else {
        known.join(", ")
    };
    let called = block.called("port_name");
    let detail = format!("{called} is {port_name:?}, but the task definition has no such port mapping; it has: {has}.");
    Err(block.error("port_name", "Unknown port name", detail))
}

impl Timeouts {
    fn of(protocol: AppProtocol) -> Self {
        match protocol {
            AppProtocol::Tcp => Self {
                idle: Some(Duration::from_hours(1)),
                per_request: None,
            },
            AppProtocol::Http | AppProtocol::Http2 | AppProtocol::Grpc => Self {
                idle: Some(Duration::from_mins(5)),
                per_request: Some(Duration::from_secs(15)),
            },
        }
    }

    /// Zero is for ever.
    fn replaced(self, block: &Attributes<'_>) -> Self {
        let read = |name| {
            block
                .seconds(name)
                .map(|time| Some(time).filter(|time| !time.is_zero()))
        };
        Self {
            idle: read("idle_timeout_seconds").unwrap_or(self.idle),
            per_request: read("per_request_timeout_seconds").unwrap_or(self.per_request),
        }
    }
}

impl ClientAlias {
    /// The default name is the discovery name in the namespace: `hello.karmacadabra`.
    fn read(block: &Attributes<'_>, discovery_name: &str, namespace: Option<&str>) -> Read<Self> {
        let port = block.required("port");
        let dns_name = match (block.get("dns_name"), namespace) {
            (None, Some(namespace)) => format!("{discovery_name}.{namespace}"),
            _ => block.required("dns_name")?,
        };
        Ok(Self { dns_name, port: port? })
    }
}
