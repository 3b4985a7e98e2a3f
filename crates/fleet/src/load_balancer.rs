//! `aws_lb`

use std::time::Duration;

use karma_terraform::{Span, Value};

use crate::attributes::Attributes;

/// An Application Load Balancer.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// Its name; the prefix or the address where AWS decides it.
    pub name: String,
    /// How long a connection may be silent; 60 seconds where nothing is said.
    pub idle_timeout: Duration,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl LoadBalancer {
    /// Whether it is an Application Load Balancer; network and gateway load balancers know no requests.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        matches!(
            from.get("load_balancer_type").and_then(Value::as_str),
            Some("application") | None
        )
    }

    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        Self {
            name: from.name(),
            idle_timeout: from.seconds("idle_timeout").unwrap_or(Duration::from_mins(1)),
            declared_at: from.declared_at(),
        }
    }
}
