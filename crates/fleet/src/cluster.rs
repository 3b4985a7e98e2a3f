//! `aws_ecs_cluster`

use karma_terraform::{Span, Value};

use crate::CapacityProviderStrategyItem;
use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;

/// A cluster: a name under which services run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// What its services run on where they do not say.
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Which metrics there are beside ECS's own.
    pub container_insights: ContainerInsights,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// The setting `containerInsights` of a cluster.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterSetting.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ContainerInsights {
    /// None; what an account has where nobody has said otherwise.
    #[default]
    Disabled,
    /// Of clusters, services and task definition families.
    Enabled,
    /// Of tasks and containers also.
    Enhanced,
}

impl Cluster {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let (name, container_insights) = (from.required("name"), ContainerInsights::read(from));
        Ok(Self {
            name: name?,
            default_capacity_provider_strategy: Vec::new(),
            container_insights: container_insights?,
            declared_at: from.declared_at(),
        })
    }
}

impl ContainerInsights {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let settings = from.each("setting", |block| {
            let is_meant = block.required::<String>("name")? == "containerInsights";
            is_meant.then(|| block.required("value")).transpose()
        });
        Ok(settings?.into_iter().flatten().next_back().unwrap_or_default())
    }
}

impl FromValue for ContainerInsights {
    const EXPECTED: &'static str = "`enhanced`, `enabled` or `disabled`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "disabled" => Some(Self::Disabled),
            "enabled" => Some(Self::Enabled),
            "enhanced" => Some(Self::Enhanced),
            _ => None,
        }
    }
}
