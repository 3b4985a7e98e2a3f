//! The last lines of tasks that have stopped, where their service is in trouble.

use aws_sdk_cloudwatchlogs::types::OutputLogEvent;
use karma_ops::{RolloutState, ServiceHealth, ServiceObservation, TaskId, TaskObservation};

use crate::error::{AwsError, Call};
use crate::orchestrator::EcsOrchestrator;
use crate::orchestrator::load_balancers::note;
use crate::orchestrator::observe::Notes;
use crate::orchestrator::scope::ScopedService;

/// So many lines of a stopped task are told, as of one that ran here.
const LAST_LINES: i32 = 20;

/// So many stopped tasks tell why a service is in trouble.
const TASKS: usize = 3;

impl EcsOrchestrator {
    /// Adds what the tasks that stopped last wrote at their end.
    pub(in crate::orchestrator) async fn fill_in_last_lines(
        &self,
        service: &mut ServiceObservation,
        notes: &mut Notes,
    ) {
        let has_failed = service
            .deployments
            .iter()
            .any(|one| one.rollout_state == RolloutState::Failed);
        let Some(of) = self.scope.service(&service.label) else {
            return;
        };
        if service.health == ServiceHealth::Healthy && !has_failed {
            return;
        }
        let stopped = service.tasks.iter_mut().filter(|task| task.stopped_at.is_some());
        let mut stopped: Vec<&mut TaskObservation> = stopped.collect();
        stopped.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
        for task in stopped.into_iter().take(TASKS) {
            match self.last_lines(of, &task.task_id).await {
                Ok(lines) => task.last_lines = lines,
                Err(error) => note(notes, "last lines are not shown", &error),
            }
        }
    }

    /// A task that has stopped writes no more; but its last lines may come late.
    async fn last_lines(&self, of: &ScopedService, task: &TaskId) -> Result<Vec<String>, AwsError> {
        if let Some(known) = self.memory.last_lines(task) {
            return Ok(known);
        }
        let mut events = Vec::new();
        for (container, place) in of.log_places() {
            let stream = place.stream(&container.name, task.as_str());
            events.extend(self.last_events(&place.group, &stream).await?);
        }
        events.sort_by_key(OutputLogEvent::timestamp);
        let lines = events.iter().filter_map(OutputLogEvent::message);
        let mut lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        let surplus = lines
            .len()
            .saturating_sub(usize::try_from(LAST_LINES).unwrap_or_default());
        lines.drain(..surplus);
        if !lines.is_empty() {
            self.memory.keep_last_lines(task, lines.clone());
        }
        Ok(lines)
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>
    async fn last_events(&self, group: &str, stream: &str) -> Result<Vec<OutputLogEvent>, AwsError> {
        let called = format!("log group {group}");
        let call = Call::new("logs:GetLogEvents", &called);
        let request = self
            .clients
            .logs
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream);
        let answer = request.limit(LAST_LINES).start_from_head(false).send().await;
        match answer.map_err(|error| call.failed(error)) {
            Ok(answer) => Ok(answer.events.unwrap_or_default()),
            // A task that never started wrote nothing.
            Err(AwsError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
