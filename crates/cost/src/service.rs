//! [`Service`]: how many tasks of what run for how many hours of a month, and where.

use std::collections::BTreeMap;

use karma_terraform::{Address, Stack};

use crate::attributes::Attributes;
use crate::schedule::{Change, Limits, hours};
use crate::{Estimate, Quantity};

/// Hours of a month: a year's, divided by twelve.
pub(crate) const HOURS: u32 = 730;

/// A service, as far as it costs something.
pub(crate) struct Service<'a> {
    pub(crate) address: &'a Address,
    pub(crate) cluster: Option<&'a Address>,
    pub(crate) definition: Option<Attributes<'a>>,
    /// The address of its task definition, or of itself where that is not in the stack.
    pub(crate) family: &'a Address,
    pub(crate) launch: Launch<'a>,
    pub(crate) tasks: TaskHours,
    /// A schedule that could not be read, and so does not count.
    pub(crate) unread_schedule: Option<&'a str>,
    /// Whether each task has a public address.
    pub(crate) has_public_addresses: bool,
}

/// Where tasks run.
pub(crate) enum Launch<'a> {
    /// On demand, or by shares between capacity providers.
    Fargate(Vec<Share<'a>>),
    /// On machines that are not the service's own.
    Elsewhere,
}

/// A capacity provider's part of the tasks: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
#[derive(Clone, Copy)]
pub(crate) struct Share<'a> {
    pub(crate) provider: &'a str,
    pub(crate) base: u32,
    pub(crate) weight: u32,
}

/// How many tasks run for how long.
pub(crate) struct TaskHours(Vec<(Estimate<u32>, Quantity)>);

impl TaskHours {
    /// Hours of tasks, each counted by a function of how many run at once.
    pub(crate) fn each(&self, count: impl Fn(u32) -> u32) -> Estimate<Quantity> {
        self.0
            .iter()
            .map(|(tasks, hours)| tasks.map(|tasks| hours.times(count(tasks))))
            .sum()
    }

    /// Hours of all tasks together.
    pub(crate) fn all(&self) -> Estimate<Quantity> {
        self.each(|tasks| tasks)
    }

    /// Hours in which there is any task.
    pub(crate) fn any(&self) -> Estimate<Quantity> {
        self.each(|tasks| tasks.min(1))
    }
}

impl<'a> Service<'a> {
    /// Every service of a stack.
    pub(crate) fn all(stack: &'a Stack) -> Vec<Self> {
        let of = |kind| of_kind(stack, kind);
        let scaling = Scaling {
            targets: ByService::of(of("aws_appautoscaling_target")),
            actions: ByService::of(of("aws_appautoscaling_scheduled_action")),
        };
        let defaults = of("aws_ecs_cluster_capacity_providers");
        let services = of("aws_ecs_service");
        services
            .into_iter()
            .map(|(address, from)| Self::read(stack, address, from, &scaling, &defaults))
            .collect()
    }

    fn read(
        stack: &'a Stack,
        address: &'a Address,
        from: Attributes<'a>,
        scaling: &Scaling<'a>,
        defaults: &[Found<'a>],
    ) -> Self {
        let cluster = from
            .reference("cluster")
            .filter(|cluster| cluster.kind == "aws_ecs_cluster");
        let family = from
            .reference("task_definition")
            .filter(|it| it.kind == "aws_ecs_task_definition");
        let definition = family.and_then(|family| stack.resources.get(family));
        let cluster_name =
            cluster.and_then(|cluster| Attributes::of(&stack.resources.get(cluster)?.attributes).text("name"));
        let resource_id = cluster_name
            .zip(from.text("name"))
            .map(|(cluster, name)| format!("service/{cluster}/{name}"));
        let (tasks, unread_schedule) = scaling.task_hours(
            address,
            resource_id.as_deref(),
            from.whole("desired_count").unwrap_or(0),
        );
        Self {
            address,
            cluster,
            definition: definition.map(|definition| Attributes::of(&definition.attributes)),
            family: family.unwrap_or(address),
            launch: Launch::read(from, cluster, defaults),
            tasks,
            unread_schedule,
            has_public_addresses: from
                .blocks("network_configuration")
                .iter()
                .any(|block| block.is("assign_public_ip")),
        }
    }
}

impl<'a> Launch<'a> {
    /// The service's own strategy, else its launch type, else its cluster's default strategy; where nothing is said, on demand.
    fn read(from: Attributes<'a>, cluster: Option<&Address>, defaults: &[Found<'a>]) -> Self {
        let own = Share::read_all(from, "capacity_provider_strategy");
        let of_cluster = || {
            let default = defaults.iter().find(|(address, attributes)| {
                let named = attributes.reference("cluster_name");
                cluster.is_some_and(|cluster| named == Some(cluster) || named.is_none() && is_beside(address, cluster))
            });
            default
                .map(|(_, default)| Share::read_all(*default, "default_capacity_provider_strategy"))
                .unwrap_or_default()
        };
        let shares = match (own.is_empty(), from.text("launch_type")) {
            (false, _) => own,
            (true, Some("FARGATE")) => vec![Share::ON_DEMAND],
            (true, Some(_)) => return Self::Elsewhere,
            (true, None) => Some(of_cluster())
                .filter(|shares| !shares.is_empty())
                .unwrap_or(vec![Share::ON_DEMAND]),
        };
        if shares.iter().all(|share| share.provider.starts_with("FARGATE")) {
            Self::Fargate(shares)
        } else {
            Self::Elsewhere
        }
    }
}

impl<'a> Share<'a> {
    const ON_DEMAND: Share<'static> = Share {
        provider: "FARGATE",
        base: 0,
        weight: 1,
    };

    fn read_all(from: Attributes<'a>, blocks: &str) -> Vec<Self> {
        let read = |block: &Attributes<'a>| {
            Some(Self {
                provider: block.text("capacity_provider")?,
                base: block.whole("base").unwrap_or(0),
                weight: block.whole("weight").unwrap_or(0),
            })
        };
        from.blocks(blocks).iter().filter_map(read).collect()
    }
}

/// How many of so many tasks each provider runs: first the bases, then by weight, one after the other to whoever is furthest behind.
///
/// AWS tells the ratio and not how it rounds; here the provider that is named first gets the task that is left.
pub(crate) fn shared_out(tasks: u32, shares: &[Share<'_>]) -> Vec<u32> {
    let mut left = tasks;
    let mut given: Vec<u32> = shares.iter().map(|share| take(&mut left, share.base)).collect();
    let weights: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
    if weights == 0 {
        return given;
    }
    let whole = |share: &Share<'_>| u64::from(left) * u64::from(share.weight) / weights;
    let mut by_weight: Vec<u64> = shares.iter().map(whole).collect();
    for _ in by_weight.iter().sum::<u64>()..u64::from(left) {
        let next =
            shares
                .iter()
                .enumerate()
                .filter(|(_, share)| share.weight > 0)
                .min_by(|(one, first), (other, second)| {
                    let load = |index: usize, weight: u32| (by_weight[index] + 1) * u64::from(weight);
                    load(*one, second.weight).cmp(&load(*other, first.weight))
                });
        if let Some((index, _)) = next {
            by_weight[index] += 1;
        }
    }
    for (given, more) in given.iter_mut().zip(by_weight) {
        *given += u32::try_from(more).expect("a part of a number of 32 bits");
    }
    given
}

fn take(left: &mut u32, wanted: u32) -> u32 {
    let taken = wanted.min(*left);
    *left -= taken;
    taken
}

type Found<'a> = (&'a Address, Attributes<'a>);

/// What autoscaling may do with the services of a stack.
struct Scaling<'a> {
    targets: ByService<'a>,
    actions: ByService<'a>,
}

/// Resources of autoscaling, to be found by the service they mean.
struct ByService<'a> {
    by_name: BTreeMap<&'a str, Vec<Found<'a>>>,
    /// Those whose `resource_id` is not known before apply.
    by_reference: Vec<Found<'a>>,
}

impl<'a> ByService<'a> {
    fn of(all: Vec<Found<'a>>) -> Self {
        let (mut by_name, mut by_reference) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for found in all {
            match found.1.text("resource_id") {
                Some(text) => by_name.entry(text).or_default().push(found),
                None => by_reference.push(found),
            }
        }
        Self { by_name, by_reference }
    }

    /// Those that mean this service: by its name, by the reference to it or to its target, or by their place.
    fn meaning(&self, service: &Address, target: Option<&Address>, resource_id: Option<&str>) -> Vec<Found<'a>> {
        let named = resource_id.and_then(|resource_id| self.by_name.get(resource_id));
        let refers = |(address, from): &&Found<'a>| {
            let references = from.references("resource_id");
            let is_meant = |it: &&Address| *it == service || Some(*it) == target;
            references.iter().any(is_meant) || references.is_empty() && is_beside(address, service)
        };
        let referring = self.by_reference.iter().filter(refers);
        named.into_iter().flatten().chain(referring).copied().collect()
    }
}

impl<'a> Scaling<'a> {
    fn task_hours(&self, service: &Address, resource_id: Option<&str>, desired: u32) -> (TaskHours, Option<&'a str>) {
        let Some((target, from)) = self.targets.meaning(service, None, resource_id).first().copied() else {
            return (TaskHours(vec![(Estimate::certain(desired), HOURS.into())]), None);
        };
        let min = from.whole("min_capacity").unwrap_or(desired);
        let usual = Limits {
            min,
            max: from.whole("max_capacity").unwrap_or(desired).max(min),
        };
        let actions = self.actions.meaning(service, Some(target), resource_id);
        let changes: Vec<Change<'a>> = actions.into_iter().filter_map(|(_, from)| change(from)).collect();
        match hours(usual, &changes) {
            Ok(hours) => (TaskHours::under(&hours, desired), None),
            Err(unread) => (TaskHours::under(&[(usual, HOURS.into())], desired), Some(unread)),
        }
    }
}

impl TaskHours {
    /// Autoscaling brings the desired count within its limits.
    fn under(limits: &[(Limits, Quantity)], desired: u32) -> Self {
        let tasks = |limits: &Limits| Estimate {
            low: limits.min,
            expected: desired.clamp(limits.min, limits.max),
            high: limits.max,
        };
        Self(limits.iter().map(|(limits, hours)| (tasks(limits), *hours)).collect())
    }
}

fn change(from: Attributes<'_>) -> Option<Change<'_>> {
    let blocks = from.blocks("scalable_target_action");
    let action = blocks.first()?;
    Some(Change {
        schedule: from.text("schedule")?,
        min: action.whole("min_capacity"),
        max: action.whole("max_capacity"),
    })
}

/// Whether two resources belong together by their place alone: the same module, name and key.
fn is_beside(one: &Address, other: &Address) -> bool {
    (&one.module, &one.name, &one.key) == (&other.module, &other.name, &other.key)
}

fn of_kind<'a>(stack: &'a Stack, kind: &str) -> Vec<Found<'a>> {
    let resources = stack
        .resources
        .values()
        .filter(|resource| resource.address.kind == kind);
    resources
        .map(|resource| (&resource.address, Attributes::of(&resource.attributes)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tasks: u32, [on_demand, spot]: [(u32, u32); 2], expected: [u32; 2]) {
        let share = |provider, (base, weight)| Share { provider, base, weight };
        let shares = [share("FARGATE", on_demand), share("FARGATE_SPOT", spot)];
        assert_eq!(shared_out(tasks, &shares), expected, "{tasks} tasks");
    }

    #[test]
    fn the_base_comes_first_and_the_rest_by_weight() {
        check(5, [(0, 0), (0, 1)], [0, 5]);
        check(1, [(1, 0), (0, 1)], [1, 0]);
        check(3, [(1, 0), (0, 1)], [1, 2]);
        check(10, [(0, 1), (0, 4)], [2, 8]);
        check(12, [(2, 1), (0, 4)], [4, 8]);
        check(3, [(0, 1), (0, 1)], [2, 1]);
        check(2, [(0, 1), (0, 4)], [0, 2]);
        check(0, [(3, 1), (0, 1)], [0, 0]);
        check(u32::MAX, [(0, 1), (0, 1)], [1 << 31, (1 << 31) - 1]);
    }
}
