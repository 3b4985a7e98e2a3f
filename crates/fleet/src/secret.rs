//! `aws_secretsmanager_secret`

use karma_terraform::Span;

/// A secret in Secrets Manager. Its value is never part of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its name: `karmacadabra/validator`.
    pub name: String,
    /// Where the stack declares it.
    pub declared_at: Span,
}
