//! [`Service`]: how many tasks of what run for how many hours of a month, and where.

use karma_terraform::{Address, Stack};

use crate::attributes::Attributes;
use crate::capacity::Launch;
use crate::scaling::Scaling;
use crate::schedule::Limits;
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
    /// Whether the number of its tasks is not known before apply, and so counts as none.
    pub(crate) has_unknown_count: bool,
    /// Whether each task has a public address.
    pub(crate) has_public_addresses: bool,
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
        let surroundings = Surroundings {
            stack,
            clusters: of("aws_ecs_cluster"),
            defaults: of("aws_ecs_cluster_capacity_providers"),
            scaling: Scaling::of(
                of("aws_appautoscaling_target"),
                of("aws_appautoscaling_scheduled_action"),
            ),
        };
        let services = of("aws_ecs_service").into_iter();
        services.map(|service| Self::read(service, &surroundings)).collect()
    }

    fn read((address, from): Found<'a>, surroundings: &Surroundings<'a>) -> Self {
        let cluster = surroundings.cluster(from, "cluster");
        let family = from
            .reference("task_definition")
            .filter(|it| it.kind == "aws_ecs_task_definition");
        let definition = family.and_then(|family| surroundings.stack.resources.get(family));
        let definition = definition.map(|definition| Attributes::of(&definition.attributes));
        let cluster_name = cluster.and_then(|(_, cluster)| cluster.text("name"));
        let names = cluster_name.zip(from.text("name"));
        let resource_id = names.map(|(cluster, name)| format!("service/{cluster}/{name}"));
        let desired = from.whole("desired_count").unwrap_or(0);
        let (tasks, unread_schedule) = surroundings
            .scaling
            .task_hours(address, resource_id.as_deref(), desired);
        let network = from.blocks("network_configuration");
        Self {
            address,
            cluster: cluster.map(|(cluster, _)| cluster),
            definition,
            family: family.unwrap_or(address),
            launch: Launch::read(from, surroundings.default_strategy(cluster), definition),
            tasks,
            unread_schedule,
            has_unknown_count: from.is_unknown("desired_count"),
            has_public_addresses: network.iter().any(|block| block.is("assign_public_ip")),
        }
    }
}

/// What a service's own attributes refer to.
struct Surroundings<'a> {
    stack: &'a Stack,
    clusters: Vec<Found<'a>>,
    defaults: Vec<Found<'a>>,
    scaling: Scaling<'a>,
}

impl<'a> Surroundings<'a> {
    /// The cluster that an attribute means: by reference, by its known name, or because it is the only one and nothing is known.
    fn cluster(&self, from: Attributes<'a>, attribute: &str) -> Option<Found<'a>> {
        let mut clusters = self.clusters.iter().copied();
        match (from.text(attribute), from.reference(attribute)) {
            (Some(name), _) => clusters.find(|(_, cluster)| cluster.text("name") == Some(name)),
            (None, Some(address)) => clusters.find(|(cluster, _)| *cluster == address),
            (None, None) => clusters.next().filter(|_| self.clusters.len() == 1),
        }
    }

    fn default_strategy(&self, cluster: Option<Found<'a>>) -> Option<Attributes<'a>> {
        let (cluster, _) = cluster?;
        let of_cluster = |default: &&Found<'a>| {
            self.cluster(default.1, "cluster_name")
                .is_some_and(|(it, _)| it == cluster)
        };
        self.defaults.iter().find(of_cluster).map(|(_, default)| *default)
    }
}

impl TaskHours {
    /// So many tasks in every hour.
    pub(crate) fn steady(desired: u32) -> Self {
        Self(vec![(Estimate::certain(desired), HOURS.into())])
    }

    /// Autoscaling brings the desired count within its limits.
    pub(crate) fn under(limits: &[(Limits, Quantity)], desired: u32) -> Self {
        let tasks = |limits: &Limits| Estimate {
            low: limits.min,
            expected: desired.clamp(limits.min, limits.max),
            high: limits.max,
        };
        Self(limits.iter().map(|(limits, hours)| (tasks(limits), *hours)).collect())
    }
}

/// A resource's address and attributes.
pub(crate) type Found<'a> = (&'a Address, Attributes<'a>);

fn of_kind<'a>(stack: &'a Stack, kind: &str) -> Vec<Found<'a>> {
    let resources = stack
        .resources
        .values()
        .filter(|resource| resource.address.kind == kind);
    resources
        .map(|resource| (&resource.address, Attributes::of(&resource.attributes)))
        .collect()
}
