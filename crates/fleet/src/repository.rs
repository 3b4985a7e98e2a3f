//! `aws_ecr_repository`

use karma_terraform::Span;

/// A place for images in ECR.
#[derive(Debug, Clone, PartialEq)]
pub struct Repository {
    /// Its name: `karmacadabra/validator`.
    pub name: String,
    /// Where the stack declares it.
    pub declared_at: Span,
}
