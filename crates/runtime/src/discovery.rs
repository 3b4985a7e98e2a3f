//! Service Connect: how services of one namespace find each other by name.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html>
//!
//! As on ECS, a name stands for an address that belongs to no task; what listens there spreads the requests over the tasks that offer the
//! name. Each alias has such an address in 127.255.0.0/16, and tasks find it in their `/etc/hosts`. All services of a stack are deployed
//! together here, so that each sees every name of its namespace; members come and go behind the names.

mod names;
mod policy;
mod proxy;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use karma_balancer::{Action, Attributes, Listener, Rules, TargetGroup};
use karma_fleet::ClientAlias;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::addresses::AddressBlock;
use crate::endpoints::{Behind, Endpoint};
use crate::error::StartError;
use crate::local::LocalService;
use crate::observation::{AliasObservation, DiscoveryMechanism};
use proxy::ForwardProxy;

pub(crate) use names::Names;

/// Services see only the names of their own namespace; those whose namespace is not known by name share one.
pub(crate) type Namespace = Option<String>;

/// The names of all namespaces, and what listens behind them.
#[derive(Debug)]
pub(crate) struct Discovery {
    groups: BTreeMap<(Namespace, ClientAlias), TargetGroup>,
    listeners: Vec<Listener>,
    served: Vec<AliasObservation>,
    mechanism: DiscoveryMechanism,
    /// Serve until they are dropped.
    proxies: Vec<ForwardProxy>,
}

impl Discovery {
    /// Listens behind every name that a service offers. The notes say which cannot be served.
    pub(crate) async fn start(
        services: &[LocalService],
        mut block: AddressBlock,
        mechanism: DiscoveryMechanism,
    ) -> (Self, Names, Vec<String>) {
        let mut discovery = Self {
            groups: BTreeMap::new(),
            listeners: Vec::new(),
            served: Vec::new(),
            mechanism,
            proxies: Vec::new(),
        };
        let (mut names, mut notes) = (Names::new(), Vec::new());
        for ((namespace, dns_name), ports) in offered(services) {
            let Ok(address) = block.take(&ports) else {
                notes.push(format!(
                    "the name {dns_name} is not served: its port is taken on all addresses of this machine"
                ));
                continue;
            };
            names.insert(namespace.clone(), dns_name.clone(), address);
            for port in ports {
                let alias = ClientAlias {
                    dns_name: dns_name.clone(),
                    port,
                };
                let attributes = policy::attributes(policy::timeouts(services, &namespace, &alias));
                notes.extend(discovery.listen(namespace.clone(), alias, address, attributes).await);
            }
        }
        if mechanism == DiscoveryMechanism::HttpProxy {
            notes.extend(discovery.startproxies(&mut names).await);
        }
        (discovery, names, notes)
    }

    /// The names that a service offers, as endpoints of its tasks.
    pub(crate) fn endpoints(&self, service: &LocalService) -> Result<Vec<Endpoint>, StartError> {
        let Some(connect) = &service.service_connect else {
            return Ok(Vec::new());
        };
        let mut endpoints = Vec::new();
        for offer in &connect.services {
            let port = port_named(service, &offer.port_name)?;
            let key = (connect.namespace.clone(), offer.client_alias.clone());
            endpoints.extend(self.groups.get(&key).map(|group| Endpoint {
                group: group.clone(),
                port,
                behind: Behind::ServiceConnect,
            }));
        }
        Ok(endpoints)
    }

    pub(crate) fn observe(&self) -> (Vec<AliasObservation>, DiscoveryMechanism) {
        (self.served.clone(), self.mechanism)
    }

    /// Stops listening; by now no task is left that could be asked.
    pub(crate) async fn stop(self) {
        let mut stopping: JoinSet<()> = self
            .listeners
            .into_iter()
            .map(|listener| listener.stop(Duration::ZERO))
            .collect();
        while stopping.join_next().await.is_some() {}
    }

    /// Returns a note where the alias cannot be served.
    async fn listen(
        &mut self,
        namespace: Namespace,
        alias: ClientAlias,
        address: Ipv4Addr,
        attributes: Attributes,
    ) -> Option<String> {
        let socket = match TcpListener::bind((address, alias.port)).await {
            Ok(socket) => socket,
            Err(error) => {
                return Some(format!(
                    "the name {}:{} is not served: {error}",
                    alias.dns_name, alias.port
                ));
            }
        };
        let group = TargetGroup::new(policy::settings(&alias.dns_name));
        let rules = Rules {
            rules: Vec::new(),
            default_action: Action::forward_to(group.clone()),
        };
        self.listeners.push(Listener::start(socket, rules, attributes));
        self.served.push(AliasObservation {
            namespace: namespace.clone(),
            dns_name: alias.dns_name.clone(),
            port: alias.port,
            address,
        });
        self.groups.insert((namespace, alias), group);
        None
    }

    async fn startproxies(&mut self, names: &mut Names) -> Vec<String> {
        let mut notes =
            vec!["tasks find each other through HTTP_PROXY, since the kernel gives them no /etc/hosts of their own: not every client heeds it".to_owned()];
        for namespace in names.namespaces() {
            match ForwardProxy::start(names.of(&namespace)).await {
                Ok(proxy) => {
                    names.set_proxy(namespace, proxy.url());
                    self.proxies.push(proxy);
                }
                Err(error) => notes.push(format!("the proxy for names cannot listen: {error}")),
            }
        }
        notes
    }
}

/// What services offer: the ports of each name.
fn offered(services: &[LocalService]) -> BTreeMap<(Namespace, String), Vec<u16>> {
    let mut offered: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    for connect in services.iter().filter_map(|service| service.service_connect.as_ref()) {
        for offer in &connect.services {
            let alias = &offer.client_alias;
            let ports = offered
                .entry((connect.namespace.clone(), alias.dns_name.clone()))
                .or_default();
            if !ports.contains(&alias.port) {
                ports.push(alias.port);
            }
        }
    }
    offered
}

fn port_named(service: &LocalService, name: &str) -> Result<u16, StartError> {
    let mut ports = service.containers.iter().flat_map(|container| &container.ports);
    let found = ports
        .find(|(_, port_name)| port_name.as_deref() == Some(name))
        .map(|(port, _)| *port);
    found.ok_or_else(|| StartError::Definition {
        subject: format!("service {}", service.name),
        reason: format!("Service Connect refers to a port named {name}, which no container has"),
    })
}
