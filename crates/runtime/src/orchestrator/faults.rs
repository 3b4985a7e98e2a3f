//! Breaking something on purpose.

use std::sync::Arc;

use karma_ops::TaskId;
use tokio::task::spawn_blocking;

use super::LocalOrchestrator;
use crate::drill::Fault;
use crate::limits::{self, register::Register};
use crate::operation::OperationError;

impl LocalOrchestrator {
    /// Breaks something on purpose. Answers when it is broken, or for [`Fault::Interrupt`] when the task has been told.
    pub async fn inject(&self, fault: Fault) -> Result<(), OperationError> {
        match fault {
            Fault::Interrupt { task } => self.interrupt(task).await,
            Fault::Crash { task } => self.kill(task, Register::crash).await,
            Fault::ExhaustMemory { task } => self.kill(task, limits::exhaust).await,
            Fault::LoseZone { zone } => self.lose_zone(&zone).await.map(drop),
            Fault::RestoreZone { zone } => self.restore_zone(&zone).await,
        }
    }

    /// Has something of a task killed in this way, which says whether there was anything.
    async fn kill(&self, task: TaskId, how: fn(&Register, &TaskId) -> bool) -> Result<(), OperationError> {
        let runner = self.shared.runner.upgrade().ok_or(OperationError::Stopping)?;
        let register = Arc::clone(runner.register());
        let victim = task.clone();
        // To measure memory is to read many small files.
        let killed = spawn_blocking(move || how(&register, &victim)).await;
        match killed {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(OperationError::UnknownTask { task }),
        }
    }
}
