//! The scheduler: what a service needs, given its tasks and the time. It is a pure function; whoever executes takes no decision.
//!
//! Where ECS's documentation is silent, the choice made here:
//! - tasks that are stopping do not count against `maximumPercent` (the text speaks of RUNNING and PENDING only);
//! - where there is no room for a replacement, unhealthy tasks are stopped one at a time, and `minimumHealthyPercent` does not
//!   hold this up, since an unhealthy task is not one of the healthy ones it protects;
//! - a task whose health nobody watches is in service a second after it came to run (in a deployment ECS waits for 40): one that ends at once
//!   never was;
//! - of tasks that are one too many the unhealthy go first, then those not in service yet, then the youngest.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html>

use std::cmp::Reverse;
use std::time::Duration;

use karma_fleet::DeploymentConfiguration;

use crate::back_off::BackOff;
use crate::task::{HealthStatus, TargetsHealth, Task, TaskId, TaskStatus};
use karma_ops::ServiceHealth;

/// A task whose health nobody watches has run for so long when it counts as being in service.
const SETTLING: Duration = Duration::from_secs(1);

/// What the scheduler must know of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceView {
    /// So many tasks are wanted.
    pub desired_count: usize,
    /// How many may be missing or extra while tasks are replaced.
    pub deployment: DeploymentConfiguration,
    /// For so long after a task has started, failed health checks do not stop it.
    pub health_check_grace_period: Duration,
    /// Whether an essential container has a health check.
    pub has_container_health_check: bool,
    /// Whether its tasks are registered with a load balancer.
    pub has_load_balancer: bool,
    /// What is remembered of tasks that failed.
    pub back_off: BackOff,
}

/// One step that the scheduler decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a task.
    Start,
    /// Stop a task.
    Stop {
        /// Which.
        task: TaskId,
        /// Why, in ECS's words where it has some.
        reason: String,
    },
}

/// What is to be done now. A stable service needs nothing.
pub fn decide(service: &ServiceView, tasks: &[Task], now: Duration) -> Vec<Action> {
    let live: Vec<&Task> = tasks.iter().filter(|task| task.is_live()).collect();
    let (unhealthy, sound): (Vec<_>, Vec<_>) = live.iter().partition(|task| service.gives_up(task, now));
    if sound.len() > service.desired_count {
        return scale_in(service, &live, now);
    }
    let mut actions = stop_unhealthy(service, &unhealthy, &sound, now);
    let left = live.len() - actions.len();
    actions.extend(start_missing(service, &sound, left, now));
    actions
}

/// When [`decide`] may answer differently although nothing happens: the end of a grace period, of a wait after failures, or of settling.
pub fn wake_at(service: &ServiceView, tasks: &[Task], now: Duration) -> Option<Duration> {
    let live = || tasks.iter().filter(|task| task.is_live());
    let grace_ends = live()
        .filter(|task| task.is_unhealthy())
        .map(|task| service.grace_ends(task));
    let settled = live().filter_map(|task| Some(task.started_at?.saturating_add(SETTLING)));
    grace_ends
        .chain(settled)
        .chain([service.back_off.ready_at()])
        .filter(|&at| at > now)
        .min()
}

impl ServiceView {
    /// Whether a task serves: it runs, and whatever watches its health says that it is healthy.
    pub fn is_in_service(&self, task: &Task, now: Duration) -> bool {
        let runs = task.is_live() && task.last_status == TaskStatus::Running;
        let checked = !self.has_container_health_check || task.health_status == HealthStatus::Healthy;
        let targeted = !self.has_load_balancer || task.targets == Some(TargetsHealth::Healthy);
        let is_watched = self.has_container_health_check || self.has_load_balancer;
        let settled = task
            .started_at
            .is_some_and(|started_at| now >= started_at.saturating_add(SETTLING));
        runs && checked && targeted && (is_watched || settled)
    }

    /// Whether there are just as many tasks as wanted, all of them in service.
    pub fn is_steady(&self, tasks: &[Task], now: Duration) -> bool {
        let present: Vec<_> = tasks
            .iter()
            .filter(|task| task.last_status != TaskStatus::Stopped)
            .collect();
        present.len() == self.desired_count && present.into_iter().all(|task| self.is_in_service(task, now))
    }

    /// How it fares, in one word.
    pub fn health(&self, tasks: &[Task], now: Duration) -> ServiceHealth {
        if self.is_steady(tasks, now) {
            ServiceHealth::Healthy
        } else if self.back_off.is_impaired() || tasks.iter().any(|task| task.is_live() && task.is_unhealthy()) {
            ServiceHealth::Failing
        } else {
            ServiceHealth::Starting
        }
    }

    fn gives_up(&self, task: &Task, now: Duration) -> bool {
        task.is_unhealthy() && now >= self.grace_ends(task)
    }

    fn grace_ends(&self, task: &Task) -> Duration {
        task.started_at
            .unwrap_or(task.created_at)
            .saturating_add(self.health_check_grace_period)
    }

    /// So many tasks may run or be on their way at once. It is never less than what is wanted.
    fn most(&self) -> usize {
        let percent = usize::try_from(self.deployment.maximum_percent).unwrap_or(usize::MAX);
        (self.desired_count.saturating_mul(percent) / 100).max(self.desired_count)
    }
}

/// Stops what is one too many.
fn scale_in(service: &ServiceView, live: &[&Task], now: Duration) -> Vec<Action> {
    let mut by_worth = live.to_vec();
    by_worth.sort_by_key(|task| {
        (
            !task.is_unhealthy(),
            service.is_in_service(task, now),
            Reverse(task.created_at),
        )
    });
    let too_many = live.len().saturating_sub(service.desired_count);
    by_worth[..too_many]
        .iter()
        .map(|task| stop(task, "Scaling activity initiated by the service scheduler"))
        .collect()
}

/// Stops unhealthy tasks whose replacements serve already, or one of them where there is no room for a replacement.
fn stop_unhealthy(service: &ServiceView, unhealthy: &[&Task], sound: &[&Task], now: Duration) -> Vec<Action> {
    let serving = sound.iter().filter(|task| service.is_in_service(task, now)).count();
    let no_room = unhealthy.len() + sound.len() >= service.most();
    let nothing_on_its_way = serving == sound.len();
    let count = match () {
        () if serving >= service.desired_count => unhealthy.len(),
        () if no_room && nothing_on_its_way => 1,
        () => 0,
    };
    unhealthy
        .iter()
        .take(count)
        .map(|task| stop(task, &why_unhealthy(task)))
        .collect()
}

fn start_missing(service: &ServiceView, sound: &[&Task], live: usize, now: Duration) -> Vec<Action> {
    if now < service.back_off.ready_at() {
        return Vec::new();
    }
    let missing = service.desired_count - sound.len();
    let room = service.most().saturating_sub(live);
    vec![Action::Start; missing.min(room)]
}

fn stop(task: &Task, reason: &str) -> Action {
    Action::Stop {
        task: task.id.clone(),
        reason: reason.to_owned(),
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>
fn why_unhealthy(task: &Task) -> String {
    match &task.targets {
        Some(TargetsHealth::Unhealthy { target_group, .. }) => {
            format!("Task failed ELB health checks in (target-group {target_group})")
        }
        _ => "Task failed container health checks".to_owned(),
    }
}

#[cfg(test)]
mod tests;
