//! A task as the scheduler knows it.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use karma_ops::DeploymentId;
pub(crate) use karma_ops::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};

use crate::placement::Placement;

/// What a task was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// To be one of those that are wanted.
    #[default]
    Replica,
    /// To take the place of one in a zone that holds more tasks than others.
    Rebalancing,
}

/// Why a task stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Who or what.
    pub code: StopCode,
    /// `stoppedReason`, in ECS's words where it has some.
    pub reason: String,
}

/// A task. Times count from the start of the orchestrator, so that decisions about them are pure.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The deployment it belongs to.
    pub deployment: DeploymentId,
    /// `validator:3`
    pub task_definition: Arc<str>,
    /// Where it runs.
    pub placement: Placement,
    /// What it was started for.
    pub purpose: Purpose,
    /// How far it has come.
    pub last_status: TaskStatus,
    /// What it shall be.
    pub desired_status: DesiredStatus,
    /// What its containers say.
    pub health_status: HealthStatus,
    /// What the load balancer says; `None` where it is registered with none.
    pub targets: Option<TargetsHealth>,
    /// Its containers, in the order of the definition.
    pub containers: Vec<ContainerState>,
    /// When the scheduler asked for it.
    pub created_at: Duration,
    /// When it came to run.
    pub started_at: Option<Duration>,
    /// When it was no more.
    pub stopped_at: Option<Duration>,
    /// Why it stops, from the moment that is known.
    pub stop: Option<Stop>,
    /// Its network interface.
    pub address: Option<Ipv4Addr>,
    /// Where its output goes.
    pub log_path: PathBuf,
}

/// A task that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewTask {
    pub(crate) id: TaskId,
    pub(crate) deployment: DeploymentId,
    pub(crate) task_definition: Arc<str>,
    pub(crate) placement: Placement,
    pub(crate) purpose: Purpose,
    pub(crate) log_path: PathBuf,
}

impl Task {
    /// A task that has just been asked for.
    pub(crate) fn new(new: NewTask, created_at: Duration) -> Self {
        Self {
            id: new.id,
            deployment: new.deployment,
            task_definition: new.task_definition,
            placement: new.placement,
            purpose: new.purpose,
            last_status: TaskStatus::Provisioning,
            desired_status: DesiredStatus::Running,
            health_status: HealthStatus::Unknown,
            targets: None,
            containers: Vec::new(),
            created_at,
            started_at: None,
            stopped_at: None,
            stop: None,
            address: None,
            log_path: new.log_path,
        }
    }

    /// Whether it is meant to run and may still do so.
    pub fn is_live(&self) -> bool {
        self.desired_status == DesiredStatus::Running && self.last_status.can_stop()
    }

    /// Whether one of its health checks has failed.
    pub fn is_unhealthy(&self) -> bool {
        self.health_status == HealthStatus::Unhealthy || matches!(self.targets, Some(TargetsHealth::Unhealthy { .. }))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A task that has just been asked for, of no particular deployment.
    pub(crate) fn new_task() -> Task {
        let new = NewTask {
            id: TaskId::random(),
            deployment: DeploymentId::random(),
            task_definition: "hello:1".into(),
            placement: Placement::default(),
            purpose: Purpose::default(),
            log_path: "log".into(),
        };
        Task::new(new, Duration::ZERO)
    }
}
