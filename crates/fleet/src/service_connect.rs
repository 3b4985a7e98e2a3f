//! Service Connect: the names under which services call each other.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html>

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
}

/// The name and port that clients use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientAlias {
    /// `karma-hello`
    pub dns_name: String,
    /// The port that clients connect to.
    pub port: u16,
}
