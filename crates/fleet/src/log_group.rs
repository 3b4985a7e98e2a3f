//! `aws_cloudwatch_log_group`

use karma_terraform::Span;

/// A group of log streams.
#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup {
    /// Its name: `/ecs/karmacadabra/validator`.
    pub name: String,
    /// Days that events are kept; `None` is for ever.
    pub retention_in_days: Option<u32>,
    /// Where the stack declares it.
    pub declared_at: Span,
}
