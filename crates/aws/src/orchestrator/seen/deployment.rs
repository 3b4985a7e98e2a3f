//! Deployments.

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState};
use jiff::Timestamp;
use karma_ops::{DeploymentId, DeploymentObservation, DeploymentStatus, RolloutState};

use super::{count, name_in, timestamp};

/// A deployment as [DescribeServices](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html) tells it.
pub(in crate::orchestrator) fn deployment(from: &Deployment) -> DeploymentObservation {
    let created_at = timestamp(from.created_at()).unwrap_or(Timestamp::UNIX_EPOCH);
    DeploymentObservation {
        id: DeploymentId::new(from.id().unwrap_or_default()),
        status: status(from.status()),
        rollout_state: rollout_state(from),
        rollout_state_reason: from.rollout_state_reason().unwrap_or_default().to_owned(),
        task_definition: from.task_definition().map(name_in).unwrap_or_default().to_owned(),
        desired_count: count(from.desired_count()),
        running_count: count(from.running_count()),
        pending_count: count(from.pending_count()),
        failed_tasks: count(from.failed_tasks()),
        created_at,
        updated_at: timestamp(from.updated_at()).unwrap_or(created_at),
    }
}

fn status(text: Option<&str>) -> DeploymentStatus {
    match text {
        Some("PRIMARY") => DeploymentStatus::Primary,
        Some("ACTIVE") => DeploymentStatus::Active,
        _ => DeploymentStatus::Inactive,
    }
}

/// A deployment that does not say is judged by its tasks, as before there were rollout states: the controllers `CODE_DEPLOY` and `EXTERNAL` have none.
fn rollout_state(from: &Deployment) -> RolloutState {
    match from.rollout_state() {
        Some(DeploymentRolloutState::Completed) => RolloutState::Completed,
        Some(DeploymentRolloutState::Failed) => RolloutState::Failed,
        None if from.running_count() == from.desired_count() => RolloutState::Completed,
        _ => RolloutState::InProgress,
    }
}
