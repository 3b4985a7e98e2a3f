//! `aws_ecs_service`

use std::time::Duration;

use karma_terraform::{Address, Span};

use crate::ServiceConnect;

/// A service: so many tasks of one definition, kept running.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its ECS name.
    pub name: String,
    /// What a user calls it: the `for_each` key where the block has one, else its ECS name.
    pub label: String,
    /// The cluster it runs in, where the stack declares it.
    pub cluster: Option<Address>,
    /// The task definition it runs.
    pub task_definition: Address,
    /// So many tasks.
    pub desired_count: u32,
    /// How many may be missing or extra while tasks are replaced.
    pub deployment: DeploymentConfiguration,
    /// For so long after a task has started, failed health checks do not stop it.
    pub health_check_grace_period: Duration,
    /// The target groups its tasks are registered with.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// Its names, where Service Connect is enabled.
    pub service_connect: Option<ServiceConnect>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// How many tasks may be missing or extra while they are replaced, in percent of the desired count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentConfiguration {
    /// At least so many stay healthy, rounded up.
    pub minimum_healthy_percent: u32,
    /// At most so many are running or pending, rounded down.
    pub maximum_percent: u32,
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
