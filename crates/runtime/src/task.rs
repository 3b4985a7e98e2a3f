//! A task as the scheduler knows it.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use karma_ops::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};

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

impl Task {
    /// A task that has just been asked for.
    pub(crate) fn new(id: TaskId, created_at: Duration, log_path: PathBuf) -> Self {
        Self {
            id,
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
            log_path,
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
