//! [`Fault`]: what can be broken on purpose.

use karma_ops::TaskId;
use serde::{Deserialize, Serialize};

/// Something that goes wrong because somebody wants to see what becomes of it, as with AWS's Fault Injection Service.
/// <https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    /// The Spot capacity of a task is taken back: it is told two minutes before.
    Interrupt {
        /// Whose.
        task: TaskId,
    },
    /// A program that the task cannot do without is killed (SIGKILL).
    Crash {
        /// Whose.
        task: TaskId,
    },
    /// The task is found to use more memory than it may.
    ExhaustMemory {
        /// Which.
        task: TaskId,
    },
    /// An availability zone is gone with all that runs there.
    LoseZone {
        /// Which.
        zone: String,
    },
    /// It is back.
    RestoreZone {
        /// Which.
        zone: String,
    },
}
