//! The deployment circuit breaker: how many tasks of a deployment may fail before it is given up. Pure.
//!
//! First, until a task of the deployment runs, each one that does not come to run counts. From then on each one counts that is replaced
//! because of a failed health check. A task that comes to serve sets the count back. AWS does not document whether a task counts that came to
//! run and then ends by itself; here, as in the guide's list, it does not. Such tasks are held back by the waits of
//! [`BackOff`](crate::BackOff).
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>

use std::collections::BTreeSet;

use crate::task::TaskId;

/// The threshold in percent of the desired count, and the bounds that it is held between.
const PERCENT: usize = 50;
const LEAST: usize = 3;
const MOST: usize = 200;

/// So many failures end a deployment, by the count that is desired at the moment.
pub(crate) fn threshold(desired_count: usize) -> usize {
    desired_count.saturating_mul(PERCENT).div_ceil(100).clamp(LEAST, MOST)
}

/// The failures of one deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    in_a_row: usize,
    has_run: bool,
    /// The tasks that have come to serve: each sets the count back once.
    served: BTreeSet<TaskId>,
}

impl Failures {
    /// So many since a task last came to serve.
    pub fn in_a_row(&self) -> usize {
        self.in_a_row
    }

    /// Whether one of its tasks has come to run.
    pub fn has_run(&self) -> bool {
        self.has_run
    }

    /// A task has come to run: what could not be started before no longer matters.
    pub fn note_running(&mut self) {
        if !self.has_run {
            self.has_run = true;
            self.in_a_row = 0;
        }
    }

    /// A task serves.
    pub fn note_serving(&mut self, task: &TaskId) {
        if self.served.insert(task.clone()) {
            self.in_a_row = 0;
        }
    }

    /// A task has ended before it ran.
    pub fn note_failed_start(&mut self) {
        if !self.has_run {
            self.in_a_row += 1;
        }
    }

    /// A task is replaced because of a failed health check.
    pub fn note_failed_health_check(&mut self) {
        if self.has_run {
            self.in_a_row += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_half_of_the_desired_count_within_bounds() {
        let check = |desired, expected| assert_eq!(threshold(desired), expected, "{desired}");
        check(0, 3);
        check(1, 3);
        check(6, 3);
        check(7, 4);
        check(25, 13);
        check(400, 200);
        check(800, 200);
    }

    /// `s` a failed start, `h` a failed health check, `r` a task runs, `+` a task serves.
    fn check(story: &str, expected: usize) {
        let mut failures = Failures::default();
        for event in story.chars() {
            match event {
                's' => failures.note_failed_start(),
                'h' => failures.note_failed_health_check(),
                'r' => failures.note_running(),
                _ => failures.note_serving(&TaskId::random()),
            }
        }
        assert_eq!(failures.in_a_row(), expected, "{story}");
    }

    #[test]
    fn failed_starts_count_until_a_task_runs_and_failed_health_checks_from_then_on() {
        check("ss", 2);
        check("ssr", 0);
        check("rsss", 0);
        check("ssrhh", 2);
        check("hh", 0);
    }

    #[test]
    fn a_task_that_serves_sets_the_count_back_once() {
        check("rhh+h", 1);
        let mut failures = Failures::default();
        let task = TaskId::random();
        failures.note_running();
        for _ in 0..3 {
            failures.note_serving(&task);
            failures.note_failed_health_check();
        }
        assert_eq!(failures.in_a_row(), 3);
    }
}
