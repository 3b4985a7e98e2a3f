//! [`Meters`]: where samples come from.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use karma_balancer::{HealthState, ListenerMeter, ListenerStatistics, TargetGroupStatistics};
use karma_fleet::{Address, ClientAlias, Fleet, Service};
use karma_ops::{DeploymentObservation, DeploymentStatus, Observation, ServiceObservation, TaskObservation};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::dimensions;
use super::sample::{DiscoveryNames, Hosts, NameStatistics, Sample, ServiceNames, ServiceSample, TargetGroupNames};
use crate::discovery::{NameMeter, Namespace};
use crate::limits::usage::{self, Usage};
use crate::load_balancer::Groups;
use crate::task::{TaskId, TaskStatus};

/// Looks at all that is measured of a fleet.
#[derive(Debug)]
pub(crate) struct Meters {
    /// What is wanted now.
    fleet: watch::Receiver<Arc<Fleet>>,
    front: watch::Receiver<FrontMeters>,
    logs: LogLengths,
}

/// What counts requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct FrontMeters {
    pub(crate) listeners: BTreeMap<Address, ListenerMeter>,
    pub(crate) groups: Groups,
    pub(crate) names: BTreeMap<(Namespace, ClientAlias), NameMeter>,
}

/// How much tasks have written to their logs. Each line has its time and its container in front of it, which is about as much as the 26 bytes that
/// CloudWatch Logs counts for an event.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
#[derive(Debug, Default)]
struct LogLengths {
    /// The lengths of the files when they were looked at last.
    lengths: BTreeMap<PathBuf, u64>,
    /// What all files have grown by since the start.
    total: u64,
}

impl Meters {
    pub(crate) fn new(fleet: watch::Receiver<Arc<Fleet>>, front: watch::Receiver<FrontMeters>) -> Self {
        Self {
            fleet,
            front,
            logs: LogLengths::default(),
        }
    }

    /// Looks at everything once.
    pub(crate) async fn look(&mut self, at: Duration, observation: &Observation) -> Sample {
        let (fleet, front) = (Arc::clone(&self.fleet.borrow()), self.front.borrow().clone());
        let usages = usages(observation).await;
        let services = observation.services.iter();
        Sample {
            at,
            services: services
                .filter_map(|service| service_sample(&fleet, service, &usages))
                .collect(),
            load_balancers: front.load_balancers(&fleet),
            target_groups: front.target_groups(&fleet),
            zones: front.zones(&fleet, &zones(observation)),
            names: front.names(&fleet),
            log_bytes: self.logs.look(observation),
        }
    }
}

impl FrontMeters {
    fn load_balancers(&self, fleet: &Fleet) -> BTreeMap<String, BTreeMap<Address, ListenerStatistics>> {
        let mut counted = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (address, meter) in &self.listeners {
            let listener = fleet.listeners.get(address);
            if let Some(name) = listener.and_then(|listener| dimensions::load_balancer(fleet, &listener.load_balancer))
            {
                counted
                    .entry(name)
                    .or_default()
                    .insert(address.clone(), meter.statistics());
            }
        }
        counted
    }

    fn target_groups(&self, fleet: &Fleet) -> BTreeMap<TargetGroupNames, TargetGroupStatistics> {
        let groups = self.groups.iter();
        let counted = groups.filter_map(|(address, group)| Some((group_names(fleet, address)?, group.statistics())));
        counted.collect()
    }

    /// A target that is none of these tasks is in no zone.
    fn zones(&self, fleet: &Fleet, zones: &BTreeMap<IpAddr, String>) -> BTreeMap<(TargetGroupNames, String), Hosts> {
        let mut counted = BTreeMap::<_, Hosts>::new();
        for (address, group) in &self.groups {
            let Some(names) = group_names(fleet, address) else {
                continue;
            };
            for target in group.targets() {
                let Some(zone) = zones.get(&target.address.ip()) else {
                    continue;
                };
                let hosts = counted.entry((names.clone(), zone.clone())).or_default();
                hosts.healthy += u64::from(target.health.state == HealthState::Healthy);
                hosts.unhealthy += u64::from(target.health.state == HealthState::Unhealthy);
            }
        }
        counted
    }

    fn names(&self, fleet: &Fleet) -> BTreeMap<DiscoveryNames, NameStatistics> {
        let counted = self.names.iter().filter_map(|((namespace, alias), meter)| {
            let statistics = NameStatistics {
                listener: meter.listener.statistics(),
                targets: meter.targets.statistics(),
            };
            Some((discovery_names(fleet, namespace, alias)?, statistics))
        });
        counted.collect()
    }
}

impl LogLengths {
    /// What all files have grown by since the start. A file that has shrunk was begun anew.
    fn look(&mut self, observation: &Observation) -> u64 {
        let tasks = observation.services.iter().flat_map(|service| &service.tasks);
        let mut lengths = BTreeMap::new();
        for path in tasks.filter_map(|task| task.log_path.as_ref()) {
            let length = fs::metadata(path).map_or(0, |data| data.len());
            let before = self.lengths.get(path).copied().unwrap_or_default();
            self.total += length.checked_sub(before).unwrap_or(length);
            lengths.insert(path.clone(), length);
        }
        self.lengths = lengths;
        self.total
    }
}

/// What each running task has used. It takes a while, so that nobody else waits for it.
async fn usages(observation: &Observation) -> BTreeMap<TaskId, Usage> {
    let tasks = observation.services.iter().flat_map(|service| &service.tasks);
    let running = tasks.filter(|task| task.last_status == TaskStatus::Running);
    let trees: Vec<(TaskId, Vec<u32>)> = running
        .map(|task| {
            let pids = task.containers.iter().filter_map(|container| container.pid);
            (task.task_id.clone(), pids.collect())
        })
        .collect();
    let seen = spawn_blocking(|| usage::of_trees(trees)).await;
    // It fails only when the runtime goes down.
    seen.unwrap_or_default().into_iter().collect()
}

fn group_names(fleet: &Fleet, address: &Address) -> Option<TargetGroupNames> {
    let load_balancer = dimensions::load_balancer_before(fleet, address)?;
    Some(TargetGroupNames {
        load_balancer: dimensions::load_balancer(fleet, load_balancer)?,
        target_group: dimensions::target_group(fleet, address)?,
    })
}

fn service_sample(fleet: &Fleet, seen: &ServiceObservation, usages: &BTreeMap<TaskId, Usage>) -> Option<ServiceSample> {
    let (_, service) = fleet.service(&seen.label)?;
    let definition = fleet.task_definitions.get(&service.task_definition)?;
    let cluster = service.cluster.as_ref().and_then(|address| fleet.clusters.get(address));
    let used = |task: &TaskId| Some((task.clone(), *usages.get(task)?));
    Some(ServiceSample {
        names: ServiceNames {
            cluster: dimensions::cluster(fleet, service),
            service: service.name.clone(),
            family: definition.family.clone(),
        },
        cpu: definition.cpu,
        memory: definition.memory,
        insights: cluster.map(|cluster| cluster.container_insights).unwrap_or_default(),
        desired_count: seen.desired_count,
        running_count: seen.running_count,
        pending_count: seen.pending_count,
        deployment_count: seen.deployments.iter().filter(|deployment| is_on(deployment)).count(),
        tasks: seen.tasks.iter().filter_map(|task| used(&task.task_id)).collect(),
    })
}

fn is_on(deployment: &DeploymentObservation) -> bool {
    deployment.status != DeploymentStatus::Inactive
}

/// Which zone each running task is in, by its address.
fn zones(observation: &Observation) -> BTreeMap<IpAddr, String> {
    let tasks = observation.services.iter().flat_map(|service| &service.tasks);
    let zone = |task: &TaskObservation| Some((task.address?.into(), task.availability_zone.clone()?));
    tasks
        .filter(|task| task.last_status == TaskStatus::Running)
        .filter_map(zone)
        .collect()
}

/// The discovery name that an alias stands for, and the service that offers it, where only one does.
fn discovery_names(fleet: &Fleet, namespace: &Namespace, alias: &ClientAlias) -> Option<DiscoveryNames> {
    let offers = fleet.services.values().filter_map(|service| {
        let connect = service
            .service_connect
            .as_ref()
            .filter(|connect| connect.namespace == *namespace)?;
        let offer = connect.services.iter().find(|offer| offer.client_alias == *alias)?;
        Some((service, &offer.discovery_name))
    });
    let offers: Vec<(&Service, &String)> = offers.collect();
    let (_, discovery_name) = offers.first()?;
    let offered_by = match offers[..] {
        [(service, _)] => Some((dimensions::cluster(fleet, service), service.name.clone())),
        _ => None,
    };
    Some(DiscoveryNames {
        discovery_name: (*discovery_name).clone(),
        offered_by,
    })
}
