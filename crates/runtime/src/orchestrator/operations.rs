//! What one can do with a fleet while it runs.

use std::sync::Arc;

use karma_fleet::Fleet;
use karma_ops::{AlarmState, TaskId};
use tokio::sync::oneshot;

use super::{LocalOrchestrator, Setting};
use crate::error::StartError;
use crate::operation::{Answer, Applied, Deployed, Operation, OperationError};
use crate::program::Programs;
use crate::reconcile::Command;
use crate::reload::{NewDefinition, Refusal};
use crate::secrets::LocalSecrets;

impl LocalOrchestrator {
    /// Runs another definition from now on: what is new starts, what has changed is deployed, and what is gone drains and ends. A program with
    /// other bytes is a change. Answers when that has begun. A definition that cannot run here changes nothing; a fleet that is stopping applies none.
    pub async fn apply(
        &self,
        fleet: Fleet,
        programs: Programs,
        secrets: LocalSecrets,
    ) -> Result<Vec<Applied>, StartError> {
        let mut setting = self.shared.setting.lock().await;
        let Some(Setting { front, settler }) = setting.as_mut() else {
            return Ok(Vec::new());
        };
        let definition = settler.settle(&fleet, &programs, &secrets)?;
        let not_served = front.follow(&fleet, &definition.services)?;
        let revisions = front.revisions(&fleet, definition.services, &definition.zones)?;
        let (answer, applied) = oneshot::channel();
        self.order(Command::Apply(revisions, answer));
        let applied = applied.await.unwrap_or_default();
        settler.keep_only(&applied.words);
        self.shared.front.send_replace(front.observe());
        self.shared.meters.send_replace(front.meters());
        let of_machine = self.shared.runner.upgrade().map(|runner| runner.notes());
        let notes = [definition.notes, not_served, of_machine.unwrap_or_default()].concat();
        self.shared.notes.send_replace(notes);
        self.shared.fleet.send_replace(Arc::new(fleet));
        Ok(applied.applied)
    }

    /// Reads the definition anew, with what another process was given, and runs that from now on.
    pub(crate) async fn reload(&self, given: serde_json::Value) -> Result<Vec<Applied>, Refusal> {
        let Some(reload) = &self.shared.reload else {
            return Err(Refusal {
                reason: "this fleet cannot read its definition anew".to_owned(),
                hint: Some("stop it with `karma down`, and start it again".to_owned()),
            });
        };
        let NewDefinition {
            fleet,
            programs,
            secrets,
        } = reload.read(given).await?;
        Ok(self.apply(fleet, programs, secrets).await?)
    }

    /// Makes it so many tasks of a service, named by label or name. That is no deployment.
    pub async fn scale(&self, service: &str, count: usize) -> Result<(), OperationError> {
        let service = service.to_owned();
        self.operate(|answer| Operation::Scale { service, count, answer }).await
    }

    /// Begins a deployment of what a service runs already.
    pub async fn restart(&self, service: &str) -> Result<Deployed, OperationError> {
        let service = service.to_owned();
        self.operate(|answer| Operation::Restart { service, answer }).await
    }

    /// Begins a deployment of an earlier revision: this one, or that of the last completed deployment that brought another than the present one.
    pub async fn rollback(&self, service: &str, revision: Option<u32>) -> Result<Deployed, OperationError> {
        let service = service.to_owned();
        self.operate(|answer| Operation::RollBack {
            service,
            revision,
            answer,
        })
        .await
    }

    /// Stops a task in ECS's order; its service replaces it.
    pub async fn stop_task(&self, task: TaskId, reason: impl Into<String>) -> Result<(), OperationError> {
        let reason = reason.into();
        self.operate(|answer| Operation::StopTask { task, reason, answer })
            .await
    }

    /// Takes back the Spot capacity of a task.
    pub async fn interrupt(&self, task: TaskId) -> Result<(), OperationError> {
        self.operate(|answer| Operation::Interrupt { task, answer }).await
    }

    /// Takes away an availability zone with all that runs there. Returns the tasks that are gone.
    pub async fn lose_zone(&self, zone: &str) -> Result<Vec<TaskId>, OperationError> {
        let zone = zone.to_owned();
        self.operate(|answer| Operation::LoseZone { zone, answer }).await
    }

    /// Gives an availability zone back.
    pub async fn restore_zone(&self, zone: &str) -> Result<(), OperationError> {
        let zone = zone.to_owned();
        self.operate(|answer| Operation::RestoreZone { zone, answer }).await
    }

    /// Tells deployments of the state that an alarm has come to.
    pub fn note_alarm(&self, name: impl Into<String>, state: AlarmState) {
        let name = name.into();
        self.order(Command::NoteAlarm { name, state });
    }

    /// Puts something among the events of a service, by its label.
    pub(super) fn note_event(&self, service: impl Into<String>, message: String) {
        let service = service.into();
        self.order(Command::NoteEvent { service, message });
    }

    async fn operate<T>(&self, operation: impl FnOnce(Answer<T>) -> Operation) -> Result<T, OperationError> {
        let (answer, answered) = oneshot::channel();
        self.order(Command::Operate(operation(answer)));
        answered.await.unwrap_or(Err(OperationError::Stopping))
    }

    /// When the loop has ended there is nobody to order.
    fn order(&self, command: Command) {
        let _ = self.shared.commands.send(command);
    }
}
