//! `aws_ecs_cluster`

use karma_terraform::Span;

use crate::CapacityProviderStrategyItem;
use crate::attributes::{Attributes, Read};

/// A cluster: a name under which services run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// What its services run on where they do not say.
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl Cluster {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        Ok(Self {
            name: from.required("name")?,
            default_capacity_provider_strategy: Vec::new(),
            declared_at: from.declared_at(),
        })
    }
}
