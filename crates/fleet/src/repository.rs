//! `aws_ecr_repository`

use karma_terraform::Span;

use crate::attributes::{Attributes, Read};

/// A place for images in ECR.
#[derive(Debug, Clone, PartialEq)]
pub struct Repository {
    /// Its name: `karmacadabra/validator`.
    pub name: String,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl Repository {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        Ok(Self {
            name: from.required("name")?,
            declared_at: from.declared_at(),
        })
    }
}
