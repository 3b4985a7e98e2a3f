//! The fleet's load balancers: its listeners on ports of this machine, its rules and target groups in the balancer's own terms.

mod attributes;
mod certificate;
mod follow;
mod live_group;
mod rules;
mod target_groups;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use karma_balancer as balancer;
use karma_balancer::{Attributes, ListenerMeter};
use karma_fleet::{Address, Fleet, Listener, ListenerProtocol, LoadBalancer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::StartError;
use crate::listening;
pub(crate) use follow::LiveGroups;
use karma_ops::ListenerObservation;
pub(crate) use live_group::LiveGroup;
pub(crate) use target_groups::Groups;

/// So many ports are tried for a listener after the first.
const PORTS_TRIED: u16 = 1000;

/// The listeners of all load balancers.
#[derive(Debug)]
pub(crate) struct LoadBalancers {
    listeners: Vec<balancer::Listener>,
    served: Vec<(Address, ListenerObservation)>,
    /// What the listeners of each load balancer have been started with.
    attributes: BTreeMap<Address, (LoadBalancer, Attributes)>,
    /// Where certificates are kept and access logs written.
    state: PathBuf,
    /// The port of the first listener; 0 takes any.
    first_port: u16,
    /// How long requests that are under way may take when the listeners stop.
    patience: Duration,
}

impl LoadBalancers {
    /// Listens: the first HTTP listener on `port`, each further one on the next free port, those for HTTPS last. Their certificate is
    /// kept in `state`, and access logs are written there. The notes say how to trust it, and which logs are not written.
    pub(crate) fn start(
        fleet: &Fleet,
        groups: &Groups,
        port: u16,
        state: &Path,
    ) -> Result<(Self, Vec<String>), StartError> {
        let mut started = Self {
            listeners: Vec::new(),
            served: Vec::new(),
            attributes: BTreeMap::new(),
            state: state.to_owned(),
            first_port: port,
            patience: Duration::ZERO,
        };
        let notes = started.follow(fleet, groups)?;
        Ok((started, notes))
    }

    /// Where they listen.
    pub(crate) fn observe(&self) -> Vec<ListenerObservation> {
        self.served.iter().map(|(_, observation)| observation.clone()).collect()
    }

    /// What each listener counts.
    pub(crate) fn meters(&self) -> BTreeMap<Address, ListenerMeter> {
        let addresses = self.served.iter().map(|(address, _)| address.clone());
        addresses
            .zip(self.listeners.iter().map(balancer::Listener::meter))
            .collect()
    }

    /// Where a target group can be reached: by the first rule that leads to it.
    pub(crate) fn url(&self, fleet: &Fleet, group: &Address) -> Option<String> {
        self.served.iter().find_map(|(address, observation)| {
            let path = fleet.listeners.get(address)?.path_to(group)?;
            Some(format!("{}{path}", observation.url))
        })
    }

    /// Takes no new connection; resolves when the requests under way have ended, or have taken too long.
    pub(crate) async fn stop(self) {
        let mut stopping: JoinSet<()> = self
            .listeners
            .into_iter()
            .map(|listener| listener.stop(self.patience))
            .collect();
        while stopping.join_next().await.is_some() {}
    }

    fn add(
        &mut self,
        address: &Address,
        load_balancer: Option<&LoadBalancer>,
        listening: balancer::Listener,
        scheme: &str,
    ) {
        let observation = ListenerObservation {
            name: load_balancer.map_or_else(|| address.to_string(), |load_balancer| load_balancer.name.clone()),
            url: format!("{scheme}://{}", listening.local_addr()),
            protocol: scheme.to_ascii_uppercase(),
        };
        self.served.push((address.clone(), observation));
        self.listeners.push(listening);
    }
}

fn is_https(listener: &Listener) -> bool {
    listener.protocol == ListenerProtocol::Https
}

/// By protocol, load balancer and port, so that the same stack gets the same ports each time.
fn in_order(fleet: &Fleet) -> Vec<(&Address, &Listener)> {
    let mut listeners: Vec<_> = fleet.listeners.iter().collect();
    listeners.sort_by_key(|(_, listener)| (is_https(listener), &listener.load_balancer, listener.port));
    listeners
}

fn local_port(socket: &TcpListener) -> u16 {
    let address = socket.local_addr().expect("a socket that listens has an address");
    address.port()
}

/// The socket of the first listener, or of one after another.
fn bind_next(port: u16, last: Option<u16>) -> Result<TcpListener, StartError> {
    match last {
        None => bind(port).map_err(|source| not_bound(port, source)),
        Some(_) if port == 0 => bind(0).map_err(|source| not_bound(0, source)),
        Some(last) => bind_after(last),
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    balancer::bind((Ipv4Addr::LOCALHOST, port).into())
}

fn bind_after(last: u16) -> Result<TcpListener, StartError> {
    for port in last.saturating_add(1)..=last.saturating_add(PORTS_TRIED) {
        match bind(port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound.map_err(|source| StartError::Listen { port, source }),
        }
    }
    Err(not_bound(last, io::ErrorKind::AddrInUse.into()))
}

fn not_bound(port: u16, source: io::Error) -> StartError {
    if source.kind() == io::ErrorKind::AddrInUse {
        let owner = listening::owner(Ipv4Addr::LOCALHOST, port);
        return StartError::PortInUse { port, owner };
    }
    StartError::Listen { port, source }
}
