//! `aws_ecs_service`

use std::time::Duration;

use karma_terraform::{Address, InstanceKey, Span};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::capacity::read_strategy;
use crate::links::{CLUSTER, TARGET_GROUP, TASK_DEFINITION};
use crate::{
    CapacityProviderStrategyItem, Container, DeploymentAlarms, DeploymentConfiguration, Fleet, NetworkConfiguration,
    ServiceConnect, TaskDefinition,
};

/// A service: so many tasks of one definition, kept running.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its ECS name.
    pub name: String,
    /// What a user calls it: the `for_each` key where the block has one, else its ECS name. Unlike the name it is unique in the stack: where
    /// two blocks use one key, both go by their ECS names.
    pub label: String,
    /// The cluster it runs in, where the stack declares it.
    pub cluster: Option<Address>,
    /// The task definition it runs.
    pub task_definition: Address,
    /// So many tasks.
    pub desired_count: u32,
    /// How tasks are replaced.
    pub deployment: DeploymentConfiguration,
    /// Alarms that make a deployment fail.
    pub deployment_alarms: Option<DeploymentAlarms>,
    /// Whether every update of the service starts a deployment.
    pub force_new_deployment: bool,
    /// What the tasks run on, by the providers' names; empty where neither the service nor its cluster says so.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Where the tasks stand in the network.
    pub network: NetworkConfiguration,
    /// Whether tasks move when the zones hold unequal numbers of them.
    pub availability_zone_rebalancing: bool,
    /// For so long after a task has started, failed health checks do not stop it.
    pub health_check_grace_period: Duration,
    /// The target groups its tasks are registered with.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// Its names, where Service Connect is enabled.
    pub service_connect: Option<ServiceConnect>,
    /// Whether commands may be run in its tasks: `karma exec`, ECS Exec.
    pub enable_execute_command: bool,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// A target group that a service's tasks are registered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLoadBalancer {
    /// The target group.
    pub target_group: Address,
    /// The container that takes the traffic.
    pub container_name: String,
    /// Its port.
    pub container_port: u16,
}

impl Service {
    /// Reads a service; what it refers to has already been read into the fleet.
    pub(crate) fn read(from: &Attributes<'_>, fleet: &Fleet) -> Read<Self> {
        let name = from.required::<String>("name");
        let cluster = from.outward_link("cluster", CLUSTER);
        let task_definition = from.link("task_definition", TASK_DEFINITION)?;
        let definition = fleet.task_definitions.get(&task_definition);
        let load_balancers = ServiceLoadBalancer::read_all(from, definition, fleet);
        let service_connect = ServiceConnect::read(from, cluster.as_ref(), definition);
        let desired_count = from.optional("desired_count").unwrap_or(0);
        let capacity = read_strategy(from, cluster.as_ref().and_then(|address| fleet.clusters.get(address)));
        let health_check_grace_period = from.seconds("health_check_grace_period_seconds").unwrap_or_default();
        let name = name?;
        Ok(Self {
            label: label(from.address(), &name),
            name,
            cluster,
            task_definition,
            desired_count,
            deployment: DeploymentConfiguration::read(from),
            deployment_alarms: DeploymentAlarms::read(from),
            force_new_deployment: from.optional("force_new_deployment").unwrap_or(false),
            capacity_provider_strategy: capacity?,
            network: NetworkConfiguration::read(from, fleet),
            availability_zone_rebalancing: rebalancing(from),
            health_check_grace_period,
            load_balancers: load_balancers?,
            service_connect: service_connect?,
            enable_execute_command: from.optional("enable_execute_command").unwrap_or(false),
            declared_at: from.declared_at(),
        })
    }
}

/// Terraform writes down what it does not say: `DISABLED`.
fn rebalancing(from: &Attributes<'_>) -> bool {
    from.optional::<String>("availability_zone_rebalancing").as_deref() == Some("ENABLED")
}

fn label(address: &Address, name: &str) -> String {
    match &address.key {
        Some(InstanceKey::Key(key)) => key.clone(),
        _ => name.to_owned(),
    }
}

impl ServiceLoadBalancer {
    fn read_all(from: &Attributes<'_>, definition: Option<&TaskDefinition>, fleet: &Fleet) -> Read<Vec<Self>> {
        let mut all = from.each("load_balancer", |block| Self::read(block, definition))?;
        all.retain(|entry| entry.is_modeled(from, fleet));
        Ok(all)
    }

    fn read(block: &Attributes<'_>, definition: Option<&TaskDefinition>) -> Read<Self> {
        let target_group = block.link("target_group_arn", TARGET_GROUP);
        let container_name = block.required("container_name");
        let container_port = block.required("container_port");
        let entry = Self {
            target_group: target_group?,
            container_name: container_name?,
            container_port: container_port?,
        };
        // Of a definition that could not be read nothing more needs to be said here.
        definition.map_or(Ok(()), |definition| entry.check_container(block, definition))?;
        Ok(entry)
    }

    fn check_container(&self, block: &Attributes<'_>, definition: &TaskDefinition) -> Read<()> {
        let (name, port) = (&self.container_name, self.container_port);
        let Some(container) = definition.containers.iter().find(|container| container.name == *name) else {
            let (called, has) = (block.called("container_name"), names(&definition.containers));
            let detail = format!("{called} is {name:?}, but the task definition has no such container; it has: {has}.");
            return Err(block.error("container_name", "Unknown container", detail));
        };
        if container
            .port_mappings
            .iter()
            .any(|mapping| mapping.container_port == port)
        {
            return Ok(());
        }
        let called = block.called("container_port");
        let detail =
            format!("{called} is {port}, but the container {name:?} maps no such port in the task definition.");
        Err(block.error("container_port", "Unknown container port", detail))
    }

    fn is_modeled(&self, from: &Attributes<'_>, fleet: &Fleet) -> bool {
        let unmodeled = fleet.unmodeled.contains(&self.target_group);
        if unmodeled {
            let detail = format!(
                "`{}` takes no HTTP requests; no task is registered with it.",
                self.target_group
            );
            from.warning("load_balancer", NOT_RUN_YET, detail);
        }
        !unmodeled
    }
}

fn names(containers: &[Container]) -> String {
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    names.join(", ")
}
