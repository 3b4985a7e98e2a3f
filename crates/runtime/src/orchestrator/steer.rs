//! What alarms and autoscaling do with a fleet while it runs, and what is told of it.

use std::time::Duration;

use karma_fleet::scaling::SuspendedState;
use karma_fleet::{Service, ServiceUpdate};
use karma_ops::{AlarmAnswer, AutoscalingChange, Observation, RolloutState, ScalingActivity, ServiceObservation};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::spawn_blocking;

use super::LocalOrchestrator;
use crate::operation::OperationError;
use crate::progress::Progress;
use crate::scaling::{Limits, Minute, NotScalable, Order, ServiceCount};
use crate::schedules::DueUpdate;

impl LocalOrchestrator {
    /// How the alarms stand, and what autoscaling did.
    pub fn alarms(&self) -> AlarmAnswer {
        let clock = self.shared.clock;
        self.shared.control_loop.answer(clock.at(clock.now()))
    }

    /// Changes how autoscaling looks after a service, named by label or name. The stack's own word counts again as soon as that changes.
    /// <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>
    pub fn change_autoscaling(&self, service: &str, change: AutoscalingChange) -> Result<(), OperationError> {
        let service = self.label(service)?;
        let control_loop = &self.shared.control_loop;
        let changed = match change {
            AutoscalingChange::Limits {
                min_capacity: min,
                max_capacity,
            } => {
                let max = max_capacity.max(min);
                control_loop.set_limits(&service, Limits { min, max })
            }
            AutoscalingChange::Suspend => control_loop.suspend(&service, SuspendedState::ALL),
            AutoscalingChange::Resume => control_loop.suspend(&service, SuspendedState::default()),
        };
        changed.map_err(|NotScalable| OperationError::NotScalable { service })
    }

    /// Tells deployments how the alarms stood when the last run ended.
    pub(super) fn note_remembered_alarms(&self) {
        for alarm in self.alarms().alarms {
            self.note_alarm(alarm.name, alarm.state);
        }
    }

    /// Does what the end of a minute asks for. The metrics of the minute are in the store.
    pub(super) async fn steer(&self, now: Duration, observation: &Observation) {
        let shared = &self.shared;
        let at = shared.clock.at(now);
        shared.control_loop.follow(&shared.fleet.borrow(), at);
        let counts: Vec<_> = observation.services.iter().map(count).collect();
        let outcome = shared.control_loop.look(Minute { now, at }, &counts);
        for change in &outcome.changes {
            self.note_alarm(change.alarm.as_str(), change.to);
        }
        for order in &outcome.orders {
            self.carry_out(order).await;
        }
        for update in &outcome.updates {
            self.update(update).await;
        }
        if !outcome.is_nothing() {
            self.write_alarms().await;
        }
    }

    /// Tells metric filters of all that is logged from now on.
    pub(super) async fn filter_logs(self, mut events: broadcast::Receiver<Progress>) {
        loop {
            match events.recv().await {
                Ok(Progress::Log { service, record, .. }) => {
                    let at = self.shared.clock.at(self.shared.clock.now());
                    let control_loop = &self.shared.control_loop;
                    control_loop.note_log(&service, &record.container, &record.message, at);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => {
                    let message =
                        format!("{lost} messages came too fast for the metric filters, and count for nothing");
                    self.shared.announcer.announce(Progress::Note { message });
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn write_alarms(&self) {
        let orchestrator = self.clone();
        let written = spawn_blocking(move || orchestrator.shared.control_loop.write()).await;
        if let Err(error) = written.expect("writing does not panic, and nobody aborts it") {
            let message = format!("what alarms do cannot be written to the disk, and is kept in memory: {error}");
            self.shared.announcer.announce(Progress::Note { message });
        }
    }

    async fn carry_out(&self, order: &Order) {
        let count = usize::try_from(order.desired).unwrap_or(usize::MAX);
        let result = self.set_desired_count(&order.service, count).await;
        let at = self.shared.clock.at(self.shared.clock.now());
        let activity = self.shared.control_loop.done(order, result, at);
        self.note_event(activity.service.as_str(), message(&activity));
    }

    /// Does what a schedule asks for, as `UpdateService` would.
    async fn update(&self, due: &DueUpdate) {
        let label = |service: &Service| service.label.clone();
        let Some(service) = self.shared.fleet.borrow().services.get(&due.service).map(label) else {
            return;
        };
        let message = format!("Message: Schedule {} has come: {}.", due.schedule, wish(due.update));
        self.note_event(service.as_str(), message);
        // A fleet that is stopping is not updated any more.
        if let Some(count) = due.update.desired_count {
            let _ = self.scale(&service, usize::try_from(count).unwrap_or(usize::MAX)).await;
        }
        if due.update.force_new_deployment {
            let _ = self.restart(&service).await;
        }
    }

    async fn set_desired_count(&self, service: &str, count: usize) -> Result<(), String> {
        self.scale(service, count).await.map_err(|error| error.to_string())
    }

    fn label(&self, service: &str) -> Result<String, OperationError> {
        let fleet = self.shared.fleet.borrow();
        let found = fleet.service(service).map(|(_, service)| service.label.clone());
        found.ok_or_else(|| OperationError::UnknownService {
            service: service.to_owned(),
            known: fleet.services.values().map(|service| service.label.clone()).collect(),
        })
    }
}

/// `a new deployment`
fn wish(update: ServiceUpdate) -> String {
    let count = update.desired_count.map(|count| format!("desired count {count}"));
    let deployment = update.force_new_deployment.then(|| "a new deployment".to_owned());
    let wishes: Vec<_> = count.into_iter().chain(deployment).collect();
    wishes.join(" and ")
}

/// As ECS writes it among the events of a service.
fn message(activity: &ScalingActivity) -> String {
    format!("Message: {} Cause: {}", activity.status_message, activity.cause)
}

fn count(service: &ServiceObservation) -> ServiceCount {
    ServiceCount {
        service: service.label.clone(),
        desired: u32::try_from(service.desired_count).unwrap_or(u32::MAX),
        deploying: service
            .deployments
            .iter()
            .any(|one| one.rollout_state == RolloutState::InProgress),
    }
}
