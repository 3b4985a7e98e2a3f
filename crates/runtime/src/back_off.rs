//! How long to wait before a task that ended too soon is replaced.
//!
//! ECS waits longer each time, up to 27 minutes; its steps are not published, and only tasks that never came to run count there.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html>
//! On a laptop a task starts in milliseconds, so one that runs and ends at once would spin: here every task that ends by itself or
//! is replaced because it is unhealthy counts. The wait doubles from one second of the run's time, and half a minute is the most instead of 27: nobody
//! waits for that in front of a screen, and the user may just have mended it. As on ECS nothing can be set, it is tried for ever, and a new
//! deployment is started without a wait.

use std::time::Duration;

use crate::task::Task;

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
    /// Notes that a task has failed.
    pub(crate) fn record(&mut self, task: &Task, now: Duration) {
        if ran_for(task, now) >= GOOD_RUN {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.ready_at = now + wait_after(self.failures);
    }

    /// Starts the count anew, as for a new deployment.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
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
    use crate::task::tests::new_task;

    fn started(started_at: Option<u64>) -> Task {
        let mut task = new_task();
        task.started_at = started_at.map(Duration::from_secs);
        task
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut back_off = BackOff::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            back_off.record(&started(None), Duration::ZERO);
            waits.push(back_off.ready_at().as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_good_run_starts_the_count_anew() {
        let mut back_off = BackOff::default();
        for _ in 0..5 {
            back_off.record(&started(Some(0)), Duration::from_secs(1));
        }
        back_off.record(&started(Some(0)), Duration::from_secs(100));
        assert_eq!(
            (back_off.failures(), back_off.ready_at()),
            (1, Duration::from_secs(101))
        );
    }
}
