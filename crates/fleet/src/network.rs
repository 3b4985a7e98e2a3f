//! Where a service's tasks stand in the network: `network_configuration`, and the zones of its subnets.

use karma_terraform::{Span, Value};

use crate::Fleet;
use crate::attributes::Attributes;
use crate::links::{self, SUBNET};
use crate::value_text::made_of;

/// `aws_subnet`
#[derive(Debug, Clone, PartialEq)]
pub struct Subnet {
    /// The zone it lies in.
    pub availability_zone: AvailabilityZone,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AvailabilityZone {
    /// `us-east-1a`
    Known(String),
    /// Decided by AWS; what it is made of. Two of the same text are the same zone.
    Unknown(String),
}

/// `network_configuration`, which ECS requires of tasks on Fargate. What AWS decides stands as what it is made of.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkConfiguration {
    /// The subnets that tasks are spread over.
    pub subnets: Vec<String>,
    /// What guards their network interfaces.
    pub security_groups: Vec<String>,
    /// Whether they have a public address.
    pub assign_public_ip: bool,
    /// The zones of the subnets, each once and in order; a subnet of another stack counts as a zone of its own.
    pub availability_zones: Vec<AvailabilityZone>,
}

impl Subnet {
    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        let zone = from.get("availability_zone").map(AvailabilityZone::of);
        let own = || AvailabilityZone::Unknown(from.address().to_string());
        Self {
            availability_zone: zone.unwrap_or_else(own),
            declared_at: from.declared_at(),
        }
    }
}

impl AvailabilityZone {
    fn of(value: &Value) -> Self {
        let known = value.as_str().map(str::to_owned).map(Self::Known);
        known.unwrap_or_else(|| Self::Unknown(made_of(value)))
    }
}

impl NetworkConfiguration {
    /// Reads a service's; the subnets have already been read into the fleet.
    pub(crate) fn read(service: &Attributes<'_>, fleet: &Fleet) -> Self {
        let Some(block) = service.block("network_configuration") else {
            return Self::default();
        };
        let texts = |name| elements(&block, name).iter().map(made_of).collect();
        let zone = |subnet: &Value| zone_of(service, subnet, fleet);
        let mut zones: Vec<_> = elements(&block, "subnets").iter().map(zone).collect();
        zones.sort();
        zones.dedup();
        Self {
            subnets: texts("subnets"),
            security_groups: texts("security_groups"),
            assign_public_ip: block.optional("assign_public_ip").unwrap_or(false),
            availability_zones: zones,
        }
    }
}

fn elements<'a>(block: &Attributes<'a>, name: &str) -> &'a [Value] {
    block.get(name).and_then(Value::as_elements).unwrap_or_default()
}

fn zone_of(service: &Attributes<'_>, subnet: &Value, fleet: &Fleet) -> AvailabilityZone {
    let resource = links::resolve(service.stack(), subnet, SUBNET);
    let known = resource.and_then(|resource| fleet.subnets.get(&resource.address));
    known.map_or_else(
        || AvailabilityZone::Unknown(made_of(subnet)),
        |subnet| subnet.availability_zone.clone(),
    )
}
