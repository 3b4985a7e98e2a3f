//! Capacity providers: what a service's tasks run on, and in which proportion.

use std::fmt;

use crate::attributes::{Attributes, Read};
use crate::links::CLUSTER;
use crate::{Cluster, Fleet};

/// A member of a capacity provider strategy.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityProviderStrategyItem {
    /// `FARGATE` or `FARGATE_SPOT`
    pub capacity_provider: String,
    /// So many tasks run on it before the weights count.
    pub base: u32,
    /// Its share of the other tasks.
    pub weight: u32,
}

/// The strategy of a service: its own, else its launch type as the only provider, else its cluster's default.
pub(crate) fn read_strategy(
    service: &Attributes<'_>,
    cluster: Option<&Cluster>,
) -> Read<Vec<CapacityProviderStrategyItem>> {
    let own = read_items(service, "capacity_provider_strategy")?;
    if !own.is_empty() {
        return Ok(own);
    }
    let launch_type: Option<String> = service.optional("launch_type");
    let default = || cluster.map(|cluster| cluster.default_capacity_provider_strategy.clone());
    Ok(launch_type.map_or_else(|| default().unwrap_or_default(), |launch_type| vec![only(launch_type)]))
}

/// Gives a cluster the default strategy of an `aws_ecs_cluster_capacity_providers`.
pub(crate) fn attach_default_strategy(from: &Attributes<'_>, fleet: &mut Fleet) {
    let Ok(items) = read_items(from, "default_capacity_provider_strategy") else {
        return;
    };
    let cluster = from.outward_link("cluster_name", CLUSTER);
    if let Some(cluster) = cluster.and_then(|address| fleet.clusters.get_mut(&address)) {
        cluster.default_capacity_provider_strategy = items;
    }
}

fn only(capacity_provider: String) -> CapacityProviderStrategyItem {
    CapacityProviderStrategyItem {
        capacity_provider,
        base: 0,
        weight: 1,
    }
}

/// By name, since a set has no order of its own; refused where ECS would refuse it.
fn read_items(from: &Attributes<'_>, name: &'static str) -> Read<Vec<CapacityProviderStrategyItem>> {
    let mut items = from.each(name, CapacityProviderStrategyItem::read)?;
    items.sort_by(|one, other| one.capacity_provider.cmp(&other.capacity_provider));
    let problem = match () {
        () if items.is_empty() => return Ok(items),
        () if items.iter().all(|item| item.weight == 0) => "none of its providers has a weight above zero",
        () if items.iter().filter(|item| item.base > 0).count() > 1 => "more than one of its providers has a base",
        () => return Ok(items),
    };
    let detail = format!("ECS refuses {}: {problem}.", from.called(name));
    Err(from.error(name, "Invalid capacity provider strategy", detail))
}

impl CapacityProviderStrategyItem {
    fn read(block: &Attributes<'_>) -> Read<Self> {
        Ok(Self {
            capacity_provider: block.required("capacity_provider")?,
            base: block.optional("base").unwrap_or(0),
            weight: block.optional("weight").unwrap_or(0),
        })
    }
}

impl fmt::Display for CapacityProviderStrategyItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            capacity_provider,
            base,
            weight,
        } = self;
        write!(f, "{capacity_provider} base {base} weight {weight}")
    }
}
