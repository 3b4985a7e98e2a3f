//! How a deployment goes: when it is completed, when it has failed, and what it is rolled back to. Pure.
//!
//! A deployment is completed when the service comes to rest with it. A failed one starts no more tasks; where the service is to be
//! rolled back, its last completed deployment becomes the wanted one again, and where there is none the failed one stays as it is.
//! Where a circuit breaker and alarms are both there, whichever is first decides.
//!
//! ECS goes on to look at the alarms for a while after the service has come to rest; how long, it computes from the alarms and does not document.
//! Here a deployment that has come to rest is completed.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-failure-detection.html>

use std::time::Duration;

use karma_ops::{DEADLOCK, DeploymentId, DeploymentStatus, RolloutState};

use crate::decide::ServiceView;
use crate::deployment::circuit_breaker;
use crate::deployment::{Deployment, in_progress};
use crate::task::{Task, TaskStatus};

/// Something worth telling happened to a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// The service has come to rest with it.
    Completed(DeploymentId),
    /// It has been given up.
    Failed {
        /// Which.
        deployment: DeploymentId,
        /// `tasks failed to start`
        why: String,
    },
    /// An earlier one is wanted again.
    RollingBack {
        /// Which.
        to: DeploymentId,
    },
    /// It can neither start nor stop a task.
    Deadlocked,
}

/// Why a deployment is given up, and what follows.
struct Failure {
    why: String,
    reason: String,
    rollback: bool,
}

/// Takes the deployments of a service as far as its tasks are.
pub(crate) fn advance(service: &mut ServiceView, tasks: &[Task], now: Duration) -> Vec<Milestone> {
    retire_replaced(service, tasks, now);
    if service.deployments[0].rollout_state != RolloutState::InProgress {
        return Vec::new();
    }
    note_serving(service, tasks, now);
    if let Some(failure) = failure(service) {
        return fail(service, failure, now);
    }
    if service.is_steady(tasks, now) {
        return vec![complete(service, now)];
    }
    look_for_deadlock(service, tasks, now).into_iter().collect()
}

/// Begins a deployment: it is the wanted one from now on, and every other is being replaced.
pub(crate) fn begin(service: &mut ServiceView, mut deployment: Deployment) {
    deployment.heeds_alarms = service.alarm_in_alarm().is_none();
    supersede(service);
    service.deployments.insert(0, deployment);
}

fn supersede(service: &mut ServiceView) {
    for other in &mut service.deployments {
        if other.status == DeploymentStatus::Primary {
            other.status = DeploymentStatus::Active;
        }
    }
}

fn retire_replaced(service: &mut ServiceView, tasks: &[Task], now: Duration) {
    for deployment in &mut service.deployments {
        let has_tasks = || {
            tasks
                .iter()
                .any(|task| task.deployment == deployment.id && task.last_status != TaskStatus::Stopped)
        };
        if deployment.status == DeploymentStatus::Active && !has_tasks() {
            deployment.status = DeploymentStatus::Inactive;
            deployment.updated_at = now;
        }
    }
}

fn note_serving(service: &mut ServiceView, tasks: &[Task], now: Duration) {
    let serving: Vec<_> = tasks
        .iter()
        .filter(|task| task.deployment == service.deployments[0].id && service.is_in_service(task, now))
        .map(|task| &task.id)
        .collect();
    let failures = &mut service.deployments[0].failures;
    for task in serving {
        failures.note_serving(task);
    }
}

fn failure(service: &ServiceView) -> Option<Failure> {
    tripped(service).or_else(|| alarmed(service))
}

fn tripped(service: &ServiceView) -> Option<Failure> {
    let breaker = service.configuration.circuit_breaker?;
    let failures = &service.deployments[0].failures;
    if failures.in_a_row() < circuit_breaker::threshold(service.desired_count) {
        return None;
    }
    let why = if failures.has_run() {
        "tasks failed health checks"
    } else {
        "tasks failed to start"
    };
    Some(Failure {
        why: why.to_owned(),
        reason: format!("ECS deployment circuit breaker: {why}."),
        rollback: breaker.rollback,
    })
}

fn alarmed(service: &ServiceView) -> Option<Failure> {
    let alarms = service.alarms.as_ref()?;
    let name = service
        .alarm_in_alarm()
        .filter(|_| service.deployments[0].heeds_alarms)?;
    let why = format!("alarm {name} is in the ALARM state");
    Some(Failure {
        reason: format!("ECS deployment failed: {why}."),
        why,
        rollback: alarms.rollback,
    })
}

fn fail(service: &mut ServiceView, failure: Failure, now: Duration) -> Vec<Milestone> {
    let failed = &mut service.deployments[0];
    let deployment = failed.id.clone();
    failed.become_state(RolloutState::Failed, failure.reason, now);
    let why = failure.why;
    let mut milestones = vec![Milestone::Failed { deployment, why }];
    if failure.rollback {
        milestones.extend(roll_back(service, now));
    }
    milestones
}

fn roll_back(service: &mut ServiceView, now: Duration) -> Option<Milestone> {
    let is_completed = |deployment: &Deployment| deployment.rollout_state == RolloutState::Completed;
    let position = service.deployments.iter().position(is_completed)?;
    let mut target = service.deployments.remove(position);
    let to = target.id.clone();
    let failed = &mut service.deployments[0];
    failed.reason = format!("{} Rolling back to deploymentId {to}.", failed.reason);
    supersede(service);
    target.resume(now);
    target.heeds_alarms = service.alarm_in_alarm().is_none();
    service.deployments.insert(0, target);
    service.back_off.forget();
    Some(Milestone::RollingBack { to })
}

fn complete(service: &mut ServiceView, now: Duration) -> Milestone {
    let deployment = &mut service.deployments[0];
    let reason = format!("ECS deployment {} completed.", deployment.id);
    deployment.become_state(RolloutState::Completed, reason, now);
    Milestone::Completed(deployment.id.clone())
}

/// Says in the deployment's reason whether it is stuck.
fn look_for_deadlock(service: &mut ServiceView, tasks: &[Task], now: Duration) -> Option<Milestone> {
    let is_deadlocked = service.is_deadlocked(tasks, now);
    let deployment = &mut service.deployments[0];
    let was_deadlocked = deployment.reason.ends_with(DEADLOCK);
    match (was_deadlocked, is_deadlocked) {
        (false, true) => {
            deployment.reason = format!("ECS deployment {} {DEADLOCK}", deployment.id);
            Some(Milestone::Deadlocked)
        }
        (true, false) => {
            deployment.reason = in_progress(&deployment.id);
            None
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
