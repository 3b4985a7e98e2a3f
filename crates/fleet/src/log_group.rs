//! `aws_cloudwatch_log_group`

use karma_terraform::Span;

use crate::attributes::Attributes;

/// A group of log streams.
#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup {
    /// Its name: `/ecs/karmacadabra/validator`; the prefix or the address where AWS decides it.
    pub name: String,
    /// Days that events are kept; `None` is for ever.
    pub retention_in_days: Option<u32>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl LogGroup {
    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        Self {
            name: from.name(),
            // Terraform's zero is AWS's "never expire".
            retention_in_days: from.optional("retention_in_days").filter(|days| *days > 0),
            declared_at: from.declared_at(),
        }
    }
}
