//! [`Scope`]: what of AWS is the stack's, by the names that the stack gives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use karma_fleet::{Address, Container, Fleet, Listener, ListenerProtocol, Service, TaskDefinition};

/// The cluster of a service that names none.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
const DEFAULT_CLUSTER: &str = "default";

/// What the stack has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) directory: PathBuf,
    pub(super) region: String,
    /// In the order of the stack.
    pub(super) services: Vec<ScopedService>,
    /// Those for HTTP first, as a fleet that runs here has them.
    pub(super) listeners: Vec<ScopedListener>,
    pub(super) alarms: BTreeSet<String>,
    /// The namespaces of its metric filters.
    pub(super) namespaces: BTreeSet<String>,
}

/// A service of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScopedService {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) cluster: String,
    /// The family of its task definition.
    pub(super) family: String,
    pub(super) containers: Vec<ScopedContainer>,
    /// The names of its target groups.
    pub(super) target_groups: Vec<String>,
    pub(super) discovery_names: Vec<String>,
    pub(super) health_check_path: Option<String>,
    /// Whether Application Auto Scaling looks after it.
    pub(super) is_scalable: bool,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScopedContainer {
    pub(super) name: String,
    pub(super) essential: bool,
    pub(super) has_health_check: bool,
    pub(super) log: Option<LogPlace>,
}

/// Where a container's output goes: a group, and the first part of the streams' names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogPlace {
    pub(super) group: String,
    pub(super) stream_prefix: String,
}

/// A listener of the stack, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScopedListener {
    pub(super) load_balancer: String,
    pub(super) scheme: &'static str,
    pub(super) port: u16,
    /// Labels of services, and the path that leads to each.
    pub(super) paths: Vec<(String, String)>,
}

impl Scope {
    pub(super) fn new(directory: &Path, region: &str, fleet: &Fleet) -> Self {
        let names = |alarms: &mut dyn Iterator<Item = &String>| alarms.cloned().collect::<BTreeSet<_>>();
        let mut alarms = names(&mut fleet.metric_alarms.values().map(|alarm| &alarm.name));
        alarms.extend(names(&mut fleet.composite_alarms.values().map(|alarm| &alarm.name)));
        let filters = fleet.metric_filters.values();
        Self {
            directory: directory.to_owned(),
            region: region.to_owned(),
            services: fleet
                .services
                .iter()
                .map(|(address, service)| scoped_service(fleet, address, service))
                .collect(),
            listeners: listeners(fleet),
            alarms,
            namespaces: filters.map(|filter| filter.transformation.namespace.clone()).collect(),
        }
    }

    /// The service with this label, else the one with this ECS name.
    pub(super) fn service(&self, label_or_name: &str) -> Option<&ScopedService> {
        let find = |text: fn(&ScopedService) -> &str| self.services.iter().find(|one| text(one) == label_or_name);
        find(|one| &one.label).or_else(|| find(|one| &one.name))
    }

    /// The clusters that its services are in.
    pub(super) fn clusters(&self) -> BTreeSet<&str> {
        self.services.iter().map(|service| service.cluster.as_str()).collect()
    }

    /// Its services in one cluster.
    pub(super) fn services_in(&self, cluster: &str) -> Vec<&ScopedService> {
        self.services
            .iter()
            .filter(|service| service.cluster == cluster)
            .collect()
    }
}

impl ScopedService {
    /// What Application Auto Scaling calls it.
    /// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>
    pub(super) fn resource_id(&self) -> String {
        format!("service/{}/{}", self.cluster, self.name)
    }

    /// What an error calls it: `service main/hello`.
    pub(super) fn called(&self) -> String {
        format!("service {}/{}", self.cluster, self.name)
    }

    /// Where its containers write to.
    pub(super) fn log_places(&self) -> impl Iterator<Item = (&ScopedContainer, &LogPlace)> {
        self.containers
            .iter()
            .filter_map(|container| Some((container, container.log.as_ref()?)))
    }
}

impl LogPlace {
    /// `prefix/container/task-id`
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>
    pub(super) fn stream(&self, container: &str, task: &str) -> String {
        format!("{}/{container}/{task}", self.stream_prefix)
    }
}

fn scoped_service(fleet: &Fleet, address: &Address, service: &Service) -> ScopedService {
    let cluster = service.cluster.as_ref().and_then(|cluster| fleet.clusters.get(cluster));
    let definition = fleet.task_definitions.get(&service.task_definition);
    let groups = service
        .load_balancers
        .iter()
        .filter_map(|entry| fleet.target_groups.get(&entry.target_group));
    let groups: Vec<_> = groups.collect();
    let offers = service.service_connect.iter().flat_map(|connect| &connect.services);
    ScopedService {
        name: service.name.clone(),
        label: service.label.clone(),
        cluster: cluster.map_or_else(|| DEFAULT_CLUSTER.to_owned(), |cluster| cluster.name.clone()),
        family: definition
            .map(|definition| definition.family.clone())
            .unwrap_or_default(),
        containers: definition.map(scoped_containers).unwrap_or_default(),
        health_check_path: groups.first().map(|group| group.health_check.path.clone()),
        target_groups: groups.iter().map(|group| group.name.clone()).collect(),
        discovery_names: offers.map(|offer| offer.discovery_name.clone()).collect(),
        is_scalable: fleet.scalable_targets.values().any(|target| target.service == *address),
    }
}

fn scoped_containers(definition: &TaskDefinition) -> Vec<ScopedContainer> {
    let scoped = |container: &Container| ScopedContainer {
        name: container.name.clone(),
        essential: container.essential,
        has_health_check: container.health_check.is_some(),
        log: container.log.as_ref().map(|log| LogPlace {
            group: log.group.clone(),
            stream_prefix: log.stream_prefix.clone(),
        }),
    };
    definition.containers.iter().map(scoped).collect()
}

fn listeners(fleet: &Fleet) -> Vec<ScopedListener> {
    let mut listeners: Vec<&Listener> = fleet.listeners.values().collect();
    listeners.sort_by_key(|one| (one.protocol == ListenerProtocol::Https, &one.load_balancer, one.port));
    let scoped = |listener: &&Listener| {
        Some(ScopedListener {
            load_balancer: fleet.load_balancers.get(&listener.load_balancer)?.name.clone(),
            scheme: match listener.protocol {
                ListenerProtocol::Http => "http",
                ListenerProtocol::Https => "https",
            },
            port: listener.port,
            paths: paths(fleet, listener),
        })
    };
    listeners.iter().filter_map(scoped).collect()
}

fn paths(fleet: &Fleet, listener: &Listener) -> Vec<(String, String)> {
    let path = |service: &Service| {
        let group = &service.load_balancers.first()?.target_group;
        Some((service.label.clone(), listener.path_to(group)?))
    };
    fleet.services.values().filter_map(path).collect()
}
