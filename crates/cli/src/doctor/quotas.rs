//! What the stack takes of an account's quotas, beside AWS's defaults. An account's own can be higher, or lower where it is new: this is no verdict.

use std::collections::BTreeMap;

use karma_fleet::{CapacityProviderStrategyItem, Fleet, Service};
use karma_terraform::{Mode, Stack};

use super::check::Check;

/// Something that AWS gives only so much of.
struct Quota {
    /// As AWS calls it.
    name: &'static str,
    /// AWS's default.
    default: f64,
    /// The service that has it, as `aws service-quotas` knows it.
    service: &'static str,
    /// What the stack takes at most.
    takes: fn(&Stack, &Fleet) -> f64,
}

/// The defaults stand on the pages "endpoints and quotas" of the services:
/// <https://docs.aws.amazon.com/general/latest/gr/ecs-service.html>, <https://docs.aws.amazon.com/general/latest/gr/elb.html>,
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
const QUOTAS: &[Quota] = &[
    Quota {
        name: "Fargate On-Demand vCPU",
        default: 6.0,
        service: "fargate",
        takes: |_, fleet| vcpus(fleet, "FARGATE"),
    },
    Quota {
        name: "Fargate Spot vCPU",
        default: 6.0,
        service: "fargate",
        takes: |_, fleet| vcpus(fleet, "FARGATE_SPOT"),
    },
    Quota {
        name: "Services per cluster",
        default: 5000.0,
        service: "ecs",
        takes: |_, fleet| most(fleet.services.values().map(|service| &service.cluster)),
    },
    Quota {
        name: "Application Load Balancers per Region",
        default: 50.0,
        service: "elasticloadbalancing",
        takes: |_, fleet| count(fleet.load_balancers.len()),
    },
    Quota {
        name: "Rules per Application Load Balancer",
        default: 100.0,
        service: "elasticloadbalancing",
        takes: |_, fleet| {
            let listeners = fleet.listeners.values();
            most(listeners.flat_map(|listener| listener.rules.iter().map(|_| &listener.load_balancer)))
        },
    },
    Quota {
        name: "Target Groups per Application Load Balancer",
        default: 100.0,
        service: "elasticloadbalancing",
        takes: |_, fleet| count(fleet.target_groups.len()),
    },
    Quota {
        name: "Targets per Application Load Balancer",
        default: 1000.0,
        service: "elasticloadbalancing",
        takes: |_, fleet| {
            let behind_one = fleet.services.iter().filter(|(_, one)| !one.load_balancers.is_empty());
            behind_one.map(|(address, one)| tasks(fleet, address, one)).sum()
        },
    },
    Quota {
        name: "VPCs per Region",
        default: 5.0,
        service: "vpc",
        takes: |stack, _| resources(stack, "aws_vpc"),
    },
    Quota {
        name: "EC2-VPC Elastic IPs",
        default: 5.0,
        service: "ec2",
        takes: |stack, _| resources(stack, "aws_eip"),
    },
    Quota {
        name: "NAT gateways per Availability Zone",
        default: 5.0,
        service: "vpc",
        // All of them, as if they stood in one zone: no stack takes more.
        takes: |stack, _| resources(stack, "aws_nat_gateway"),
    },
];

/// One for each quota that the stack takes more of than AWS's default, and one for all others.
pub(super) fn check(stack: &Stack, fleet: &Fleet) -> Vec<Check> {
    let taken = QUOTAS.iter().map(|quota| (quota, (quota.takes)(stack, fleet)));
    let (over, within): (Vec<_>, Vec<_>) = taken.partition(|(quota, takes)| *takes > quota.default);
    let within: Vec<String> = within
        .iter()
        .filter(|(_, takes)| *takes > 0.0)
        .map(|(quota, takes)| format!("{} {takes} of {}", quota.name, quota.default))
        .collect();
    let within = Check::ok(
        "quotas",
        format!("within AWS's defaults, and yours may differ: {}", within.join(", ")),
    );
    let over = over.into_iter().map(|(quota, takes)| {
        let finding = format!(
            "up to {takes}; AWS's default is {}, and yours may differ",
            quota.default
        );
        let see = format!(
            "aws service-quotas list-service-quotas --service-code {}",
            quota.service
        );
        Check::skipped(format!("quota {}", quota.name), finding).see(see)
    });
    std::iter::once(within).chain(over).collect()
}

/// What all services take of a provider when each has as many tasks as it may have while it deploys.
fn vcpus(fleet: &Fleet, provider: &str) -> f64 {
    let of_service = |(address, service): (&karma_fleet::Address, &Service)| {
        let definition = fleet.task_definitions.get(&service.task_definition);
        let units = definition.and_then(|definition| definition.cpu).unwrap_or_default();
        let share = share(
            tasks(fleet, address, service),
            &service.capacity_provider_strategy,
            provider,
        );
        share * f64::from(units) / 1024.0
    };
    fleet.services.iter().map(of_service).sum()
}

/// The most tasks that a service may have: its limit, and those that a deployment adds.
fn tasks(fleet: &Fleet, address: &karma_fleet::Address, service: &Service) -> f64 {
    let target = fleet
        .scalable_targets
        .values()
        .find(|target| target.service == *address);
    let most = target.map_or(service.desired_count, |target| {
        target.max_capacity.max(service.desired_count)
    });
    (f64::from(most) * f64::from(service.deployment.maximum_percent) / 100.0).floor()
}

/// How many of so many tasks are a provider's: the base first, the others by weight.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html>
fn share(tasks: f64, strategy: &[CapacityProviderStrategyItem], provider: &str) -> f64 {
    let base: f64 = strategy.iter().map(|item| f64::from(item.base)).sum();
    let weights: f64 = strategy.iter().map(|item| f64::from(item.weight)).sum();
    let Some(item) = strategy.iter().find(|item| item.capacity_provider == provider) else {
        return 0.0;
    };
    let by_weight = (tasks - base).max(0.0) * f64::from(item.weight) / weights.max(1.0);
    (f64::from(item.base).min(tasks) + by_weight).ceil()
}

/// How often the commonest of these is there.
fn most<T: Ord>(all: impl Iterator<Item = T>) -> f64 {
    let mut counts = BTreeMap::<T, usize>::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    count(counts.into_values().max().unwrap_or_default())
}

fn resources(stack: &Stack, kind: &str) -> f64 {
    let addresses = stack.resources.keys();
    let of_kind = addresses.filter(|address| address.kind == kind && address.mode == Mode::Managed);
    count(of_kind.count())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(capacity_provider: &str, base: u32, weight: u32) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem {
            capacity_provider: capacity_provider.to_owned(),
            base,
            weight,
        }
    }

    #[track_caller]
    fn check(tasks: f64, strategy: &[CapacityProviderStrategyItem], on_demand: f64, spot: f64) {
        let of = |provider| share(tasks, strategy, provider);
        assert_eq!((of("FARGATE"), of("FARGATE_SPOT")), (on_demand, spot));
    }

    #[test]
    fn tasks_are_shared_by_base_and_weight() {
        check(6.0, &[item("FARGATE_SPOT", 0, 1)], 0.0, 6.0);
        check(6.0, &[item("FARGATE", 1, 0), item("FARGATE_SPOT", 0, 1)], 1.0, 5.0);
        check(6.0, &[item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3)], 3.0, 3.0);
        check(1.0, &[item("FARGATE", 2, 1)], 1.0, 0.0);
        check(0.0, &[item("FARGATE_SPOT", 0, 1)], 0.0, 0.0);
        check(6.0, &[], 0.0, 0.0);
    }

    #[test]
    fn the_commonest_is_counted() {
        let counted = (most(["a", "b", "a"].iter()), most(std::iter::empty::<u8>()));
        assert_eq!(counted, (2.0, 0.0));
    }
}
