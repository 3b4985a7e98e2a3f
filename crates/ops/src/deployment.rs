//! A deployment: one attempt to bring a service to a revision.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What ECS says of a deployment that can neither start nor stop a task: its percentages leave no room.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html>
pub const DEADLOCK: &str = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";

/// The id of a deployment, as ECS writes it: `ecs-svc/1234567890123456789`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeploymentId(String);

/// What a deployment is to its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStatus {
    /// The one that is wanted.
    Primary,
    /// It is being replaced, and still has tasks.
    Active,
    /// It has been replaced.
    Inactive,
}

/// How far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RolloutState {
    /// Its tasks are on their way.
    InProgress,
    /// The service has come to rest with it.
    Completed,
    /// It has been given up.
    Failed,
}

/// A deployment, as it is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentObservation {
    /// `ecs-svc/1234567890123456789`
    pub id: DeploymentId,
    /// What it is to its service.
    pub status: DeploymentStatus,
    /// How far it has come.
    pub rollout_state: RolloutState,
    /// Why, in one sentence.
    pub rollout_state_reason: String,
    /// `validator:3`
    pub task_definition: String,
    /// So many of its tasks are wanted.
    pub desired_count: usize,
    /// So many are RUNNING.
    pub running_count: usize,
    /// So many are on their way.
    pub pending_count: usize,
    /// So many have failed in a row.
    pub failed_tasks: usize,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last came to another state.
    pub updated_at: Timestamp,
}

impl DeploymentId {
    /// A new one, unlike all others: 19 digits.
    pub fn random() -> Self {
        const SMALLEST: u64 = 1_000_000_000_000_000_000;
        let digits = SMALLEST + RandomState::new().hash_one(()) % (9 * SMALLEST);
        Self(format!("ecs-svc/{digits}"))
    }

    /// One that an orchestrator has given.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl DeploymentObservation {
    /// Whether it can neither start nor stop a task, so that it does not come to an end by itself.
    pub fn is_deadlocked(&self) -> bool {
        self.rollout_state == RolloutState::InProgress && self.rollout_state_reason.ends_with(DEADLOCK)
    }
}

impl DeploymentStatus {
    /// `PRIMARY`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl RolloutState {
    /// `IN_PROGRESS`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl fmt::Display for DeploymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_19_digits_and_differ() {
        let (one, other) = (DeploymentId::random(), DeploymentId::random());
        assert_ne!(one, other);
        let digits = one.as_str().strip_prefix("ecs-svc/").unwrap();
        assert!(
            digits.len() == 19 && digits.bytes().all(|byte| byte.is_ascii_digit()),
            "{one}"
        );
    }

    #[test]
    fn states_are_written_as_ecs_writes_them() {
        for state in [RolloutState::InProgress, RolloutState::Completed, RolloutState::Failed] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        for status in [
            DeploymentStatus::Primary,
            DeploymentStatus::Active,
            DeploymentStatus::Inactive,
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
