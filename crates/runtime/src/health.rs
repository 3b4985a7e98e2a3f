//! Container health checks: how single runs become a status.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>

use std::time::Duration;

use crate::local::LocalHealthCheck;
use crate::runner::Probe;
use crate::task::HealthStatus;

/// What is remembered between the runs of one container's health check.
#[derive(Debug, Clone)]
pub(crate) struct HealthTracker {
    retries: u32,
    start_period: Duration,
    failures: u32,
    status: HealthStatus,
}

impl HealthTracker {
    pub(crate) fn new(check: &LocalHealthCheck) -> Self {
        Self {
            retries: check.retries,
            start_period: check.start_period,
            failures: 0,
            status: HealthStatus::Unknown,
        }
    }

    /// The status after one more run, `age` after the container's start. One success makes a container healthy; before the first one,
    /// failures within the start period do not count.
    pub(crate) fn record(&mut self, probe: &Probe, age: Duration) -> HealthStatus {
        match probe {
            Probe::Passed => {
                self.failures = 0;
                self.status = HealthStatus::Healthy;
            }
            Probe::Failed(_) if self.status == HealthStatus::Unknown && age < self.start_period => {}
            Probe::Failed(_) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures >= self.retries {
                    self.status = HealthStatus::Unhealthy;
                }
            }
        }
        self.status
    }
}

/// A task's status from those of its essential containers that have a health check: unhealthy before unknown before healthy.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>
pub(crate) fn task_health(containers: impl IntoIterator<Item = HealthStatus>) -> HealthStatus {
    let worst = |status: &HealthStatus| match status {
        HealthStatus::Healthy => 0,
        HealthStatus::Unknown => 1,
        HealthStatus::Unhealthy => 2,
    };
    containers.into_iter().max_by_key(worst).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs at the given seconds: `+` passed, `-` failed. What is said after each: healthy, unhealthy, unknown.
    fn check(start_period: u64, runs: &[(u64, char)], expected: &str) {
        let mut tracker = HealthTracker::new(&LocalHealthCheck {
            program: String::new(),
            args: vec![],
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            retries: 3,
            start_period: Duration::from_secs(start_period),
        });
        let said: String = runs
            .iter()
            .map(|&(age, outcome)| {
                let probe = if outcome == '+' {
                    Probe::Passed
                } else {
                    Probe::Failed(String::new())
                };
                match tracker.record(&probe, Duration::from_secs(age)) {
                    HealthStatus::Healthy => 'h',
                    HealthStatus::Unhealthy => 'u',
                    HealthStatus::Unknown => '?',
                }
            })
            .collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn failures_in_a_row_make_a_container_unhealthy() {
        check(0, &[(0, '-'), (30, '-'), (60, '-'), (90, '+')], "??uh");
        check(
            0,
            &[
                (0, '+'),
                (30, '-'),
                (60, '-'),
                (90, '+'),
                (120, '-'),
                (150, '-'),
                (180, '-'),
            ],
            "hhhhhhu",
        );
    }

    #[test]
    fn failures_in_the_start_period_do_not_count_until_the_first_success() {
        check(60, &[(0, '-'), (30, '-'), (60, '-'), (90, '-'), (120, '-')], "????u");
        check(600, &[(0, '-'), (30, '+'), (60, '-'), (90, '-'), (120, '-')], "?hhhu");
    }

    #[test]
    fn the_worst_container_speaks_for_the_task() {
        use HealthStatus::{Healthy, Unhealthy, Unknown};
        assert_eq!(task_health([]), Unknown);
        assert_eq!(task_health([Healthy, Healthy]), Healthy);
        assert_eq!(task_health([Healthy, Unknown]), Unknown);
        assert_eq!(task_health([Unknown, Unhealthy, Healthy]), Unhealthy);
    }
}
