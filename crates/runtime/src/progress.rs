//! [`Progress`]: what happens while it happens, for whoever watches.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::logs::LogRecord;
use crate::task::{HealthStatus, TargetsHealth, TaskId, TaskStatus};

/// So many messages wait for a slow watcher; what is more is lost to him. Log files lose nothing.
const BACKLOG: usize = 4096;

/// Something that has just happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Progress {
    /// A task has come to another status.
    Status {
        /// The service's label.
        service: String,
        /// Which task.
        task: TaskId,
        /// Where it is now.
        status: TaskStatus,
        /// Why, where it stops.
        reason: Option<String>,
    },
    /// A task's container health checks say something else than before.
    Health {
        /// The service's label.
        service: String,
        /// Which task.
        task: TaskId,
        /// What they say now.
        health: HealthStatus,
    },
    /// The load balancer thinks otherwise of a task.
    Targets {
        /// The service's label.
        service: String,
        /// Which task.
        task: TaskId,
        /// What it thinks now.
        targets: TargetsHealth,
    },
    /// A line of a task's output.
    Log {
        /// The service's label.
        service: String,
        /// Which task.
        task: TaskId,
        /// The line.
        record: LogRecord,
    },
    /// An event of a service, in ECS's words.
    Event {
        /// The service's label.
        service: String,
        /// `service (validator) has reached a steady state.`
        message: String,
    },
    /// Something that the user should know.
    Note {
        /// One sentence.
        message: String,
    },
}

/// The sending end. Nobody has to listen.
#[derive(Debug, Clone)]
pub(crate) struct Announcer(broadcast::Sender<Progress>);

impl Announcer {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    pub(crate) fn announce(&self, progress: Progress) {
        // An error means that nobody listens.
        let _ = self.0.send(progress);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Progress> {
        self.0.subscribe()
    }
}
