//! `aws_lb_target_group`

use std::time::Duration;

use karma_terraform::{Span, Value};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::health_check::HealthCheck;

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
    /// What its targets speak.
    pub protocol_version: ProtocolVersion,
    /// Which target is next.
    pub algorithm: Algorithm,
    /// How clients stay with their target.
    pub stickiness: Option<Stickiness>,
    /// How long a new target's share grows; zero gives it at once.
    pub slow_start: Duration,
    /// With fewer healthy targets than this, all get requests.
    pub minimum_healthy: MinimumHealthy,
    /// Where the stack declares it.
    pub declared_at: Span,
}

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

/// What targets speak.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProtocolVersion {
    /// `HTTP1`
    #[default]
    Http1,
    /// `HTTP2`
    Http2,
    /// `GRPC`
    Grpc,
}

/// What a client's target is remembered by, and for how long.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stickiness {
    /// `lb_cookie`
    LoadBalancerCookie {
        /// How long a client may be away.
        duration: Duration,
    },
    /// `app_cookie`
    ApplicationCookie {
        /// The name of the cookie that the application sets.
        name: String,
        /// How long a client may be away.
        duration: Duration,
    },
}

/// `target_group_health.unhealthy_state_routing`
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumHealthy {
    /// So many.
    pub count: u32,
    /// So many percent of those that are registered; `None` where that is off.
    pub percentage: Option<u8>,
}

impl TargetGroup {
    /// Whether it takes HTTP requests over the network; others take TCP, UDP, or call a Lambda function.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        let text = |name| from.get(name).and_then(Value::as_str);
        text("target_type") != Some("lambda") && matches!(text("protocol"), Some("HTTP" | "HTTPS") | None)
    }

    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let port = from.required("port");
        let protocol_version = from.optional("protocol_version").unwrap_or_default();
        let stickiness = from.at_most_one("stickiness", Stickiness::read);
        let algorithm = from.optional("load_balancing_algorithm_type").unwrap_or_default();
        let slow_start = slow_start(from, algorithm);
        warn_of_unmodeled(from);
        Ok(Self {
            name: from.name(),
            port: port?,
            health_check: HealthCheck::read(from.block("health_check").as_ref(), protocol_version),
            deregistration_delay: from.seconds("deregistration_delay").unwrap_or(Duration::from_mins(5)),
            protocol_version,
            algorithm,
            stickiness: stickiness?.flatten(),
            slow_start: slow_start?,
            minimum_healthy: MinimumHealthy::read(from),
            declared_at: from.declared_at(),
        })
    }
}

/// AWS takes it for round robin only.
fn slow_start(from: &Attributes<'_>, algorithm: Algorithm) -> Read<Duration> {
    let SlowStart(time) = from.optional("slow_start").unwrap_or(SlowStart(Duration::ZERO));
    if time.is_zero() || algorithm == Algorithm::RoundRobin {
        return Ok(time);
    }
    let called = from.called("slow_start");
    let detail = format!("{called} is set, but AWS takes it only where the algorithm is `round_robin`.");
    Err(from.error("slow_start", "Slow start without round robin", detail))
}

fn warn_of_unmodeled(from: &Attributes<'_>) {
    let mitigation: Option<String> = from.optional("load_balancing_anomaly_mitigation");
    if mitigation.as_deref() == Some("on") {
        let detail = format!(
            "The anomaly mitigation of `{}` is not carried out: targets that answer with errors keep their share.",
            from.address()
        );
        from.warning("load_balancing_anomaly_mitigation", NOT_RUN_YET, detail);
    }
}

impl Stickiness {
    /// One day, where nothing is said.
    const DURATION: Duration = Duration::from_hours(24);

    /// `None` where it is off.
    fn read(block: &Attributes<'_>) -> Read<Option<Self>> {
        let is_enabled = block.optional("enabled").unwrap_or(true);
        if !is_enabled {
            return Ok(None);
        }
        let duration = block.seconds("cookie_duration").unwrap_or(Self::DURATION);
        match block.required("type")? {
            StickinessType::LoadBalancerCookie => Ok(Some(Self::LoadBalancerCookie { duration })),
            StickinessType::ApplicationCookie => {
                let CookieName(name) = block.required("cookie_name")?;
                Ok(Some(Self::ApplicationCookie { name, duration }))
            }
        }
    }
}

impl MinimumHealthy {
    /// Terraform has `off` and a number for the percentage.
    fn read(from: &Attributes<'_>) -> Self {
        let routing = from.block("target_group_health");
        let routing = routing.and_then(|block| block.block("unhealthy_state_routing"));
        let routing = routing.as_ref();
        let percentage = routing.and_then(|block| block.optional("minimum_healthy_targets_percentage"));
        Self {
            count: routing
                .and_then(|block| block.optional("minimum_healthy_targets_count"))
                .unwrap_or(1),
            percentage: percentage.and_then(|Percentage(percentage)| percentage),
        }
    }
}

enum StickinessType {
    LoadBalancerCookie,
    ApplicationCookie,
}

impl FromValue for StickinessType {
    const EXPECTED: &'static str = "`lb_cookie` or `app_cookie`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "lb_cookie" => Some(Self::LoadBalancerCookie),
            "app_cookie" => Some(Self::ApplicationCookie),
            _ => None,
        }
    }
}

struct SlowStart(Duration);

impl FromValue for SlowStart {
    const EXPECTED: &'static str = "0 or a number of seconds from 30 to 900";
    fn from_value(value: &Value) -> Option<Self> {
        let seconds = u16::from_value(value)?;
        let is_allowed = seconds == 0 || (30..=900).contains(&seconds);
        is_allowed.then(|| Self(Duration::from_secs(seconds.into())))
    }
}

struct CookieName(String);

impl FromValue for CookieName {
    const EXPECTED: &'static str = "a name that does not begin with `AWSALB`, `AWSALBAPP` or `AWSALBTG`";
    fn from_value(value: &Value) -> Option<Self> {
        let name = value.as_str()?;
        let is_allowed = !name.is_empty() && !name.starts_with("AWSALB");
        is_allowed.then(|| Self(name.to_owned()))
    }
}

struct Percentage(Option<u8>);

impl FromValue for Percentage {
    const EXPECTED: &'static str = "`off` or a number from 1 to 100";
    fn from_value(value: &Value) -> Option<Self> {
        if value.as_str() == Some("off") {
            return Some(Self(None));
        }
        let percentage = u16::from_value(value).and_then(|number| u8::try_from(number).ok())?;
        (1..=100).contains(&percentage).then_some(Self(Some(percentage)))
    }
}

impl FromValue for ProtocolVersion {
    const EXPECTED: &'static str = "`HTTP1`, `HTTP2` or `GRPC`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "HTTP1" => Some(Self::Http1),
            "HTTP2" => Some(Self::Http2),
            "GRPC" => Some(Self::Grpc),
            _ => None,
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
