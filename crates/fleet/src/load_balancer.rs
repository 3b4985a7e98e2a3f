//! `aws_lb`

use std::time::Duration;

use karma_terraform::Span;

/// An Application Load Balancer.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
    /// Where the stack declares it.
    pub declared_at: Span,
}
