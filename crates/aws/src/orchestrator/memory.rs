//! [`Memory`]: what ECS forgets while somebody still waits for it.
//!
//! `DescribeServices` leaves a deployment out as soon as it has no task any more. Whoever follows one that has failed and was rolled back would never
//! learn that it failed; so what has been seen once is kept as it was, and where it was still under way,
//! [`ListServiceDeployments`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html) is asked what became of it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_sdk_ecs::types::{ServiceDeploymentBrief, ServiceDeploymentStatus};
use jiff::SignedDuration;
use karma_ops::{DeploymentObservation, DeploymentStatus, RolloutState, ServiceObservation, TaskId};

use super::EcsOrchestrator;
use super::seen::timestamp;

/// So many deployments of a service are remembered.
const KEPT: usize = 5;

/// A service deployment and the deployment that it is told as begin at the same moment, or nearly.
const SAME: SignedDuration = SignedDuration::from_secs(60);

/// Deployments by the label of their service, newest first, and the last lines of tasks that have stopped.
#[derive(Debug, Default)]
pub(super) struct Memory {
    deployments: Mutex<BTreeMap<String, Vec<DeploymentObservation>>>,
    last_lines: Mutex<BTreeMap<TaskId, Vec<String>>>,
}

impl Memory {
    /// The deployments that are told, and those that are not told any more.
    fn complete(&self, label: &str, told: &[DeploymentObservation]) -> Vec<DeploymentObservation> {
        let mut all = self
            .deployments
            .lock()
            .expect("nothing panics while it holds the deployments");
        let known = all.entry(label.to_owned()).or_default();
        *known = completed(told, known);
        known.clone()
    }

    fn settle(&self, label: &str, settled: &[DeploymentObservation]) {
        let mut all = self
            .deployments
            .lock()
            .expect("nothing panics while it holds the deployments");
        all.insert(label.to_owned(), settled.to_vec());
    }

    /// The last lines of a task that have been read.
    pub(super) fn last_lines(&self, task: &TaskId) -> Option<Vec<String>> {
        let known = self.last_lines.lock().expect("nothing panics while it holds the lines");
        known.get(task).cloned()
    }

    pub(super) fn keep_last_lines(&self, task: &TaskId, lines: Vec<String>) {
        let mut known = self.last_lines.lock().expect("nothing panics while it holds the lines");
        known.insert(task.clone(), lines);
    }
}

impl EcsOrchestrator {
    /// Adds to a service the deployments that ECS has forgotten.
    pub(super) async fn remember_deployments(&self, service: &mut ServiceObservation) {
        let mut deployments = self.memory.complete(&service.label, &service.deployments);
        let is_open = |one: &DeploymentObservation| {
            one.status == DeploymentStatus::Inactive && one.rollout_state == RolloutState::InProgress
        };
        if deployments.iter().any(is_open) {
            let fates = self.service_deployments(&service.label).await;
            for open in deployments.iter_mut().filter(|one| is_open(one)) {
                learn(open, &fates);
            }
            self.memory.settle(&service.label, &deployments);
        }
        service.deployments = deployments;
    }

    /// Nothing where that is not permitted, or not known: what was seen must do.
    async fn service_deployments(&self, label: &str) -> Vec<ServiceDeploymentBrief> {
        let Some(service) = self.scope.service(label) else {
            return Vec::new();
        };
        let request = self.clients.ecs.list_service_deployments();
        let answer = request.cluster(&service.cluster).service(&service.name).send().await;
        answer
            .ok()
            .and_then(|answer| answer.service_deployments)
            .unwrap_or_default()
    }
}

/// What is told, and behind it what was known and is told no more.
fn completed(told: &[DeploymentObservation], known: &[DeploymentObservation]) -> Vec<DeploymentObservation> {
    let is_gone = |one: &&DeploymentObservation| told.iter().all(|other| other.id != one.id);
    let gone = known.iter().filter(is_gone).cloned().map(|mut one| {
        one.status = DeploymentStatus::Inactive;
        (one.desired_count, one.running_count, one.pending_count) = (0, 0, 0);
        one
    });
    let mut all: Vec<_> = told.iter().cloned().chain(gone).collect();
    all.truncate(KEPT.max(told.len()));
    all
}

/// Says of a deployment what became of it, where that is known by now.
fn learn(deployment: &mut DeploymentObservation, fates: &[ServiceDeploymentBrief]) {
    let distance = |fate: &ServiceDeploymentBrief| {
        let begun = timestamp(fate.created_at().or(fate.started_at()))?;
        Some(begun.duration_since(deployment.created_at).abs())
    };
    let near = fates.iter().filter_map(|fate| Some((distance(fate)?, fate)));
    let Some((_, fate)) = near
        .filter(|(distance, _)| *distance <= SAME)
        .min_by_key(|(distance, _)| *distance)
    else {
        return;
    };
    deployment.rollout_state = match fate.status() {
        Some(ServiceDeploymentStatus::Successful) => RolloutState::Completed,
        Some(
            ServiceDeploymentStatus::RollbackSuccessful
            | ServiceDeploymentStatus::RollbackFailed
            | ServiceDeploymentStatus::RollbackInProgress
            | ServiceDeploymentStatus::Stopped,
        ) => RolloutState::Failed,
        _ => return,
    };
    if let Some(reason) = fate.status_reason() {
        reason.clone_into(&mut deployment.rollout_state_reason);
    }
}

#[cfg(test)]
mod tests;
