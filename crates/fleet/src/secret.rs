//! `aws_secretsmanager_secret`

use karma_terraform::Span;

use crate::attributes::Attributes;

/// A secret in Secrets Manager. Its value is never part of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its name: `karmacadabra/validator`; the prefix or the address where AWS decides it.
    pub name: String,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl Secret {
    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        Self {
            name: from.name(),
            declared_at: from.declared_at(),
        }
    }
}
