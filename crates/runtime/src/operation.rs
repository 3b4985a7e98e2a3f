//! What one can do with a fleet that runs, and why it may be refused.

use karma_ops::{DeploymentId, TaskId};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// ECS's quota of tasks per service.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
pub(crate) const MOST_TASKS: usize = 5000;

/// A deployment that somebody asked for has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// The service's label.
    pub service: String,
    /// The new deployment.
    pub deployment: DeploymentId,
    /// What it brings: `validator:2`.
    pub task_definition: String,
}

/// What became of a service when a new definition was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The service's label.
    pub service: String,
    /// What became of it.
    #[serde(flatten)]
    pub change: ServiceChange,
}

/// What became of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum ServiceChange {
    /// It is new.
    Started {
        /// What it runs.
        task_definition: String,
    },
    /// A deployment has begun.
    Deploying {
        /// The new deployment.
        deployment: DeploymentId,
        /// What it brings.
        task_definition: String,
    },
    /// What changed needs no deployment.
    Updated,
    /// It is as it was.
    Unchanged,
    /// The stack has it no more: its tasks drain and end.
    Removed,
}

/// Something that was asked of a fleet is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum OperationError {
    /// No service has this label or name.
    #[error("there is no service {service}")]
    UnknownService {
        /// What was asked for.
        service: String,
        /// The labels that there are.
        known: Vec<String>,
    },
    /// No task that still runs has this id.
    #[error("no task {task} runs")]
    UnknownTask {
        /// What was asked for.
        task: TaskId,
    },
    /// No service has a subnet in this zone.
    #[error("no service has a subnet in {zone}")]
    UnknownZone {
        /// What was asked for.
        zone: String,
        /// The zones that there are.
        known: Vec<String>,
    },
    /// A service can have so many tasks and not more.
    #[error("{count} tasks are more than the {MOST_TASKS} that ECS allows a service")]
    TooManyTasks {
        /// What was asked for.
        count: usize,
    },
    /// The stack says nothing of its autoscaling.
    #[error("autoscaling does not look after service {service}")]
    NotScalable {
        /// The service's label.
        service: String,
    },
    /// The service has no such revision to go back to.
    #[error("service {service} has had no revision {revision} in this run")]
    UnknownRevision {
        /// The service's label.
        service: String,
        /// What was asked for.
        revision: u32,
        /// Those that it has had: `validator:2`.
        known: Vec<String>,
    },
    /// The service has had no other revision that came to rest.
    #[error("service {service} has no completed deployment of another revision in this run")]
    NothingToRollBackTo {
        /// The service's label.
        service: String,
    },
    /// Only Spot capacity is taken back.
    #[error("task {task} runs on {capacity_provider}, which is not interrupted")]
    NotOnSpot {
        /// What was asked for.
        task: TaskId,
        /// What it runs on.
        capacity_provider: String,
    },
    /// The fleet is stopping.
    #[error("the fleet is stopping")]
    Stopping,
}

impl OperationError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        let choose = |known: &[String]| (!known.is_empty()).then(|| format!("there is: {}", known.join(", ")));
        match self {
            Self::UnknownService { known, .. }
            | Self::UnknownZone { known, .. }
            | Self::UnknownRevision { known, .. } => choose(known),
            Self::UnknownTask { .. } => Some("`karma tasks` shows those that run".to_owned()),
            Self::NotOnSpot { .. } => Some("choose a task on FARGATE_SPOT".to_owned()),
            Self::NotScalable { .. } => {
                Some("without an aws_appautoscaling_target its count stays as you set it".to_owned())
            }
            Self::TooManyTasks { .. } | Self::NothingToRollBackTo { .. } | Self::Stopping => None,
        }
    }
}

/// Where the answer to an operation goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, OperationError>>;

/// Something asked of the services that run, by label or name.
#[derive(Debug)]
pub(crate) enum Operation {
    Scale {
        service: String,
        count: usize,
        answer: Answer<()>,
    },
    Restart {
        service: String,
        answer: Answer<Deployed>,
    },
    RollBack {
        service: String,
        revision: Option<u32>,
        answer: Answer<Deployed>,
    },
    StopTask {
        task: TaskId,
        reason: String,
        answer: Answer<()>,
    },
    Interrupt {
        task: TaskId,
        answer: Answer<()>,
    },
    LoseZone {
        zone: String,
        answer: Answer<Vec<TaskId>>,
    },
    RestoreZone {
        zone: String,
        answer: Answer<()>,
    },
}
