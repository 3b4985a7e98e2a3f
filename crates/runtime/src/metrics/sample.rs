//! [`Sample`]: what is seen of everything that is measured, at one moment.
//!
//! It carries the names that its numbers are reported under, so that a definition that changes meanwhile mixes nothing up.

use std::collections::BTreeMap;
use std::time::Duration;

use karma_balancer::{ListenerStatistics, TargetGroupStatistics};
use karma_fleet::{Address, ContainerInsights};

use crate::limits::usage::Usage;
use crate::task::TaskId;

/// What is seen at one moment of the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// The moment.
    pub(crate) at: Duration,
    /// The services, in any order.
    pub(crate) services: Vec<ServiceSample>,
    /// What each listener has counted since its start, by the dimension `LoadBalancer`.
    pub(crate) load_balancers: BTreeMap<String, BTreeMap<Address, ListenerStatistics>>,
    /// What the target groups behind load balancers have counted.
    pub(crate) target_groups: BTreeMap<TargetGroupNames, TargetGroupStatistics>,
    /// How many targets of each group are in each Availability Zone, where zones are known.
    pub(crate) zones: BTreeMap<(TargetGroupNames, String), Hosts>,
    /// What went through Service Connect names.
    pub(crate) names: BTreeMap<DiscoveryNames, NameStatistics>,
    /// Bytes that tasks have written to their logs since the start.
    pub(crate) log_bytes: u64,
}

/// A service and its running tasks.
#[derive(Debug, Clone)]
pub(crate) struct ServiceSample {
    pub(crate) names: ServiceNames,
    /// CPU units and MiB that a task of it has, where its definition says.
    pub(crate) cpu: Option<u32>,
    pub(crate) memory: Option<u32>,
    /// What its cluster wants to know.
    pub(crate) insights: ContainerInsights,
    pub(crate) desired_count: usize,
    pub(crate) running_count: usize,
    pub(crate) pending_count: usize,
    /// Deployments that have tasks, or shall have some.
    pub(crate) deployment_count: usize,
    /// What each RUNNING task has used.
    pub(crate) tasks: BTreeMap<TaskId, Usage>,
}

/// The dimensions of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceNames {
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) family: String,
}

/// The dimensions of a target group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetGroupNames {
    pub(crate) load_balancer: String,
    pub(crate) target_group: String,
}

/// How many targets the load balancer judges to be healthy and unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hosts {
    pub(crate) healthy: u64,
    pub(crate) unhealthy: u64,
}

/// The dimensions of a Service Connect name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DiscoveryNames {
    pub(crate) discovery_name: String,
    /// The cluster and the name of the service that offers it, where only one does.
    pub(crate) offered_by: Option<(String, String)>,
}

/// What went through a Service Connect name since it began to be served.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameStatistics {
    pub(crate) listener: ListenerStatistics,
    pub(crate) targets: TargetGroupStatistics,
}
