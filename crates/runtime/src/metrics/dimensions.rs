//! What dimensions are called here, and whom they belong to.
//!
//! A load balancer's and a target group's dimension is the end of their ARN, `app/main/50dc6c495c0c9188`, which AWS decides. Here the last part
//! is `local-` and a hash of the resource's address: the same in every run, and nothing that AWS could have chosen. Whatever names a
//! dimension by an attribute that is not known before apply, alarms and dashboards above all, asks [`attribute`] and so means the same.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>

use std::collections::BTreeMap;

use karma_fleet::metric::{DimensionValue, Metric};
use karma_fleet::{Action, Address, Fleet, Listener, Service};

use super::MetricId;

/// The name of a cluster that no service names.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
const DEFAULT_CLUSTER: &str = "default";

/// A metric that the stack names; `None` where one of its dimensions has no text on this machine.
pub(crate) fn metric(fleet: &Fleet, named: &Metric) -> Option<MetricId> {
    let text = |value: &DimensionValue| match value {
        DimensionValue::Known(text) => Some(text.clone()),
        DimensionValue::Attribute { of, attribute: name } => attribute(fleet, of, name),
    };
    let dimensions = named.dimensions.iter();
    Some(MetricId {
        namespace: named.namespace.clone(),
        name: named.name.clone(),
        dimensions: dimensions
            .map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect::<Option<_>>()?,
    })
}

/// The text that an attribute of a resource has on this machine, where AWS would decide it or the stack says it.
pub(crate) fn attribute(fleet: &Fleet, of: &Address, attribute: &str) -> Option<String> {
    let name = || {
        let load_balancer = fleet.load_balancers.get(of).map(|known| &known.name);
        let target_group = fleet.target_groups.get(of).map(|known| &known.name);
        let cluster = fleet.clusters.get(of).map(|known| &known.name);
        let service = fleet.services.get(of).map(|known| &known.name);
        load_balancer.or(target_group).or(cluster).or(service).cloned()
    };
    match attribute {
        "arn_suffix" => load_balancer(fleet, of).or_else(|| target_group(fleet, of)),
        "name" => name(),
        "family" => fleet.task_definitions.get(of).map(|known| known.family.clone()),
        _ => None,
    }
}

/// The dimension `LoadBalancer`.
pub(crate) fn load_balancer(fleet: &Fleet, address: &Address) -> Option<String> {
    let load_balancer = fleet.load_balancers.get(address)?;
    Some(format!("app/{}/{}", load_balancer.name, local_id(address)))
}

/// The dimension `TargetGroup`.
pub(crate) fn target_group(fleet: &Fleet, address: &Address) -> Option<String> {
    let target_group = fleet.target_groups.get(address)?;
    Some(format!("targetgroup/{}/{}", target_group.name, local_id(address)))
}

/// The dimension `ClusterName` of a service.
pub(crate) fn cluster(fleet: &Fleet, service: &Service) -> String {
    let cluster = service.cluster.as_ref().and_then(|address| fleet.clusters.get(address));
    cluster.map_or_else(|| DEFAULT_CLUSTER.to_owned(), |cluster| cluster.name.clone())
}

/// The load balancer whose listeners lead to a target group. A target group has one at most.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>
pub(crate) fn load_balancer_before<'f>(fleet: &'f Fleet, target_group: &Address) -> Option<&'f Address> {
    let mut listeners = fleet.listeners.values();
    let before = listeners.find(|listener| leads_to(listener, target_group));
    before.map(|listener| &listener.load_balancer)
}

fn leads_to(listener: &Listener, target_group: &Address) -> bool {
    let rules = listener.rules.iter().map(|rule| &rule.action);
    rules.chain([&listener.default_action]).any(|action| match action {
        Action::Forward(forward) => forward
            .target_groups
            .iter()
            .any(|target| target.target_group == *target_group),
        _ => false,
    })
}

/// Which service a metric belongs to, by its dimensions.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// By the dimension's name and value; `None` where several share it.
    labels: BTreeMap<(&'static str, String), Option<String>>,
}

impl Owners {
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let mut owners = Self::default();
        for service in fleet.services.values() {
            for dimension in dimensions_of(fleet, service) {
                let label = Some(service.label.clone());
                let known = owners.labels.entry(dimension).or_insert_with(|| label.clone());
                if *known != label {
                    *known = None;
                }
            }
        }
        owners
    }

    /// The label of the only service that a metric can belong to.
    pub(crate) fn label(&self, metric: &MetricId) -> Option<&str> {
        let owner = |name: &'static str| {
            let value = metric.dimensions.get(name)?;
            self.labels.get(&(name, value.clone()))?.as_deref()
        };
        OWNED.into_iter().find_map(owner)
    }
}

/// Dimensions that tell one service from others.
const OWNED: [&str; 5] = [
    "ServiceName",
    "TargetGroup",
    "TaskDefinitionFamily",
    "DiscoveryName",
    "TargetDiscoveryName",
];

fn dimensions_of(fleet: &Fleet, service: &Service) -> Vec<(&'static str, String)> {
    let mut dimensions = vec![("ServiceName", service.name.clone())];
    let groups = service.load_balancers.iter().map(|entry| &entry.target_group);
    dimensions.extend(groups.filter_map(|group| Some(("TargetGroup", target_group(fleet, group)?))));
    let definition = fleet.task_definitions.get(&service.task_definition);
    dimensions.extend(definition.map(|definition| ("TaskDefinitionFamily", definition.family.clone())));
    for offer in service.service_connect.iter().flat_map(|connect| &connect.services) {
        dimensions.push(("DiscoveryName", offer.discovery_name.clone()));
        dimensions.push(("TargetDiscoveryName", offer.discovery_name.clone()));
    }
    dimensions
}

/// `local-` and the FNV-1a hash of an address.
/// <https://www.rfc-editor.org/rfc/rfc9923.html>
fn local_id(address: &Address) -> String {
    let text = address.to_string();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("local-{hash:08x}")
}

#[cfg(test)]
mod tests {
    use karma_fleet::Mode;

    use super::*;

    #[test]
    fn what_is_local_differs_by_address_and_stays_what_it_is() {
        let id = |name: &str| {
            local_id(&Address {
                module: vec![],
                mode: Mode::Managed,
                kind: "aws_lb".to_owned(),
                name: name.to_owned(),
                key: None,
            })
        };
        assert_eq!(id("a"), id("a"));
        assert_ne!(id("a"), id("b"));
        assert_eq!(id("a").len(), "local-00000000".len());
    }
}
