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
use std::sync::Arc;
use std::time::Duration;

use karma_balancer::{Action, Attributes, Listener, ListenerMeter, Rules, TargetGroup, bind};
use karma_fleet::ClientAlias;
use tokio::task::JoinSet;

use crate::addresses::AddressBlock;
use crate::endpoints::{Behind, Endpoint};
use crate::error::StartError;
use crate::load_balancer::LiveGroup;
use crate::local::LocalService;
use karma_ops::{AliasObservation, DiscoveryMechanism};
use proxy::ForwardProxy;

pub(crate) use names::Names;

/// Services see only the names of their own namespace; those whose namespace is not known by name share one.
pub(crate) type Namespace = Option<String>;

/// What goes through a name.
#[derive(Debug, Clone)]
pub(crate) struct NameMeter {
    pub(crate) listener: ListenerMeter,
    pub(crate) targets: TargetGroup,
}

/// The names of all namespaces, and what listens behind them.
#[derive(Debug)]
pub(crate) struct Discovery {
    names: Arc<Names>,
    block: AddressBlock,
    served: BTreeMap<(Namespace, ClientAlias), Served>,
    mechanism: DiscoveryMechanism,
    /// Serve until they are dropped.
    proxies: BTreeMap<Namespace, ForwardProxy>,
}

/// What stands behind an alias.
#[derive(Debug)]
struct Served {
    address: Ipv4Addr,
    group: LiveGroup,
    listener: Listener,
}

impl Discovery {
    /// Listens behind every name that a service offers. The notes say which cannot be served.
    pub(crate) fn start(
        services: &[LocalService],
        block: AddressBlock,
        mechanism: DiscoveryMechanism,
    ) -> (Self, Vec<String>) {
        let mut discovery = Self {
            names: Arc::new(Names::new()),
            block,
            served: BTreeMap::new(),
            mechanism,
            proxies: BTreeMap::new(),
        };
        let mut notes = discovery.follow(services);
        if mechanism == DiscoveryMechanism::HttpProxy {
            notes.push("tasks find each other through HTTP_PROXY, since the kernel gives them no /etc/hosts of their own: not every client heeds it".to_owned());
        }
        (discovery, notes)
    }

    /// What tasks are told of the names.
    pub(crate) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Listens behind the names that these services offer, and no others. The notes say which cannot be served.
    pub(crate) fn follow(&mut self, services: &[LocalService]) -> Vec<String> {
        let offered = offered(services);
        self.forget_all_but(&offered);
        let mut notes = Vec::new();
        for ((namespace, dns_name), ports) in offered {
            let Some(address) = self.address(&namespace, &dns_name, &ports) else {
                notes.push(format!(
                    "the name {dns_name} is not served: its port is taken on all addresses of this machine"
                ));
                continue;
            };
            for port in ports {
                let alias = ClientAlias {
                    dns_name: dns_name.clone(),
                    port,
                };
                let attributes = policy::attributes(policy::timeouts(services, &namespace, &alias));
                notes.extend(self.listen(namespace.clone(), alias, address, attributes));
            }
        }
        if self.mechanism == DiscoveryMechanism::HttpProxy {
            notes.extend(self.tell_proxies());
        }
        notes
    }

    /// The address that a name has, or has from now on.
    fn address(&mut self, namespace: &Namespace, dns_name: &str, ports: &[u16]) -> Option<Ipv4Addr> {
        if let Some(address) = self.names.of(namespace).get(dns_name) {
            return Some(*address);
        }
        let address = self.block.take(ports).ok()?;
        self.names.insert(namespace.clone(), dns_name.to_owned(), address);
        Some(address)
    }

    fn forget_all_but(&mut self, offered: &Offered) {
        let is_offered = |(namespace, alias): &(Namespace, ClientAlias)| {
            let ports = offered.get(&(namespace.clone(), alias.dns_name.clone()));
            ports.is_some_and(|ports| ports.contains(&alias.port))
        };
        let gone: Vec<_> = self.served.keys().filter(|key| !is_offered(key)).cloned().collect();
        for key in gone {
            if let Some(served) = self.served.remove(&key) {
                // Tasks that still know the name may have asked for the last time.
                tokio::spawn(served.listener.stop(policy::DRAINING));
            }
            let (namespace, alias) = key;
            if !offered.contains_key(&(namespace.clone(), alias.dns_name.clone()))
                && let Some(address) = self.names.remove(&namespace, &alias.dns_name)
            {
                self.block.release(address);
            }
        }
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
            endpoints.extend(self.served.get(&key).map(|served| Endpoint {
                group: served.group.clone(),
                port,
                behind: Behind::ServiceConnect,
            }));
        }
        Ok(endpoints)
    }

    pub(crate) fn observe(&self) -> (Vec<AliasObservation>, DiscoveryMechanism) {
        let observe = |((namespace, alias), served): (&(Namespace, ClientAlias), &Served)| AliasObservation {
            namespace: namespace.clone(),
            dns_name: alias.dns_name.clone(),
            port: alias.port,
            address: served.address,
        };
        (self.served.iter().map(observe).collect(), self.mechanism)
    }

    /// What goes through each name.
    pub(crate) fn meters(&self) -> BTreeMap<(Namespace, ClientAlias), NameMeter> {
        let meter = |served: &Served| NameMeter {
            listener: served.listener.meter(),
            targets: served.group.present(),
        };
        self.served
            .iter()
            .map(|(name, served)| (name.clone(), meter(served)))
            .collect()
    }

    /// Stops listening; by now no task is left that could be asked.
    pub(crate) async fn stop(self) {
        let mut stopping: JoinSet<()> = self
            .served
            .into_values()
            .map(|served| served.listener.stop(Duration::ZERO))
            .collect();
        while stopping.join_next().await.is_some() {}
    }

    /// Returns a note where the alias cannot be served.
    fn listen(
        &mut self,
        namespace: Namespace,
        alias: ClientAlias,
        address: Ipv4Addr,
        attributes: Attributes,
    ) -> Option<String> {
        let key = (namespace, alias);
        if self.served.contains_key(&key) {
            return None;
        }
        let alias = &key.1;
        let socket = match bind((address, alias.port).into()) {
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
        let listener = Listener::start(socket, rules, attributes);
        let served = Served {
            address,
            group: LiveGroup::new(group),
            listener,
        };
        self.served.insert(key, served);
        None
    }

    /// Every namespace has a proxy, which knows the names that there are now.
    fn tell_proxies(&mut self) -> Vec<String> {
        let mut notes = Vec::new();
        for namespace in self.names.namespaces() {
            let names = self.names.of(&namespace);
            if let Some(proxy) = self.proxies.get(&namespace) {
                proxy.set_names(names);
                continue;
            }
            match ForwardProxy::start(names) {
                Ok(proxy) => {
                    self.names.set_proxy(namespace.clone(), proxy.url());
                    self.proxies.insert(namespace, proxy);
                }
                Err(error) => notes.push(format!("the proxy for names cannot listen: {error}")),
            }
        }
        notes
    }
}

/// The ports of each name.
type Offered = BTreeMap<(Namespace, String), Vec<u16>>;

/// What services offer: the ports of each name.
fn offered(services: &[LocalService]) -> Offered {
    let mut offered = Offered::new();
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
