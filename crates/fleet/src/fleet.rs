//! [`Fleet`]: a stack, read as ECS.

use std::collections::BTreeMap;

use karma_terraform::Address;

use crate::{Cluster, Listener, LoadBalancer, LogGroup, Repository, Secret, Service, TargetGroup, TaskDefinition};

/// Resources of one family by their address.
pub type Table<T> = BTreeMap<Address, T>;

/// The typed reading of a stack.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// `aws_ecs_cluster`
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
    /// What the stack has and this model does not read.
    pub unmodeled: Vec<Address>,
}
