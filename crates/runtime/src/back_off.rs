//! How long to wait before a task that ended too soon is replaced.
//!
//! ECS waits longer each time, up to 27 minutes; its steps are not published, and only tasks that never came to run count there.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html>
//! On a laptop a task starts in milliseconds, so one that runs and ends at once would spin: here every task that ends by itself or
//! is replaced because it is unhealthy counts, the wait doubles from one second, and half a minute is the most, since the user may just
//! have mended it.

use std::time::Duration;

use crate::task::{StopCode, Task};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A task that ran for so long was all right: the count starts anew.
const GOOD_RUN: Duration = Duration::from_mins(1);
/// From so many failures in a row the service says that it cannot start tasks.
const IMPAIRED: u32 = 3;

/// What a service remembers of tasks that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackOff {
    failures: u32,
    ready_at: Duration,
}

impl BackOff {
    /// Notes why a task stops.
    pub(crate) fn record(&mut self, task: &Task, now: Duration) {
        if !is_failure(task) {
            return;
        }
        if ran_for(task, now) >= GOOD_RUN {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.ready_at = now + wait_after(self.failures);
    }

    /// From when on a task may be started.
    pub fn ready_at(&self) -> Duration {
        self.ready_at
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the service is unable to start tasks.
    pub fn is_impaired(&self) -> bool {
        self.failures >= IMPAIRED
    }
}

fn is_failure(task: &Task) -> bool {
    match task.stop.as_ref().map(|stop| stop.code) {
        Some(StopCode::TaskFailedToStart | StopCode::EssentialContainerExited) => true,
        Some(StopCode::ServiceSchedulerInitiated) => task.is_unhealthy(),
        Some(StopCode::UserInitiated) | None => false,
    }
}

fn ran_for(task: &Task, now: Duration) -> Duration {
    task.started_at
        .map_or(Duration::ZERO, |started_at| now.saturating_sub(started_at))
}

fn wait_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Stop, TaskId};

    fn crashed(code: StopCode, started_at: Option<u64>) -> Task {
        let mut task = Task::new(TaskId::random(), Duration::ZERO, "log".into());
        task.started_at = started_at.map(Duration::from_secs);
        task.stop = Some(Stop {
            code,
            reason: String::new(),
        });
        task
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut back_off = BackOff::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            back_off.record(&crashed(StopCode::TaskFailedToStart, None), Duration::ZERO);
            waits.push(back_off.ready_at().as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_good_run_starts_the_count_anew() {
        let mut back_off = BackOff::default();
        for _ in 0..5 {
            back_off.record(
                &crashed(StopCode::EssentialContainerExited, Some(0)),
                Duration::from_secs(1),
            );
        }
        back_off.record(
            &crashed(StopCode::EssentialContainerExited, Some(0)),
            Duration::from_secs(100),
        );
        assert_eq!(
            (back_off.failures(), back_off.ready_at()),
            (1, Duration::from_secs(101))
        );
    }

    #[test]
    fn a_task_stopped_on_purpose_is_no_failure() {
        let mut back_off = BackOff::default();
        back_off.record(&crashed(StopCode::UserInitiated, None), Duration::ZERO);
        back_off.record(&crashed(StopCode::ServiceSchedulerInitiated, None), Duration::ZERO);
        assert_eq!(back_off, BackOff::default());
    }
}
