//! [`Fleet`]: a stack, read as ECS.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use karma_terraform::{Address, Diagnostics, Mode, ResourceInstance, Stack};

use crate::alarm::{CompositeAlarm, MetricAlarm};
use crate::attributes::{Attributes, Context, Read};
use crate::links::{self, Kinds};
use crate::listener::rule::attach_rule;
use crate::metric::MetricFilter;
use crate::scaling::{self, ScalableTarget};
use crate::{
    Cluster, Listener, LoadBalancer, LogGroup, Repository, SamplingRule, Secret, Service, ServiceSchedule, Subnet,
    TargetGroup, TaskDefinition, capacity, certificate,
};

/// Resources of one family by their address.
pub type Table<T> = BTreeMap<Address, T>;

/// The typed reading of a stack.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// `aws_ecs_cluster`, each with its `aws_ecs_cluster_capacity_providers`
    pub clusters: Table<Cluster>,
    /// `aws_ecs_service`
    pub services: Table<Service>,
    /// `aws_ecs_task_definition`
    pub task_definitions: Table<TaskDefinition>,
    /// `aws_lb`
    pub load_balancers: Table<LoadBalancer>,
    /// `aws_lb_listener`, each with its `aws_lb_listener_rule`s
    pub listeners: Table<Listener>,
    /// `aws_lb_target_group`
    pub target_groups: Table<TargetGroup>,
    /// `aws_ecr_repository`
    pub repositories: Table<Repository>,
    /// `aws_cloudwatch_log_group`
    pub log_groups: Table<LogGroup>,
    /// `aws_secretsmanager_secret`
    pub secrets: Table<Secret>,
    /// `aws_subnet`
    pub subnets: Table<Subnet>,
    /// `aws_appautoscaling_target`, each with its `aws_appautoscaling_policy`s and `aws_appautoscaling_scheduled_action`s
    pub scalable_targets: Table<ScalableTarget>,
    /// `aws_scheduler_schedule`, where it updates a service of the stack
    pub service_schedules: Table<ServiceSchedule>,
    /// `aws_cloudwatch_metric_alarm`
    pub metric_alarms: Table<MetricAlarm>,
    /// `aws_cloudwatch_composite_alarm`
    pub composite_alarms: Table<CompositeAlarm>,
    /// `aws_cloudwatch_log_metric_filter`
    pub metric_filters: Table<MetricFilter>,
    /// `aws_xray_sampling_rule`
    pub sampling_rules: Table<SamplingRule>,
    /// The names that the stack's `aws_acm_certificate`s are for, wildcards among them.
    pub certificate_names: BTreeSet<String>,
    /// What the stack has and this model does not read.
    pub unmodeled: Vec<Address>,
}

impl Fleet {
    /// Reads a stack as ECS. Data sources are skipped: what they stand for is not the stack's own.
    ///
    /// A resource with an error in it is left out, and the diagnostics say why; a warning tells where a local run differs from AWS. What the
    /// evaluation of the stack has already reported is not told again.
    pub fn from_stack(stack: &Stack) -> (Self, Diagnostics) {
        let (fleet, context) = Self::read(stack);
        (fleet, context.diagnostics.into_inner())
    }

    /// The same with all that was noticed on the way.
    pub(crate) fn read(stack: &Stack) -> (Self, Context<'_>) {
        let context = Context {
            stack,
            diagnostics: RefCell::default(),
            reads: RefCell::default(),
        };
        let mut fleet = Self::default();
        for family in FAMILIES {
            for resource in managed(stack).filter(|resource| family.includes(resource)) {
                family.read_into(&mut fleet, &Attributes::of(&context, resource));
            }
        }
        settle_labels(&mut fleet.services);
        fleet.certificate_names = managed(stack).flat_map(certificate::names).collect();
        let foreign = managed(stack).filter(|resource| is_foreign(resource));
        fleet.unmodeled.extend(foreign.map(|resource| resource.address.clone()));
        fleet.unmodeled.sort();
        (fleet, context)
    }

    /// The service with this label, else the one with this ECS name.
    pub fn service(&self, label_or_name: &str) -> Option<(&Address, &Service)> {
        let find =
            |text: fn(&Service) -> &str| self.services.iter().find(|(_, service)| text(service) == label_or_name);
        find(|service| &service.label).or_else(|| find(|service| &service.name))
    }
}

/// Resource types that are read in one way.
struct Family {
    kinds: Kinds,
    /// Whether this one resource is of the sort that the model reads.
    models: fn(&Attributes<'_>) -> bool,
    read: fn(&Attributes<'_>, &mut Fleet),
}

/// Everything the model reads. What is referred to comes before what refers to it.
const FAMILIES: &[Family] = &[
    Family {
        kinds: links::CLUSTER,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.clusters, from, Cluster::read(from)),
    },
    Family {
        kinds: links::CLUSTER_CAPACITY_PROVIDERS,
        models: |_| true,
        read: capacity::attach_default_strategy,
    },
    Family {
        kinds: links::SUBNET,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.subnets, from, Ok(Subnet::read(from))),
    },
    Family {
        kinds: links::REPOSITORY,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.repositories, from, Repository::read(from)),
    },
    Family {
        kinds: links::LOG_GROUP,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.log_groups, from, Ok(LogGroup::read(from))),
    },
    Family {
        kinds: links::SECRET,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.secrets, from, Ok(Secret::read(from))),
    },
    Family {
        kinds: links::TASK_DEFINITION,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.task_definitions, from, TaskDefinition::read(from)),
    },
    Family {
        kinds: links::LOAD_BALANCER,
        models: LoadBalancer::is_modeled,
        read: |from, fleet| keep(&mut fleet.load_balancers, from, Ok(LoadBalancer::read(from))),
    },
    Family {
        kinds: links::TARGET_GROUP,
        models: TargetGroup::is_modeled,
        read: |from, fleet| keep(&mut fleet.target_groups, from, TargetGroup::read(from)),
    },
    Family {
        kinds: links::LISTENER,
        models: Listener::is_modeled,
        read: |from, fleet| keep(&mut fleet.listeners, from, Listener::read(from)),
    },
    Family {
        kinds: links::LISTENER_RULE,
        models: |_| true,
        read: attach_rule,
    },
    Family {
        kinds: links::SERVICE,
        models: |_| true,
        read: |from, fleet| {
            let service = Service::read(from, fleet);
            keep(&mut fleet.services, from, service);
        },
    },
    Family {
        kinds: links::SCALABLE_TARGET,
        models: ScalableTarget::is_modeled,
        read: |from, fleet| {
            let target = ScalableTarget::read(from, fleet);
            keep(&mut fleet.scalable_targets, from, target);
        },
    },
    Family {
        kinds: links::SCALING_POLICY,
        models: ScalableTarget::is_modeled,
        read: scaling::policy::attach,
    },
    Family {
        kinds: links::SCHEDULED_ACTION,
        models: ScalableTarget::is_modeled,
        read: scaling::scheduled_action::attach,
    },
    Family {
        kinds: links::SCHEDULE,
        models: ServiceSchedule::is_modeled,
        read: |from, fleet| {
            let schedule = ServiceSchedule::read(from, fleet);
            keep(&mut fleet.service_schedules, from, schedule);
        },
    },
    Family {
        kinds: links::METRIC_ALARM,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.metric_alarms, from, MetricAlarm::read(from)),
    },
    Family {
        kinds: links::COMPOSITE_ALARM,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.composite_alarms, from, CompositeAlarm::read(from)),
    },
    Family {
        kinds: links::METRIC_FILTER,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.metric_filters, from, MetricFilter::read(from)),
    },
    Family {
        kinds: links::SAMPLING_RULE,
        models: |_| true,
        read: |from, fleet| keep(&mut fleet.sampling_rules, from, SamplingRule::read(from)),
    },
];

impl Family {
    fn includes(&self, resource: &ResourceInstance) -> bool {
        self.kinds.contains(&resource.address.kind.as_str())
    }

    fn read_into(&self, fleet: &mut Fleet, from: &Attributes<'_>) {
        if (self.models)(from) {
            (self.read)(from, fleet);
        } else {
            fleet.unmodeled.push(from.address().clone());
        }
    }
}

fn managed(stack: &Stack) -> impl Iterator<Item = &ResourceInstance> {
    stack
        .resources
        .values()
        .filter(|resource| resource.address.mode == Mode::Managed)
}

fn is_foreign(resource: &ResourceInstance) -> bool {
    !FAMILIES.iter().any(|family| family.includes(resource))
}

/// A label that two services share tells neither: both take their ECS names.
fn settle_labels(services: &mut Table<Service>) {
    let mut uses = BTreeMap::<String, usize>::new();
    for service in services.values() {
        *uses.entry(service.label.clone()).or_default() += 1;
    }
    for service in services.values_mut().filter(|service| uses[&service.label] > 1) {
        service.label.clone_from(&service.name);
    }
}

/// A resource that could not be read is left out; its diagnostics are already written.
fn keep<T>(table: &mut Table<T>, from: &Attributes<'_>, read: Read<T>) {
    if let Ok(read) = read {
        table.insert(from.address().clone(), read);
    }
}
