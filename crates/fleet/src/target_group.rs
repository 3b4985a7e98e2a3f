//! `aws_lb_target_group`

use std::ops::RangeInclusive;
use std::time::Duration;

use karma_terraform::Span;

/// A set of targets behind a load balancer, and how their health is seen.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>
#[derive(Debug, Clone, PartialEq)]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// The port that targets are registered with unless a service says otherwise.
    pub port: u16,
    /// How the targets are probed.
    pub health_check: HealthCheck,
    /// How long a target that leaves may finish what it has begun.
    pub deregistration_delay: Duration,
    /// Which target is next.
    pub algorithm: Algorithm,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// How targets are probed.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// `/validator/health`
    pub path: String,
    /// The port that is probed.
    pub port: HealthCheckPort,
    /// Between two probes.
    pub interval: Duration,
    /// Until a probe without an answer has failed.
    pub timeout: Duration,
    /// So many successes in a row make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// So many failures in a row make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The status codes that are a success.
    pub matcher: Matcher,
}

/// The port a probe goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthCheckPort {
    /// The port the target takes traffic on.
    TrafficPort,
    /// One of its own.
    Port(u16),
}

/// Status codes that are a success: `200`, `200,202`, `200-299`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher(pub Vec<RangeInclusive<u16>>);

/// Which healthy target gets the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// `round_robin`
    #[default]
    RoundRobin,
    /// `least_outstanding_requests`
    LeastOutstandingRequests,
    /// `weighted_random`
    WeightedRandom,
}
