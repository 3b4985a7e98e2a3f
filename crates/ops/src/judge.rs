//! [`judge`]: whether a deployment has come to its end, and to which.
//!
//! ```text
//! IN_PROGRESS ─▶ COMPLETED, and all its tasks in service ─▶ Stable
//!      │   ├───▶ another deployment is PRIMARY ───────────▶ NotStable::Superseded
//!      │   └───▶ it can neither start nor stop a task ────▶ NotStable::Deadlocked
//!      ▼
//!   FAILED ────▶ no other is PRIMARY ─────────────────────▶ NotStable::Failed
//!      └───────▶ the breaker rolls back, and that ends ───▶ NotStable::RolledBack
//! ```
//! Where a revision is followed and not a deployment, the same is said of the deployment that has it.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>

use serde::Serialize;

use crate::deployment::{DeploymentId, DeploymentObservation, DeploymentStatus, RolloutState};
use crate::observation::{Observation, ServiceHealth, ServiceObservation, TaskObservation};

/// So many stopped tasks tell why a deployment failed.
const WITNESSES: usize = 3;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// The service has as many tasks as wanted and not one more, all in service.
    Healthy,
    /// A deployment has come to its end.
    Stable {
        /// Where it is `None`, the one that is PRIMARY when the wait begins.
        deployment: Option<DeploymentId>,
    },
    /// The service has come to rest with this task definition, `family:revision`, by whichever deployment.
    Revision {
        /// `validator:3`
        task_definition: String,
    },
}

/// What an observation says of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing yet.
    UnderWay(UnderWay),
    /// It has come.
    Stable(Stable),
    /// It will not come.
    NotStable(NotStable),
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnderWay {
    /// The deployment that is followed; `None` where only the service's health counts.
    pub deployment: Option<DeploymentId>,
    /// `2/4 running, 1 pending`
    pub tasks: String,
    /// What the orchestrator says about it.
    pub reason: String,
}

/// A service that has come to rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stable {
    /// The service's label.
    pub service: String,
    /// What it runs, as `family:revision`.
    pub task_definition: String,
    /// So many tasks of it.
    pub running_count: usize,
}

/// Why it will not come.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotStable {
    /// There is no such service.
    #[error("no service `{service}`")]
    UnknownService {
        /// As it was asked for.
        service: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The deployment was given up, and nothing has taken its place.
    #[error("the deployment of {task_definition} has failed: {reason}")]
    Failed {
        /// What was to be rolled out.
        task_definition: String,
        /// In the orchestrator's words.
        reason: String,
        /// Its tasks that stopped last.
        stopped: Vec<TaskObservation>,
    },
    /// The deployment was given up, and the service runs again what it ran before.
    #[error("the deployment of {task_definition} has failed and was rolled back to {to}: {reason}")]
    RolledBack {
        /// What was to be rolled out.
        task_definition: String,
        /// What runs instead.
        to: String,
        /// In the orchestrator's words.
        reason: String,
        /// Its tasks that stopped last.
        stopped: Vec<TaskObservation>,
    },
    /// The deployment can neither start nor stop a task.
    #[error("the deployment of {task_definition} cannot go on: {reason}")]
    Deadlocked {
        /// What was to be rolled out.
        task_definition: String,
        /// In the orchestrator's words.
        reason: String,
    },
    /// Another deployment has taken its place before it came to an end.
    #[error("a deployment of {by} has taken its place")]
    Superseded {
        /// What the other rolls out.
        by: String,
    },
}

impl Until {
    /// The PRIMARY deployment, whichever that is when the wait begins.
    pub fn stable() -> Self {
        Self::Stable { deployment: None }
    }
}

/// Judges a service, named by its label or its ECS name.
pub fn judge(observation: &Observation, service: &str, until: &Until) -> Verdict {
    let Some(seen) = observation.service(service) else {
        return Verdict::NotStable(unknown(observation, service));
    };
    match until {
        Until::Healthy => judge_health(seen),
        Until::Stable { deployment } => judge_deployment(seen, deployment.as_ref()),
        Until::Revision { task_definition } => judge_revision(seen, task_definition),
    }
}

fn judge_health(service: &ServiceObservation) -> Verdict {
    if service.health == ServiceHealth::Healthy && service.running_count == service.desired_count {
        return Verdict::Stable(stable(service));
    }
    Verdict::UnderWay(UnderWay {
        deployment: None,
        tasks: tasks(service.running_count, service.desired_count, service.pending_count),
        reason: service
            .events
            .back()
            .map(|event| event.message.clone())
            .unwrap_or_default(),
    })
}

fn judge_deployment(service: &ServiceObservation, id: Option<&DeploymentId>) -> Verdict {
    let Some(primary) = service.primary_deployment() else {
        return judge_health(service);
    };
    let followed = match id {
        None => Some(primary),
        Some(id) => service.deployments.iter().find(|deployment| deployment.id == *id),
    };
    let Some(followed) = followed else {
        return superseded(primary);
    };
    match followed.rollout_state {
        RolloutState::Failed if followed.id == primary.id => Verdict::NotStable(failed(service, followed)),
        RolloutState::Failed => judge_rollback(service, followed, primary),
        _ if followed.id != primary.id => superseded(primary),
        RolloutState::Completed if service.health == ServiceHealth::Healthy => Verdict::Stable(stable(service)),
        RolloutState::InProgress if followed.is_deadlocked() => Verdict::NotStable(NotStable::Deadlocked {
            task_definition: followed.task_definition.clone(),
            reason: followed.rollout_state_reason.clone(),
        }),
        RolloutState::Completed | RolloutState::InProgress => Verdict::UnderWay(progress(followed)),
    }
}

/// Where an older revision has the place of the wanted one, the breaker has put it there. ECS soon forgets the deployment that failed, so that
/// there may be nothing of it left but its tasks.
fn judge_revision(service: &ServiceObservation, wanted: &str) -> Verdict {
    let Some(primary) = service.primary_deployment() else {
        return judge_health(service);
    };
    if primary.task_definition == wanted {
        return judge_deployment(service, Some(&primary.id));
    }
    let is_given_up =
        |it: &&DeploymentObservation| it.task_definition == wanted && it.rollout_state == RolloutState::Failed;
    match service.deployments.iter().find(is_given_up) {
        Some(followed) => judge_rollback(service, followed, primary),
        None if is_older(&primary.task_definition, wanted) => rollback(service, primary, || NotStable::RolledBack {
            task_definition: wanted.to_owned(),
            to: primary.task_definition.clone(),
            reason: primary.rollout_state_reason.clone(),
            stopped: witnesses(service, |task| task.task_definition == wanted),
        }),
        None => superseded(primary),
    }
}

/// Whether both are of one family, and the first came before.
fn is_older(one: &str, other: &str) -> bool {
    let revision = |text: &str| {
        let (family, revision) = text.rsplit_once(':')?;
        Some((family.to_owned(), revision.parse::<u32>().ok()?))
    };
    matches!((revision(one), revision(other)), (Some(one), Some(other)) if one.0 == other.0 && one.1 < other.1)
}

fn judge_rollback(
    service: &ServiceObservation,
    followed: &DeploymentObservation,
    primary: &DeploymentObservation,
) -> Verdict {
    rollback(service, primary, || NotStable::RolledBack {
        task_definition: followed.task_definition.clone(),
        to: primary.task_definition.clone(),
        reason: followed.rollout_state_reason.clone(),
        stopped: witnesses_of(service, followed),
    })
}

/// A deployment that was given up is over when the one that took its place is.
fn rollback(
    service: &ServiceObservation,
    primary: &DeploymentObservation,
    rolled_back: impl FnOnce() -> NotStable,
) -> Verdict {
    match primary.rollout_state {
        RolloutState::InProgress => Verdict::UnderWay(progress(primary)),
        RolloutState::Failed => Verdict::NotStable(failed(service, primary)),
        RolloutState::Completed => Verdict::NotStable(rolled_back()),
    }
}

fn unknown(observation: &Observation, service: &str) -> NotStable {
    let labels = observation.services.iter().map(|known| known.label.clone());
    NotStable::UnknownService {
        service: service.to_owned(),
        known: labels.collect(),
    }
}

fn stable(service: &ServiceObservation) -> Stable {
    Stable {
        service: service.label.clone(),
        task_definition: service.task_definition.clone(),
        running_count: service.running_count,
    }
}

fn superseded(primary: &DeploymentObservation) -> Verdict {
    Verdict::NotStable(NotStable::Superseded {
        by: primary.task_definition.clone(),
    })
}

fn failed(service: &ServiceObservation, deployment: &DeploymentObservation) -> NotStable {
    NotStable::Failed {
        task_definition: deployment.task_definition.clone(),
        reason: deployment.rollout_state_reason.clone(),
        stopped: witnesses_of(service, deployment),
    }
}

fn progress(deployment: &DeploymentObservation) -> UnderWay {
    let (running, pending) = (deployment.running_count, deployment.pending_count);
    UnderWay {
        deployment: Some(deployment.id.clone()),
        tasks: tasks(running, deployment.desired_count, pending),
        reason: deployment.rollout_state_reason.clone(),
    }
}

fn tasks(running: usize, desired: usize, pending: usize) -> String {
    match pending {
        0 => format!("{running}/{desired} running"),
        _ => format!("{running}/{desired} running, {pending} pending"),
    }
}

/// The tasks of a deployment that stopped last.
fn witnesses_of(service: &ServiceObservation, deployment: &DeploymentObservation) -> Vec<TaskObservation> {
    witnesses(service, |task| task.deployment == deployment.id)
}

/// Of these tasks those that stopped last.
fn witnesses(service: &ServiceObservation, is_one: impl Fn(&TaskObservation) -> bool) -> Vec<TaskObservation> {
    let of_it = |task: &&TaskObservation| task.stopped_at.is_some() && is_one(task);
    let mut stopped: Vec<_> = service.tasks.iter().filter(of_it).cloned().collect();
    stopped.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    stopped.truncate(WITNESSES);
    stopped
}

impl ServiceObservation {
    /// The newest deployment, which is the one that is wanted.
    pub fn primary_deployment(&self) -> Option<&DeploymentObservation> {
        self.deployments
            .iter()
            .find(|deployment| deployment.status == DeploymentStatus::Primary)
    }
}

#[cfg(test)]
mod tests;
