//! [`Slot`]: one container of a task, from before its start until after its end.

use std::sync::Arc;
use std::time::Duration;

use karma_fleet::{DependencyCondition, RestartPolicy};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::ContainerEvent;
use crate::clock::Clock;
use crate::local::LocalContainer;
use crate::runner::{Exit, Launched, Probe, StopSignal};
use crate::task::{ContainerState, HealthStatus};

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) container: Arc<LocalContainer>,
    pub(super) phase: Phase,
    pub(super) pid: Option<u32>,
    pub(super) started_at: Option<Instant>,
    /// The job that watches it.
    pub(super) watch: Option<AbortHandle>,
    pub(super) end_reason: Option<&'static str>,
    pub(super) health: HealthStatus,
    pub(super) health_output: Option<String>,
    pub(super) signals: Option<mpsc::UnboundedSender<StopSignal>>,
    /// When it is killed, once it has been told to end.
    pub(super) deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Waiting,
    Started,
    Ready,
    Exited(Exit),
}

#[derive(Debug)]
pub(super) enum Sighting {
    Ready(Vec<u16>),
    Health(HealthStatus, Probe),
}

impl Slot {
    pub(super) fn new(container: &Arc<LocalContainer>) -> Self {
        Self {
            container: Arc::clone(container),
            phase: Phase::Waiting,
            pid: None,
            started_at: None,
            watch: None,
            end_reason: None,
            health: HealthStatus::Unknown,
            health_output: None,
            signals: None,
            deadline: None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Started | Phase::Ready)
    }

    pub(super) fn is_waiting_for_the_first_time(&self) -> bool {
        self.phase == Phase::Waiting && self.started_at.is_none()
    }

    /// When whoever waits for it gives up.
    pub(super) fn start_deadline(&self) -> Option<Instant> {
        Some(self.started_at? + self.container.start_timeout?)
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.start_deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(super) fn is_to_be_restarted(&self, exit: Exit, clock: Clock) -> bool {
        let ran_for = self.started_at.map(|started| started.elapsed()).unwrap_or_default();
        let policy = self.container.restart_policy.as_ref();
        exit.launched == Launched::Yes
            && policy.is_some_and(|policy| restarts(policy, exit.code, clock.stretched(ran_for)))
    }

    /// `None` where it never will.
    pub(super) fn meets(&self, condition: DependencyCondition) -> Option<bool> {
        let exit_code = match self.phase {
            Phase::Exited(exit) => Some(exit.code),
            _ => None,
        };
        match condition {
            DependencyCondition::Start => Some(self.phase != Phase::Waiting),
            DependencyCondition::Complete => Some(exit_code.is_some()),
            DependencyCondition::Success => match exit_code {
                Some(0) => Some(true),
                Some(_) => None,
                None => Some(false),
            },
            DependencyCondition::Healthy => match (self.health, exit_code) {
                (HealthStatus::Unhealthy, _) | (_, Some(_)) => None,
                (health, None) => Some(health == HealthStatus::Healthy),
            },
        }
    }

    pub(super) fn see(&mut self, sighting: Sighting) -> ContainerEvent {
        match sighting {
            Sighting::Ready(on_all_addresses) => {
                if self.phase == Phase::Started {
                    self.phase = Phase::Ready;
                }
                let container = Arc::clone(&self.container.name);
                ContainerEvent::Ready {
                    container,
                    on_all_addresses,
                }
            }
            Sighting::Health(status, probe) => {
                self.health = status;
                self.health_output = match probe {
                    Probe::Passed => None,
                    Probe::Failed(output) => Some(output),
                };
                ContainerEvent::Changed
            }
        }
    }

    pub(super) fn terminate(&mut self) {
        if self.is_running() && self.deadline.is_none() && self.send(StopSignal::Terminate) {
            self.deadline = Some(Instant::now() + self.container.stop_timeout);
        }
    }

    pub(super) fn kill(&mut self) {
        self.send(StopSignal::Kill);
        self.signals = None;
        self.deadline = None;
    }

    fn send(&self, signal: StopSignal) -> bool {
        self.signals
            .as_ref()
            .is_some_and(|signals| signals.send(signal).is_ok())
    }

    pub(super) fn begin(&mut self, pid: Option<u32>, signals: mpsc::UnboundedSender<StopSignal>) {
        self.phase = Phase::Started;
        self.pid = pid;
        self.started_at = Some(Instant::now());
        self.signals = Some(signals);
        (self.health, self.health_output) = (HealthStatus::Unknown, None);
    }

    pub(super) fn end(&mut self, exit: Exit, reason: Option<&'static str>) {
        if let Some(watch) = self.watch.take() {
            watch.abort();
        }
        self.phase = Phase::Exited(exit);
        self.end_reason = reason;
        self.pid = None;
        self.signals = None;
        self.deadline = None;
    }

    pub(super) fn state(&self) -> ContainerState {
        ContainerState {
            name: self.container.name.to_string(),
            pid: self.pid,
            exit_code: match self.phase {
                Phase::Exited(exit) => Some(exit.code),
                _ => None,
            },
            reason: self.end_reason.map(str::to_owned),
            health_status: self.health,
            health_output: self.health_output.clone(),
        }
    }
}

/// Whether a container that has run for so long is started again, task or no task.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html>
fn restarts(policy: &RestartPolicy, exit_code: i32, ran_for: Duration) -> bool {
    ran_for >= policy.restart_attempt_period && !policy.ignored_exit_codes.contains(&exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_run_long_enough_is_started_again_but_for_what_is_ignored() {
        let check = |ran_for: u64, exit_code: i32, expected: bool| {
            let policy = RestartPolicy {
                ignored_exit_codes: vec![0, 42],
                restart_attempt_period: Duration::from_mins(1),
            };
            assert_eq!(
                restarts(&policy, exit_code, Duration::from_secs(ran_for)),
                expected,
                "{ran_for} {exit_code}"
            );
        };
        check(60, 1, true);
        check(59, 1, false);
        check(90, 0, false);
        check(90, 42, false);
        check(90, 137, true);
    }
}
