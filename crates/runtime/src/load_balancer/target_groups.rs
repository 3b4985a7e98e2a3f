//! The fleet's target groups in the balancer's terms.

use std::collections::BTreeMap;

use karma_balancer as balancer;
use karma_fleet::{Address, Algorithm, HealthCheck, HealthCheckPort, ProtocolVersion, Stickiness, TargetGroup};

/// Target groups by their address.
pub(crate) type Groups = BTreeMap<Address, balancer::TargetGroup>;

/// A target group as the fleet has it.
pub(super) fn target_group(group: &TargetGroup) -> balancer::TargetGroup {
    balancer::TargetGroup::new(settings(group))
}

fn settings(group: &TargetGroup) -> balancer::TargetGroupSettings {
    balancer::TargetGroupSettings {
        protocol_version: protocol_version(group.protocol_version),
        health_check: Some(health_check(&group.health_check)),
        deregistration_delay: group.deregistration_delay,
        algorithm: algorithm(group.algorithm),
        stickiness: group.stickiness.as_ref().map(stickiness),
        slow_start: group.slow_start,
        minimum_healthy: balancer::MinimumHealthy {
            count: group.minimum_healthy.count,
            percentage: group.minimum_healthy.percentage,
        },
        ..balancer::TargetGroupSettings::named(&group.name)
    }
}

fn health_check(check: &HealthCheck) -> balancer::HealthCheck {
    balancer::HealthCheck {
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
    }
}

fn protocol_version(protocol_version: ProtocolVersion) -> balancer::ProtocolVersion {
    match protocol_version {
        ProtocolVersion::Http1 => balancer::ProtocolVersion::Http1,
        ProtocolVersion::Http2 => balancer::ProtocolVersion::Http2,
        ProtocolVersion::Grpc => balancer::ProtocolVersion::Grpc,
    }
}

fn algorithm(algorithm: Algorithm) -> balancer::Algorithm {
    match algorithm {
        Algorithm::RoundRobin => balancer::Algorithm::RoundRobin,
        Algorithm::LeastOutstandingRequests => balancer::Algorithm::LeastOutstandingRequests,
        Algorithm::WeightedRandom => balancer::Algorithm::WeightedRandom,
    }
}

fn stickiness(stickiness: &Stickiness) -> balancer::Stickiness {
    match stickiness {
        Stickiness::LoadBalancerCookie { duration } => balancer::Stickiness::LoadBalancerCookie { duration: *duration },
        Stickiness::ApplicationCookie { name, duration } => balancer::Stickiness::ApplicationCookie {
            name: name.clone(),
            duration: *duration,
        },
    }
}
