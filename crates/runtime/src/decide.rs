//! The scheduler: what a service needs, given its deployments, its tasks and the time. It is a pure function; whoever executes takes no decision.
//!
//! Tasks of the wanted deployment are started as far as `maximumPercent` allows, and those of earlier ones stopped one for each that has
//! taken over. Where there is no room to start one, as many of the earlier ones make room as `minimumHealthyPercent` allows.
//!
//! Where ECS's documentation is silent, the choice made here:
//! - tasks that are stopping do not count against `maximumPercent` (the text speaks of RUNNING and PENDING only);
//! - an earlier task is only stopped before its successor serves where there is no room for the successor beside it;
//! - where there is no room for a replacement, unhealthy tasks are stopped one at a time, and `minimumHealthyPercent` does not
//!   hold this up, since an unhealthy task is not one of the healthy ones it protects;
//! - a task whose health nobody watches is in service a second after it came to run, since one that ends at once never was; before it
//!   replaces a task of an earlier deployment, ECS's 40 seconds must be over;
//! - of tasks that are one too many the unhealthy go first, then those not in service yet, then those in the zone with the most tasks, then the
//!   youngest.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html>

mod census;
mod rebalance;

use std::collections::BTreeSet;
use std::time::Duration;

use karma_fleet::{DeploymentAlarms, DeploymentConfiguration};
use karma_ops::{DeploymentId, RolloutState, ServiceHealth};

use crate::back_off::BackOff;
use crate::deployment::circuit_breaker::Failures;
use crate::deployment::{Deployment, Watched};
use crate::placement::{Capacity, Placement, Spread};
use crate::task::{HealthStatus, Purpose, TargetsHealth, Task, TaskId, TaskStatus};
use census::Census;

/// A task whose health nobody watches has run for so long when it counts as being in service.
const SETTLING: Duration = Duration::from_secs(1);

/// A task whose health nobody watches has run for so long when it counts as healthy in a deployment.
const PROVING: Duration = Duration::from_secs(40);

/// What the scheduler must know of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceView {
    /// So many tasks are wanted.
    pub desired_count: usize,
    /// How tasks are replaced.
    pub configuration: DeploymentConfiguration,
    /// Alarms that make a deployment fail.
    pub alarms: Option<DeploymentAlarms>,
    /// The alarms that are in alarm.
    pub in_alarm: BTreeSet<String>,
    /// For so long after a task has started, failed health checks do not stop it.
    pub health_check_grace_period: Duration,
    /// What tasks may be placed on.
    pub capacity: Capacity,
    /// Whether tasks move when the zones hold unequal numbers of them.
    pub rebalances: bool,
    /// Its deployments: the wanted one first, then the others, newest first. There is always one.
    pub deployments: Vec<Deployment>,
    /// What is remembered of tasks that failed.
    pub back_off: BackOff,
}

/// One step that the scheduler decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a task of the wanted deployment.
    Start {
        /// Where.
        placement: Placement,
        /// What for.
        purpose: Purpose,
    },
    /// Stop a task.
    Stop {
        /// Which.
        task: TaskId,
        /// What for.
        cause: Cause,
        /// Why, in ECS's words where it has some.
        reason: String,
    },
}

/// Why the scheduler stops a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its health checks have failed.
    Unhealthy,
    /// It is one too many, or has been replaced.
    Surplus,
    /// Its zone holds more tasks than others.
    Rebalancing,
}

/// What is to be done now. A stable service needs nothing.
pub fn decide(service: &ServiceView, tasks: &[Task], now: Duration) -> Vec<Action> {
    let census = Census::take(service, tasks, now);
    let mut actions = census.stop_surplus();
    actions.extend(census.stop_unhealthy());
    actions.extend(census.replace(actions.len()));
    if actions.is_empty() {
        actions.extend(rebalance::move_one(service, tasks, now));
    }
    actions
}

/// When [`decide`] may answer differently although nothing happens: the end of a grace period, of a wait after failures, or of settling.
pub fn wake_at(service: &ServiceView, tasks: &[Task], now: Duration) -> Option<Duration> {
    let live = || tasks.iter().filter(|task| task.is_live());
    let grace_ends = live()
        .filter(|task| task.is_unhealthy())
        .map(|task| service.grace_ends(task));
    let unwatched = || live().filter(|task| !service.watched(task).is_watched());
    let after = |wait: Duration| unwatched().filter_map(move |task| Some(task.started_at?.saturating_add(wait)));
    grace_ends
        .chain(after(SETTLING))
        .chain(after(PROVING))
        .chain([service.back_off.ready_at()])
        .filter(|&at| at > now)
        .min()
}

impl ServiceView {
    /// The deployment that is wanted.
    pub fn primary(&self) -> &Deployment {
        &self.deployments[0]
    }

    /// Whether a task serves: it runs, and whatever watches its health says that it is healthy.
    pub fn is_in_service(&self, task: &Task, now: Duration) -> bool {
        self.is_healthy(task, now, SETTLING)
    }

    /// Whether a task counts as healthy in a deployment.
    fn is_proven(&self, task: &Task, now: Duration) -> bool {
        self.is_healthy(task, now, PROVING)
    }

    /// A task of a deployment that is forgotten is watched by nothing.
    fn watched(&self, task: &Task) -> Watched {
        let deployment = self.deployments.iter().find(|one| one.id == task.deployment);
        deployment.map(|deployment| deployment.watched).unwrap_or_default()
    }

    fn is_healthy(&self, task: &Task, now: Duration, patience: Duration) -> bool {
        let watched = self.watched(task);
        let runs = task.is_live() && task.last_status == TaskStatus::Running;
        let checked = !watched.by_container_health_check || task.health_status == HealthStatus::Healthy;
        let targeted = !watched.by_load_balancer || task.targets == Some(TargetsHealth::Healthy);
        let settled = task
            .started_at
            .is_some_and(|started_at| now >= started_at.saturating_add(patience));
        runs && checked && targeted && (watched.is_watched() || settled)
    }

    /// Whether there are just as many tasks as wanted, all of the wanted deployment and in service.
    pub fn is_steady(&self, tasks: &[Task], now: Duration) -> bool {
        let present: Vec<_> = tasks
            .iter()
            .filter(|task| task.last_status != TaskStatus::Stopped)
            .collect();
        let is_wanted = |task: &Task| task.deployment == self.primary().id && self.is_in_service(task, now);
        present.len() == self.desired_count && present.into_iter().all(is_wanted)
    }

    /// Whether a deployment can neither start nor stop a task although everything that runs is well: its percentages leave no room.
    pub fn is_deadlocked(&self, tasks: &[Task], now: Duration) -> bool {
        let census = Census::take(self, tasks, now);
        census.is_blocked() && decide(self, tasks, now).is_empty()
    }

    /// How it fares, in one word.
    pub fn health(&self, tasks: &[Task], now: Duration) -> ServiceHealth {
        if self.primary().rollout_state == RolloutState::Failed {
            ServiceHealth::Failing
        } else if self.is_steady(tasks, now) {
            ServiceHealth::Healthy
        } else if self.is_failing(tasks, now) {
            ServiceHealth::Failing
        } else {
            ServiceHealth::Starting
        }
    }

    /// A task of a deployment has come to run.
    pub(crate) fn note_running(&mut self, deployment: &DeploymentId) {
        self.note_in(deployment, Failures::note_running);
    }

    /// A task of a deployment has ended before it ran.
    pub(crate) fn note_failed_start(&mut self, deployment: &DeploymentId) {
        self.note_in(deployment, Failures::note_failed_start);
    }

    /// A task of a deployment is replaced because of a failed health check.
    pub(crate) fn note_failed_health_check(&mut self, deployment: &DeploymentId) {
        self.note_in(deployment, Failures::note_failed_health_check);
    }

    fn note_in(&mut self, deployment: &DeploymentId, note: fn(&mut Failures)) {
        let deployment = self.deployments.iter_mut().find(|one| one.id == *deployment);
        if let Some(deployment) = deployment.filter(|one| one.rollout_state == RolloutState::InProgress) {
            note(&mut deployment.failures);
        }
    }

    /// The first of its alarms that is in alarm.
    pub(crate) fn alarm_in_alarm(&self) -> Option<&str> {
        let mut names = self.alarms.as_ref()?.alarm_names.iter();
        names.find(|name| self.in_alarm.contains(*name)).map(String::as_str)
    }

    fn is_failing(&self, tasks: &[Task], now: Duration) -> bool {
        self.back_off.is_impaired()
            || !self.capacity.has_room()
            || tasks.iter().any(|task| task.is_live() && task.is_unhealthy())
            || self.is_deadlocked(tasks, now)
    }

    fn gives_up(&self, task: &Task, now: Duration) -> bool {
        task.is_unhealthy() && now >= self.grace_ends(task)
    }

    fn grace_ends(&self, task: &Task) -> Duration {
        task.started_at
            .unwrap_or(task.created_at)
            .saturating_add(self.health_check_grace_period)
    }

    /// Whether a task may be started at all now.
    fn may_start(&self, now: Duration) -> bool {
        self.primary().rollout_state != RolloutState::Failed && now >= self.back_off.ready_at()
    }

    /// So many tasks may run or be on their way at once. It is never less than what is wanted.
    fn most(&self) -> usize {
        (percent_of(self.desired_count, self.configuration.maximum_percent) / 100).max(self.desired_count)
    }

    /// So many tasks stay healthy.
    fn least(&self) -> usize {
        percent_of(self.desired_count, self.configuration.minimum_healthy_percent).div_ceil(100)
    }
}

/// A hundred times the part of a count.
fn percent_of(count: usize, percent: u32) -> usize {
    count.saturating_mul(usize::try_from(percent).unwrap_or(usize::MAX))
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

/// The places of the live tasks of the wanted deployment.
fn spread<'a>(service: &'a ServiceView, tasks: &'a [Task]) -> Spread<'a> {
    let wanted = |task: &&Task| task.is_live() && task.deployment == service.primary().id;
    Spread::new(
        &service.capacity,
        tasks.iter().filter(wanted).map(|task| &task.placement),
    )
}

#[cfg(test)]
pub(crate) mod tests;
