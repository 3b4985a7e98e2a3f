//! The fleet's load balancers: its listeners on ports of this machine, its rules and target groups in the balancer's own terms.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use karma_balancer as balancer;
use karma_balancer::{Attributes, ContentType, Pattern, StatusCode};
use karma_fleet::{
    Action, Address, Condition, Fleet, HealthCheckPort, Listener, ListenerProtocol, ListenerRule, WeightedTargetGroup,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::StartError;
use crate::listening;
use crate::observation::ListenerObservation;

/// So many ports are tried for a listener after the first.
const PORTS_TRIED: u16 = 1000;

/// Target groups by their address.
pub(crate) type Groups = BTreeMap<Address, balancer::TargetGroup>;

/// The listeners of all load balancers.
#[derive(Debug)]
pub(crate) struct LoadBalancers {
    listeners: Vec<balancer::Listener>,
    served: Vec<(Address, ListenerObservation)>,
    /// How long requests that are under way may take when the listeners stop.
    patience: Duration,
}

/// A target group for each of the fleet's.
pub(crate) fn groups(fleet: &Fleet) -> Groups {
    fleet
        .target_groups
        .iter()
        .map(|(address, group)| (address.clone(), target_group(group)))
        .collect()
}

impl LoadBalancers {
    /// Listens: the first HTTP listener on `port`, each further one on the next free port. The notes name the listeners that are not served.
    pub(crate) async fn start(fleet: &Fleet, groups: &Groups, port: u16) -> Result<(Self, Vec<String>), StartError> {
        let mut started = Self {
            listeners: Vec::new(),
            served: Vec::new(),
            patience: fleet
                .target_groups
                .values()
                .map(|group| group.deregistration_delay)
                .max()
                .unwrap_or_default(),
        };
        let mut notes = Vec::new();
        for (address, listener) in in_order(fleet) {
            match listener.protocol {
                ListenerProtocol::Http => started.listen(fleet, groups, address, listener, port).await?,
                ListenerProtocol::Https => notes.push(format!("{address} is not served here: it is an HTTPS listener")),
            }
        }
        Ok((started, notes))
    }

    /// Where they listen.
    pub(crate) fn observe(&self) -> Vec<ListenerObservation> {
        self.served.iter().map(|(_, observation)| observation.clone()).collect()
    }

    /// Where a target group can be reached: by the first rule that leads to it.
    pub(crate) fn url(&self, fleet: &Fleet, group: &Address) -> Option<String> {
        self.served.iter().find_map(|(address, observation)| {
            let path = path_to(fleet.listeners.get(address)?, group)?;
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

    async fn listen(
        &mut self,
        fleet: &Fleet,
        groups: &Groups,
        address: &Address,
        listener: &Listener,
        port: u16,
    ) -> Result<(), StartError> {
        let socket = match self.listeners.last().map(|last| last.local_addr().port()) {
            None => bind(port).await.map_err(|source| not_bound(port, source))?,
            Some(_) if port == 0 => bind(0).await.map_err(|source| not_bound(0, source))?,
            Some(last) => bind_after(last).await?,
        };
        let load_balancer = fleet.load_balancers.get(&listener.load_balancer);
        let idle_timeout = load_balancer.map(|load_balancer| load_balancer.idle_timeout);
        let defaults = Attributes::default();
        let attributes = Attributes {
            idle_timeout: idle_timeout.unwrap_or(defaults.idle_timeout),
            ..defaults
        };
        let started = balancer::Listener::start(socket, rules(address, listener, groups)?, attributes);
        let observation = ListenerObservation {
            name: load_balancer.map_or_else(|| address.to_string(), |load_balancer| load_balancer.name.clone()),
            url: format!("http://{}", started.local_addr()),
            protocol: "HTTP".to_owned(),
        };
        self.served.push((address.clone(), observation));
        self.listeners.push(started);
        Ok(())
    }
}

/// By load balancer and then by port, so that the same stack gets the same ports each time.
fn in_order(fleet: &Fleet) -> Vec<(&Address, &Listener)> {
    let mut listeners: Vec<_> = fleet.listeners.iter().collect();
    listeners.sort_by_key(|(_, listener)| (&listener.load_balancer, listener.port));
    listeners
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

async fn bind_after(last: u16) -> Result<TcpListener, StartError> {
    for port in last.saturating_add(1)..=last.saturating_add(PORTS_TRIED) {
        match bind(port).await {
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

fn target_group(group: &karma_fleet::TargetGroup) -> balancer::TargetGroup {
    let check = &group.health_check;
    balancer::TargetGroup::new(balancer::TargetGroupSettings {
        health_check: Some(balancer::HealthCheck {
            path: check.path.clone(),
            port: match check.port {
                HealthCheckPort::TrafficPort => None,
                HealthCheckPort::Port(port) => Some(port),
            },
            interval: check.interval,
            timeout: check.timeout,
            healthy_threshold: check.healthy_threshold,
            unhealthy_threshold: check.unhealthy_threshold,
            matcher: balancer::Matcher::new(check.matcher.0.iter().cloned()),
        }),
        deregistration_delay: group.deregistration_delay,
        algorithm: match group.algorithm {
            karma_fleet::Algorithm::RoundRobin => balancer::Algorithm::RoundRobin,
            karma_fleet::Algorithm::LeastOutstandingRequests => balancer::Algorithm::LeastOutstandingRequests,
            karma_fleet::Algorithm::WeightedRandom => balancer::Algorithm::WeightedRandom,
        },
        ..balancer::TargetGroupSettings::named(&group.name)
    })
}

fn rules(address: &Address, listener: &Listener, groups: &Groups) -> Result<balancer::Rules, StartError> {
    Ok(balancer::Rules {
        rules: listener
            .rules
            .iter()
            .map(|one| rule(one, groups))
            .collect::<Result<_, _>>()?,
        default_action: action(address, &listener.default_action, groups)?,
    })
}

fn rule(rule: &ListenerRule, groups: &Groups) -> Result<balancer::Rule, StartError> {
    let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
    let condition = |condition: &Condition| match condition {
        Condition::PathPattern(texts) => balancer::Condition::PathPattern(patterns(texts)),
        Condition::HostHeader(texts) => balancer::Condition::HostHeader(patterns(texts)),
    };
    Ok(balancer::Rule::new(
        rule.priority,
        rule.conditions.iter().map(condition).collect(),
        action(&rule.address, &rule.action, groups)?,
    ))
}

fn action(address: &Address, action: &Action, groups: &Groups) -> Result<balancer::Action, StartError> {
    let wrong = |reason: String| StartError::Definition {
        subject: address.to_string(),
        reason,
    };
    match action {
        Action::Forward(targets) => {
            let weighted = |target: &WeightedTargetGroup| {
                let group = groups.get(&target.target_group);
                let group = group.ok_or_else(|| wrong(format!("{} is not in the stack", target.target_group)))?;
                Ok((group.clone(), target.weight))
            };
            let groups: Vec<_> = targets.iter().map(weighted).collect::<Result<_, StartError>>()?;
            Ok(balancer::Action::forward(groups))
        }
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => Ok(balancer::Action::FixedResponse {
            status: StatusCode::from_u16(*status).map_err(|error| wrong(error.to_string()))?,
            content_type: content_type
                .parse::<ContentType>()
                .map_err(|error| wrong(error.to_string()))?,
            body: body.clone().into(),
        }),
        Action::Unmodeled(kind) => Ok(balancer::Action::FixedResponse {
            status: StatusCode::NOT_IMPLEMENTED,
            content_type: ContentType::TextPlain,
            body: format!("{address}: a listener action of type {kind} is not run on this machine\n").into(),
        }),
    }
}

/// The path of the first rule that leads to a group; nothing where it is the default action.
fn path_to(listener: &Listener, group: &Address) -> Option<String> {
    let leads = |action: &Action| match action {
        Action::Forward(targets) => targets.iter().any(|target| target.target_group == *group),
        Action::FixedResponse { .. } | Action::Unmodeled(_) => false,
    };
    if let Some(rule) = listener.rules.iter().find(|rule| leads(&rule.action)) {
        let paths = rule.conditions.iter().find_map(|condition| match condition {
            Condition::PathPattern(patterns) => Some(patterns),
            Condition::HostHeader(_) => None,
        });
        return Some(paths.map(|patterns| plain_path(patterns)).unwrap_or_default());
    }
    leads(&listener.default_action).then(String::new)
}

/// A path that a person can open: a pattern without wildcards, else what stands before the first wildcard.
fn plain_path(patterns: &[String]) -> String {
    let is_plain = |pattern: &&String| !pattern.contains(['*', '?']);
    let pattern = patterns
        .iter()
        .find(is_plain)
        .or(patterns.first())
        .map_or("", String::as_str);
    let before = pattern.split(['*', '?']).next().unwrap_or_default();
    before.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_can_open_the_path_of_a_rule() {
        let check = |patterns: &[&str], expected: &str| {
            let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            assert_eq!(plain_path(&patterns), expected);
        };
        check(&["/validator", "/validator/*"], "/validator");
        check(&["/validator/*", "/v"], "/v");
        check(&["/validator/*"], "/validator");
        check(&["*"], "");
        check(&["/"], "");
    }
}
