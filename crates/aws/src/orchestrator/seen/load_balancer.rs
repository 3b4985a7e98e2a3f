//! Where a service is reached, and what load balancers say of its tasks.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use karma_ops::{ListenerObservation, TargetsHealth};

use crate::orchestrator::scope::{Scope, ScopedListener};

/// The DNS names of load balancers, by their names.
pub(in crate::orchestrator) type Addresses = BTreeMap<String, String>;

/// What a target group says of the addresses of its targets.
pub(in crate::orchestrator) type TargetHealth = BTreeMap<String, TargetsHealth>;

/// The listeners of the stack, where their load balancers are there.
pub(in crate::orchestrator) fn listeners(scope: &Scope, addresses: &Addresses) -> Vec<ListenerObservation> {
    let listener = |listener: &ScopedListener| {
        Some(ListenerObservation {
            name: listener.load_balancer.clone(),
            url: base(listener, addresses)?,
            protocol: listener.scheme.to_ascii_uppercase(),
        })
    };
    scope.listeners.iter().filter_map(listener).collect()
}

/// Where the first rule leads to a service.
pub(in crate::orchestrator) fn url(scope: &Scope, label: &str, addresses: &Addresses) -> Option<String> {
    scope.listeners.iter().find_map(|listener| {
        let (_, path) = listener.paths.iter().find(|(leads_to, _)| leads_to == label)?;
        Some(format!("{}{path}", base(listener, addresses)?))
    })
}

fn base(listener: &ScopedListener, addresses: &Addresses) -> Option<String> {
    let address = addresses.get(&listener.load_balancer)?;
    Some(match (listener.scheme, listener.port) {
        ("http", 80) | ("https", 443) => format!("{}://{address}", listener.scheme),
        (scheme, port) => format!("{scheme}://{address}:{port}"),
    })
}

/// What a target group says. A target that is leaving, or that nobody asks for, is of no interest.
pub(in crate::orchestrator) fn target_health(group: &str, said: &[TargetHealthDescription]) -> TargetHealth {
    let target = |said: &TargetHealthDescription| {
        let (address, health) = (said.target()?.id()?, said.target_health()?);
        let state = match health.state()? {
            TargetHealthStateEnum::Initial => TargetsHealth::Initial,
            TargetHealthStateEnum::Healthy => TargetsHealth::Healthy,
            TargetHealthStateEnum::Unhealthy => TargetsHealth::Unhealthy {
                target_group: group.to_owned(),
                description: health.description().unwrap_or_default().to_owned(),
            },
            _ => return None,
        };
        Some((address.to_owned(), state))
    };
    said.iter().filter_map(target).collect()
}
