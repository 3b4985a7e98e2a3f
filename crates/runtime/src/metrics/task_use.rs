//! What tasks use of what they have reserved: the metrics of ECS, and of Container Insights where a cluster wants them.
//!
//! - <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html>
//! - <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
//! - <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-enhanced-observability-metrics-ECS.html>
//!
//! Each task is one value of a minute, so that the average is what ECS defines: all that was used in percent of all that is reserved, and the
//! number of values is the number of tasks. On Fargate a task's size is what is reserved, whatever its containers ask for.
//!
//! What is not measured here is not told: the network, which tasks share with this machine, the filling of ephemeral storage, and the
//! metrics of single containers.

use std::collections::BTreeMap;
use std::time::Duration;

use karma_fleet::ContainerInsights;

use super::collector::Measurement;
use super::sample::{ServiceNames, ServiceSample};
use super::statistic_set::as_number;
use super::{MetricId, StatisticSet};
use crate::limits::usage::Usage;
use crate::task::TaskId;

const ECS: &str = "AWS/ECS";
const INSIGHTS: &str = "ECS/ContainerInsights";

/// CPU units of one vCPU.
const UNITS_PER_CPU: f64 = 1024.0;

const MEBIBYTE: f64 = 1_048_576.0;

/// What one task has used in a minute.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskUse {
    /// CPU time in `real` time.
    cpu_time: Duration,
    real: Duration,
    /// Bytes of each sample.
    memory: Option<StatisticSet>,
    /// Bytes since the task began.
    storage_read: u64,
    storage_written: u64,
}

impl TaskUse {
    /// Takes note of a sample. The first of a task has no one before to compare its CPU time with.
    pub(super) fn note(&mut self, before: Option<&Usage>, now: Usage, real: Duration) {
        if let Some(before) = before {
            self.cpu_time += now.cpu_time.saturating_sub(before.cpu_time);
            self.real += real;
        }
        let memory = StatisticSet::of(as_number(now.memory));
        match &mut self.memory {
            Some(known) => known.merge(&memory),
            None => self.memory = Some(memory),
        }
        (self.storage_read, self.storage_written) = (now.storage_read, now.storage_written);
    }

    /// The average of the minute in CPU units; `None` where it was seen only once.
    fn cpu(&self) -> Option<f64> {
        let share = || self.cpu_time.as_secs_f64() / self.real.as_secs_f64();
        (!self.real.is_zero()).then(|| share() * UNITS_PER_CPU)
    }

    /// The average of the minute in MiB.
    fn memory(&self) -> Option<f64> {
        let memory = self.memory.as_ref()?;
        Some(memory.sum / as_number(memory.count) / MEBIBYTE)
    }
}

/// The metrics of a minute, from the services as they are at its end.
pub(super) fn metrics(services: &[ServiceSample], uses: &BTreeMap<TaskId, TaskUse>) -> Vec<Measurement> {
    let mut measured = Measured::default();
    for service in services {
        for (task, one) in service.tasks.keys().filter_map(|task| Some((task, uses.get(task)?))) {
            utilization(&mut measured, service, one);
            match service.insights {
                ContainerInsights::Disabled => {}
                ContainerInsights::Enabled => insights(&mut measured, service, one),
                ContainerInsights::Enhanced => {
                    insights(&mut measured, service, one);
                    enhanced(&mut measured, service, task, one);
                }
            }
        }
    }
    counts(&mut measured, services);
    measured.finish()
}

/// The values of metrics, each told without its distribution, as ECS does.
#[derive(Debug, Default)]
struct Measured(BTreeMap<MetricId, Vec<f64>>);

impl Measured {
    fn add(&mut self, metric: MetricId, value: Option<f64>) {
        if let Some(value) = value {
            self.0.entry(metric).or_default().push(value);
        }
    }

    fn finish(self) -> Vec<Measurement> {
        let measured = self.0.into_iter();
        measured
            .filter_map(|(metric, values)| Some((metric, StatisticSet::of_all(values)?)))
            .collect()
    }
}

fn percent(used: Option<f64>, reserved: Option<u32>) -> Option<f64> {
    let reserved = reserved.filter(|reserved| *reserved > 0)?;
    Some(used? * 100.0 / f64::from(reserved))
}

fn utilization(measured: &mut Measured, service: &ServiceSample, one: &TaskUse) {
    let ServiceNames {
        cluster, service: name, ..
    } = &service.names;
    let metric = |metric| MetricId::new(ECS, metric, [("ClusterName", cluster), ("ServiceName", name)]);
    measured.add(metric("CPUUtilization"), percent(one.cpu(), service.cpu));
    measured.add(metric("MemoryUtilization"), percent(one.memory(), service.memory));
}

/// The values of a task count for its cluster, its service and its family.
fn insights(measured: &mut Measured, service: &ServiceSample, one: &TaskUse) {
    let values = [
        ("CpuUtilized", one.cpu()),
        ("CpuReserved", service.cpu.map(f64::from)),
        ("MemoryUtilized", one.memory()),
        ("MemoryReserved", service.memory.map(f64::from)),
        ("StorageReadBytes", Some(as_number(one.storage_read))),
        ("StorageWriteBytes", Some(as_number(one.storage_written))),
    ];
    for (name, value) in values {
        for metric in aggregates(&service.names, name) {
            measured.add(metric, value);
        }
    }
}

fn aggregates(names: &ServiceNames, metric: &str) -> [MetricId; 3] {
    let cluster = ("ClusterName", &*names.cluster);
    [
        MetricId::new(INSIGHTS, metric, [cluster]),
        MetricId::new(INSIGHTS, metric, [cluster, ("ServiceName", &names.service)]),
        MetricId::new(INSIGHTS, metric, [cluster, ("TaskDefinitionFamily", &names.family)]),
    ]
}

/// The values of a task also count for itself.
fn enhanced(measured: &mut Measured, service: &ServiceSample, task: &TaskId, one: &TaskUse) {
    let names = &service.names;
    let values = [
        ("TaskCpuUtilization", percent(one.cpu(), service.cpu)),
        ("TaskMemoryUtilization", percent(one.memory(), service.memory)),
    ];
    for (name, value) in values {
        let (cluster, id) = (("ClusterName", &*names.cluster), ("TaskId", task.as_str()));
        let of_service = MetricId::new(INSIGHTS, name, [cluster, ("ServiceName", &names.service), id]);
        let of_family = MetricId::new(INSIGHTS, name, [cluster, ("TaskDefinitionFamily", &names.family), id]);
        for metric in aggregates(names, name).into_iter().chain([of_service, of_family]) {
            measured.add(metric, value);
        }
    }
}

/// How many tasks and services there are, one value a minute.
fn counts(measured: &mut Measured, services: &[ServiceSample]) {
    let mut clusters = BTreeMap::<&str, (usize, usize)>::new();
    for service in services
        .iter()
        .filter(|service| service.insights != ContainerInsights::Disabled)
    {
        let ServiceNames {
            cluster, service: name, ..
        } = &service.names;
        let values = [
            ("DesiredTaskCount", service.desired_count),
            ("RunningTaskCount", service.running_count),
            ("PendingTaskCount", service.pending_count),
            ("DeploymentCount", service.deployment_count),
        ];
        for (metric, value) in values {
            let metric = MetricId::new(INSIGHTS, metric, [("ClusterName", cluster), ("ServiceName", name)]);
            measured.add(metric, Some(as_number(value as u64)));
        }
        let known = clusters.entry(cluster).or_default();
        *known = (known.0 + 1, known.1 + service.running_count);
    }
    for (cluster, (services, tasks)) in clusters {
        for (metric, value) in [("ServiceCount", services), ("TaskCount", tasks)] {
            let metric = MetricId::new(INSIGHTS, metric, [("ClusterName", cluster)]);
            measured.add(metric, Some(as_number(value as u64)));
        }
    }
}
