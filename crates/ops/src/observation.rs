//! [`Observation`]: what runs, at one instant. It is the answer to `karma status --json`, so its names are a promise.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::task::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};

/// So many events of a service are kept, as ECS does.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html>
pub const EVENTS_KEPT: usize = 100;

/// What runs, at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The stack's directory.
    pub stack: PathBuf,
    /// The process id of the orchestrator.
    pub pid: u32,
    /// Since when the fleet runs.
    pub started_at: Timestamp,
    /// Where the load balancers listen.
    pub listeners: Vec<ListenerObservation>,
    /// The services, in the order of the stack.
    pub services: Vec<ServiceObservation>,
    /// The Service Connect names.
    pub aliases: Vec<AliasObservation>,
    /// How tasks find them.
    pub discovery: DiscoveryMechanism,
    /// What is not as it would be on AWS, or needs the user's eye; one sentence each.
    pub notes: Vec<String>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerObservation {
    /// The load balancer's name.
    pub name: String,
    /// `http://127.0.0.1:8080`
    pub url: String,
    /// `HTTP`
    pub protocol: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceObservation {
    /// Its ECS name.
    pub service: String,
    /// What a user calls it.
    pub label: String,
    /// So many tasks are wanted.
    pub desired_count: usize,
    /// So many are RUNNING.
    pub running_count: usize,
    /// So many are on their way.
    pub pending_count: usize,
    /// All of it in one word.
    pub health: ServiceHealth,
    /// Where its first rule leads: `http://127.0.0.1:8080/validator`.
    pub url: Option<String>,
    /// Its task definition, as `family:revision`.
    pub task_definition: String,
    /// Its deployments, newest first.
    pub deployments: Vec<DeploymentObservation>,
    /// Its tasks, newest first; the last few stopped ones among them.
    pub tasks: Vec<TaskObservation>,
    /// What happened, oldest first.
    pub events: VecDeque<ServiceEvent>,
}

/// A service in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceHealth {
    /// As many tasks as wanted, all in service.
    Healthy,
    /// On its way.
    Starting,
    /// Tasks end, or are unhealthy.
    Failing,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskObservation {
    /// Its id.
    pub task_id: TaskId,
    /// What it is a task of, as `family:revision`.
    pub task_definition: String,
    /// The id of the deployment that started it.
    pub deployment: String,
    /// `FARGATE` or `FARGATE_SPOT`.
    pub capacity_provider: Option<String>,
    /// `us-east-1a`
    pub availability_zone: Option<String>,
    /// How far it has come.
    pub last_status: TaskStatus,
    /// What it shall be.
    pub desired_status: DesiredStatus,
    /// What its containers' health checks say.
    pub health_status: HealthStatus,
    /// What the load balancer says.
    pub target_health: Option<TargetsHealth>,
    /// Its address.
    pub address: Option<Ipv4Addr>,
    /// Since when it runs.
    pub started_at: Option<Timestamp>,
    /// Since when it does not.
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped.
    pub stopped_reason: Option<String>,
    /// Who or what stopped it.
    pub stop_code: Option<StopCode>,
    /// The exit code of the first essential container that ended.
    pub exit_code: Option<i32>,
    /// Its containers.
    pub containers: Vec<ContainerState>,
    /// Where its output goes.
    pub log_path: PathBuf,
    /// The last lines of its output, where it stopped.
    pub last_lines: Vec<String>,
}

/// A deployment of a service.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentObservation {
    /// `ecs-svc/1234567890123456789`
    pub id: String,
    /// Its part in the service.
    pub status: DeploymentStatus,
    /// How far it has come.
    pub rollout_state: RolloutState,
    /// Why it is there.
    pub rollout_state_reason: String,
    /// What it rolls out, as `family:revision`.
    pub task_definition: String,
    /// So many tasks are wanted of it.
    pub desired_count: usize,
    /// So many are RUNNING.
    pub running_count: usize,
    /// So many are on their way.
    pub pending_count: usize,
    /// So many did not come to run, or failed their health checks.
    pub failed_tasks: usize,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// `status`: the part that a deployment has in its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStatus {
    /// The newest.
    Primary,
    /// Being replaced, still has tasks.
    Active,
    /// Fully replaced.
    Inactive,
}

/// `rolloutState`: how far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RolloutState {
    /// Under way.
    InProgress,
    /// The service has reached a steady state with it.
    Completed,
    /// It was given up.
    Failed,
}

/// Something that happened to a service, in ECS's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// When.
    pub at: Timestamp,
    /// `service (validator) has reached a steady state.`
    pub message: String,
}

/// A Service Connect name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasObservation {
    /// The namespace, where its name is known.
    pub namespace: Option<String>,
    /// `karma-hello`
    pub dns_name: String,
    /// The port that clients connect to.
    pub port: u16,
    /// What the name stands for.
    pub address: Ipv4Addr,
}

/// How tasks find Service Connect names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscoveryMechanism {
    /// Each task has an `/etc/hosts` of its own, as on ECS.
    HostsFile,
    /// The kernel refused that: tasks are told `HTTP_PROXY`, which not every client heeds.
    HttpProxy,
}

impl Observation {
    /// Whether every service has as many tasks as wanted, all in service.
    pub fn is_steady(&self) -> bool {
        self.services
            .iter()
            .all(|service| service.health == ServiceHealth::Healthy)
    }

    /// The service with this label, else the one with this ECS name.
    pub fn service(&self, label_or_name: &str) -> Option<&ServiceObservation> {
        let find = |name: fn(&ServiceObservation) -> &str| self.services.iter().find(|one| name(one) == label_or_name);
        find(|one| &one.label).or_else(|| find(|one| &one.service))
    }
}
