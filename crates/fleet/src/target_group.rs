//! `aws_lb_target_group`

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use karma_terraform::{Span, Value};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;

/// A set of targets behind a load balancer, and how their health is seen.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>
#[derive(Debug, Clone, PartialEq)]
pub struct TargetGroup {
    /// Its name; the prefix or the address where AWS decides it.
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

impl TargetGroup {
    /// Whether it takes HTTP requests over the network; others take TCP, UDP, or call a Lambda function.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        let text = |name| from.get(name).and_then(Value::as_str);
        text("target_type") != Some("lambda") && matches!(text("protocol"), Some("HTTP" | "HTTPS") | None)
    }

    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let port = from.required("port");
        let health_check = HealthCheck::read(from.block("health_check").as_ref());
        warn_of_unmodeled(from);
        Ok(Self {
            name: from.name(),
            port: port?,
            health_check,
            deregistration_delay: from.seconds("deregistration_delay").unwrap_or(Duration::from_mins(5)),
            algorithm: from.optional("load_balancing_algorithm_type").unwrap_or_default(),
            declared_at: from.declared_at(),
        })
    }
}

fn warn_of_unmodeled(from: &Attributes<'_>) {
    let sticky = from
        .block("stickiness")
        .is_some_and(|block| block.optional("enabled").unwrap_or(true));
    if sticky {
        let detail = format!(
            "Sticky sessions of `{}` are not kept: each request goes to the next target.",
            from.address()
        );
        from.warning("stickiness", NOT_RUN_YET, detail);
    }
    if from.optional::<u32>("slow_start").is_some_and(|seconds| seconds > 0) {
        let detail = format!(
            "The slow start of `{}` is not followed: new targets take their full share at once.",
            from.address()
        );
        from.warning("slow_start", NOT_RUN_YET, detail);
    }
}

impl HealthCheck {
    /// What AWS fills in where nothing is said. Its pages give two values for the timeout, 5 and 6 seconds; this is the guide's, which
    /// speaks of Application Load Balancers alone.
    fn read(from: Option<&Attributes<'_>>) -> Self {
        let seconds = |name| from?.seconds(name);
        let count = |name| from?.optional(name);
        Self {
            path: from
                .and_then(|block| block.optional("path"))
                .unwrap_or_else(|| "/".to_owned()),
            port: from
                .and_then(|block| block.optional("port"))
                .unwrap_or(HealthCheckPort::TrafficPort),
            interval: seconds("interval").unwrap_or(Duration::from_secs(30)),
            timeout: seconds("timeout").unwrap_or(Duration::from_secs(5)),
            healthy_threshold: count("healthy_threshold").unwrap_or(5),
            unhealthy_threshold: count("unhealthy_threshold").unwrap_or(2),
            matcher: from
                .and_then(|block| block.optional("matcher"))
                .unwrap_or_else(|| Matcher(vec![200..=200])),
        }
    }
}

impl FromValue for HealthCheckPort {
    const EXPECTED: &'static str = "`traffic-port` or a port number";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some("traffic-port") => Some(Self::TrafficPort),
            _ => u16::from_value(value).map(Self::Port),
        }
    }
}

impl FromValue for Algorithm {
    const EXPECTED: &'static str = "`round_robin`, `least_outstanding_requests` or `weighted_random`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "round_robin" => Some(Self::RoundRobin),
            "least_outstanding_requests" => Some(Self::LeastOutstandingRequests),
            "weighted_random" => Some(Self::WeightedRandom),
            _ => None,
        }
    }
}

impl FromValue for Matcher {
    const EXPECTED: &'static str = "status codes like `200`, `200,202` or `200-299`";
    fn from_value(value: &Value) -> Option<Self> {
        value
            .as_str()?
            .split(',')
            .map(status_codes)
            .collect::<Option<_>>()
            .map(Self)
    }
}

/// `200` or `200-299`; a health check can ask for 200 to 499.
fn status_codes(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range: RangeInclusive<u16> = first.trim().parse().ok()?..=last.trim().parse().ok()?;
    let allowed = !range.is_empty() && *range.start() >= 200 && *range.end() <= 499;
    allowed.then_some(range)
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, range) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{}", range.start())?;
            if range.start() != range.end() {
                write!(f, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}
