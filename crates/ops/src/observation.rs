//! [`Observation`]: what runs, at one instant. It is the answer to `karma status --json`, so its names are a promise.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::autoscaling::AutoscalingObservation;
use crate::deployment::{DeploymentId, DeploymentObservation};
use crate::task::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};

/// So many events of a service are kept, as ECS does.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html>
pub const EVENTS_KEPT: usize = 100;

/// What runs, at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The stack's directory.
    pub stack: PathBuf,
    /// The process id of the orchestrator; `None` where that is no process here.
    pub pid: Option<u32>,
    /// Since when the fleet runs; `None` where nobody has noted that, as on AWS.
    pub started_at: Option<Timestamp>,
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
    /// How autoscaling looks after that; `None` where it does not.
    pub autoscaling: Option<AutoscalingObservation>,
    /// So many are RUNNING.
    pub running_count: usize,
    /// So many are on their way.
    pub pending_count: usize,
    /// All of it in one word.
    pub health: ServiceHealth,
    /// Where its first rule leads: `http://127.0.0.1:8080/validator`.
    pub url: Option<String>,
    /// What its load balancer asks its tasks: `/health`.
    #[serde(default)]
    pub health_check_path: Option<String>,
    /// The task definition that is wanted: `validator:3`.
    pub task_definition: String,
    /// What its tasks run on; empty where the stack does not say.
    pub capacity_provider_strategy: Vec<CapacityProviderShare>,
    /// Its deployments, newest first; the last few that have been replaced among them.
    pub deployments: Vec<DeploymentObservation>,
    /// Its tasks, newest first; the last few stopped ones among them.
    pub tasks: Vec<TaskObservation>,
    /// What happened, oldest first.
    pub events: VecDeque<ServiceEvent>,
}

/// A member of a capacity provider strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityProviderShare {
    /// `FARGATE` or `FARGATE_SPOT`
    pub capacity_provider: String,
    /// So many tasks run on it before the weights count.
    pub base: u32,
    /// Its share of the other tasks.
    pub weight: u32,
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
    /// `validator:3`
    pub task_definition: String,
    /// The deployment it belongs to.
    pub deployment: DeploymentId,
    /// What it runs on: `FARGATE` or `FARGATE_SPOT`, where the stack says so.
    pub capacity_provider: Option<String>,
    /// Where it runs, where the service has subnets: `us-east-1a`.
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
    /// The file that its output goes to; `None` where that is a log group.
    pub log_path: Option<PathBuf>,
    /// The last lines of its output, where it stopped.
    pub last_lines: Vec<String>,
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
