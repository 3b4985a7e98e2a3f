//! The `health_check` block of a target group.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use karma_terraform::Value;

use crate::attributes::Attributes;
use crate::from_value::FromValue;
use crate::target_group::ProtocolVersion;

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

/// Status codes that are a success: `200`, `200,202`, `200-299`; of gRPC `12`, `0-99`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher(pub Vec<RangeInclusive<u16>>);

impl HealthCheck {
    /// What AWS fills in where nothing is said. Its pages give two values for the timeout, 5 and 6 seconds; this is the guide's, which
    /// speaks of Application Load Balancers alone.
    pub(crate) fn read(from: Option<&Attributes<'_>>, version: ProtocolVersion) -> Self {
        let (path, codes) = match version {
            ProtocolVersion::Grpc => ("/AWS.ALB/healthcheck", 12..=12),
            ProtocolVersion::Http1 | ProtocolVersion::Http2 => ("/", 200..=200),
        };
        let seconds = |name| from?.seconds(name);
        let count = |name| from?.optional(name);
        Self {
            path: from
                .and_then(|block| block.optional("path"))
                .unwrap_or_else(|| path.to_owned()),
            port: from
                .and_then(|block| block.optional("port"))
                .unwrap_or(HealthCheckPort::TrafficPort),
            interval: seconds("interval").unwrap_or(Duration::from_secs(30)),
            timeout: seconds("timeout").unwrap_or(Duration::from_secs(5)),
            healthy_threshold: count("healthy_threshold").unwrap_or(5),
            unhealthy_threshold: count("unhealthy_threshold").unwrap_or(2),
            matcher: from
                .and_then(|block| Matcher::read(block, version))
                .unwrap_or_else(|| Matcher(vec![codes])),
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

impl Matcher {
    fn read(block: &Attributes<'_>, version: ProtocolVersion) -> Option<Self> {
        match version {
            ProtocolVersion::Grpc => block.optional("matcher").map(|GrpcCodes(codes)| Self(codes)),
            ProtocolVersion::Http1 | ProtocolVersion::Http2 => {
                block.optional("matcher").map(|StatusCodes(codes)| Self(codes))
            }
        }
    }
}

/// What a check over HTTP can ask for: 200 to 499.
struct StatusCodes(Vec<RangeInclusive<u16>>);

impl FromValue for StatusCodes {
    const EXPECTED: &'static str = "status codes like `200`, `200,202` or `200-299`";
    fn from_value(value: &Value) -> Option<Self> {
        codes(value.as_str()?, 200..=499).map(Self)
    }
}

/// What a check over gRPC can ask for: 0 to 99.
struct GrpcCodes(Vec<RangeInclusive<u16>>);

impl FromValue for GrpcCodes {
    const EXPECTED: &'static str = "status codes of gRPC like `0`, `0,12` or `0-99`";
    fn from_value(value: &Value) -> Option<Self> {
        codes(value.as_str()?, 0..=99).map(Self)
    }
}

fn codes(text: &str, allowed: RangeInclusive<u16>) -> Option<Vec<RangeInclusive<u16>>> {
    text.split(',').map(|part| range(part, &allowed)).collect()
}

/// `200` or `200-299`.
fn range(text: &str, allowed: &RangeInclusive<u16>) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range: RangeInclusive<u16> = first.trim().parse().ok()?..=last.trim().parse().ok()?;
    let is_allowed = !range.is_empty() && allowed.contains(range.start()) && allowed.contains(range.end());
    is_allowed.then_some(range)
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
