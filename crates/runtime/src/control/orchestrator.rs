//! [`Control`] as an [`Orchestrator`]: the same words as for a fleet elsewhere.

use std::collections::BTreeSet;
use std::time::Duration;

use karma_ops::{
    AlarmAnswer, Answer, AutoscalingChange, DeploymentId, LogQuery, LogReader, MetricAnswer, MetricQuery, Observation,
    Orchestrator, OrchestratorError, TaskId,
};

use super::{Control, ControlError};
use crate::logs::reader::LogFiles;

/// To look costs little here.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Orchestrator for Control {
    fn name(&self) -> &'static str {
        "local"
    }

    fn observe(&self) -> Answer<'_, Observation> {
        Box::pin(async { Ok(Control::observe(self).await?) })
    }

    fn scale<'a>(&'a self, service: &'a str, desired_count: u32) -> Answer<'a, ()> {
        Box::pin(async move { Ok(Control::scale(self, service, desired_count).await?) })
    }

    fn restart<'a>(&'a self, service: &'a str) -> Answer<'a, DeploymentId> {
        Box::pin(async move { Ok(Control::restart(self, service).await?.deployment) })
    }

    fn rollback<'a>(&'a self, service: &'a str, to: Option<u32>) -> Answer<'a, DeploymentId> {
        Box::pin(async move { Ok(Control::rollback(self, service, to).await?.deployment) })
    }

    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { Ok(Control::stop_task(self, task, reason).await?) })
    }

    fn change_autoscaling<'a>(&'a self, service: &'a str, change: AutoscalingChange) -> Answer<'a, ()> {
        Box::pin(async move { Ok(Control::change_autoscaling(self, service, change).await?) })
    }

    fn metrics(&self, query: MetricQuery) -> Answer<'_, MetricAnswer> {
        Box::pin(async { Ok(Control::metrics(self, query).await?) })
    }

    fn alarms(&self) -> Answer<'_, AlarmAnswer> {
        Box::pin(async { Ok(Control::alarms(self).await?) })
    }

    fn logs(&self, query: LogQuery) -> Answer<'_, Box<dyn LogReader>> {
        Box::pin(async {
            let live = live_tasks(&Control::observe(self).await?);
            Ok(Box::new(LogFiles::new(self.state_directory(), query, live)) as Box<dyn LogReader>)
        })
    }

    fn look_again(&self) -> Duration {
        LOOK_AGAIN
    }
}

/// The tasks that have not stopped.
fn live_tasks(observation: &Observation) -> BTreeSet<TaskId> {
    let tasks = observation.services.iter().flat_map(|service| &service.tasks);
    tasks
        .filter(|task| task.stopped_at.is_none())
        .map(|task| task.task_id.clone())
        .collect()
}

impl From<ControlError> for OrchestratorError {
    fn from(error: ControlError) -> Self {
        let (what, hint) = (error.to_string(), error.hint());
        match error {
            ControlError::NothingRunning => Self::NothingRunning,
            ControlError::Refused { reason, hint } => Self::Refused { reason, hint },
            ControlError::Io(source) => Self::Unreachable {
                what,
                hint,
                source: Some(source.into()),
            },
            ControlError::Answer { .. } => Self::Unreachable {
                what,
                hint,
                source: None,
            },
        }
    }
}
