//! Where a task's requests come from: the target groups it is registered with, on the load balancer and behind Service Connect names.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use karma_balancer::HealthState;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::load_balancer::LiveGroup;
use crate::task::{HealthStatus, TargetsHealth};

/// A target group and the port that a task is registered with.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) group: LiveGroup,
    pub(crate) port: u16,
    pub(crate) behind: Behind,
}

/// What sends the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A load balancer, which judges the target's health itself.
    LoadBalancer,
    /// A Service Connect name: who is unhealthy by his container health check gets nothing.
    ServiceConnect,
}

/// The endpoints of one task.
#[derive(Debug)]
pub(crate) struct Endpoints {
    address: Ipv4Addr,
    entries: Vec<(Endpoint, Registration)>,
    changed: Arc<Notify>,
    /// Aborted when the endpoints are dropped.
    _watches: JoinSet<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Registration {
    In,
    Out,
}

impl Endpoints {
    pub(crate) fn new(address: Ipv4Addr, endpoints: &[Endpoint]) -> Self {
        let changed = Arc::new(Notify::new());
        let mut watches = JoinSet::new();
        for endpoint in endpoints
            .iter()
            .filter(|endpoint| endpoint.behind == Behind::LoadBalancer)
        {
            let changed = Arc::clone(&changed);
            watches.spawn(endpoint.group.clone().watch(move || changed.notify_one()));
        }
        Self {
            address,
            entries: endpoints
                .iter()
                .map(|endpoint| (endpoint.clone(), Registration::Out))
                .collect(),
            changed,
            _watches: watches,
        }
    }

    /// Registers a running task where it belongs now. Returns the load balancer's groups that are new.
    pub(crate) fn enter(&mut self, health: HealthStatus, has_health_check: bool) -> Vec<String> {
        let passes = health == HealthStatus::Healthy || !has_health_check;
        let mut entered = Vec::new();
        for (endpoint, registration) in &mut self.entries {
            let address = SocketAddr::from((self.address, endpoint.port));
            match (*registration, endpoint.behind == Behind::LoadBalancer || passes) {
                (Registration::Out, true) => {
                    endpoint.group.register(address);
                    *registration = Registration::In;
                    if endpoint.behind == Behind::LoadBalancer {
                        entered.push(endpoint.group.name());
                    }
                }
                (Registration::In, false) => {
                    // What is in flight may end; nobody waits for it.
                    endpoint.group.deregister(address).detach_all();
                    *registration = Registration::Out;
                }
                _ => {}
            }
        }
        entered
    }

    /// Resolves when the load balancer may think otherwise of the task. May be dropped and called again.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What the load balancer thinks of the task; the worst counts.
    pub(crate) fn health(&self) -> Option<TargetsHealth> {
        let registered = |(endpoint, registration): &&(Endpoint, Registration)| {
            endpoint.behind == Behind::LoadBalancer && *registration == Registration::In
        };
        let worst = |health: &TargetsHealth| match health {
            TargetsHealth::Healthy => 0,
            TargetsHealth::Initial => 1,
            TargetsHealth::Unhealthy { .. } => 2,
        };
        self.entries
            .iter()
            .filter(registered)
            .map(|(endpoint, _)| self.health_in(endpoint))
            .max_by_key(worst)
    }

    /// Deregisters the task everywhere; resolves when nothing is in flight any more, or the delay is over. Returns the load balancer's
    /// groups that it left.
    pub(crate) fn leave(&mut self) -> (Vec<String>, JoinSet<()>) {
        let (mut left, mut draining) = (Vec::new(), JoinSet::new());
        for (endpoint, registration) in &mut self.entries {
            if *registration == Registration::In {
                let mut jobs = endpoint
                    .group
                    .deregister(SocketAddr::from((self.address, endpoint.port)));
                draining.spawn(async move { while jobs.join_next().await.is_some() {} });
                *registration = Registration::Out;
                if endpoint.behind == Behind::LoadBalancer {
                    left.push(endpoint.group.name());
                }
            }
        }
        (left, draining)
    }

    fn health_in(&self, endpoint: &Endpoint) -> TargetsHealth {
        let health = endpoint.group.health(SocketAddr::from((self.address, endpoint.port)));
        match health.state {
            HealthState::Healthy => TargetsHealth::Healthy,
            HealthState::Unhealthy => TargetsHealth::Unhealthy {
                target_group: endpoint.group.name(),
                description: health.description.unwrap_or_default(),
            },
            _ => TargetsHealth::Initial,
        }
    }
}
