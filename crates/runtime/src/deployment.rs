//! [`Deployment`]: one attempt to bring a service to a revision, as the scheduler knows it.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>

pub(crate) mod circuit_breaker;
pub(crate) mod rollout;

use std::sync::Arc;
use std::time::Duration;

use karma_ops::{DeploymentId, DeploymentStatus, RolloutState};

use crate::deployment::circuit_breaker::Failures;

/// A deployment. Times count from the start of the orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// `validator:3`
    pub task_definition: Arc<str>,
    /// What it is to its service.
    pub status: DeploymentStatus,
    /// How far it has come.
    pub rollout_state: RolloutState,
    /// `rolloutStateReason`, in ECS's words where it has some.
    pub reason: String,
    /// What watches the health of its tasks.
    pub watched: Watched,
    /// What the circuit breaker counts.
    pub failures: Failures,
    /// Whether an alarm can make it fail: not where one was in alarm already when it began.
    pub heeds_alarms: bool,
    /// When it began.
    pub created_at: Duration,
    /// When it last came to another state.
    pub updated_at: Duration,
}

/// What watches the health of a deployment's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// An essential container has a health check.
    pub by_container_health_check: bool,
    /// They are registered with a load balancer.
    pub by_load_balancer: bool,
}

impl Watched {
    /// Whether anything watches it.
    pub fn is_watched(self) -> bool {
        self.by_container_health_check || self.by_load_balancer
    }
}

impl Deployment {
    /// One that begins now, as the wanted one.
    pub(crate) fn new(id: DeploymentId, task_definition: Arc<str>, watched: Watched, now: Duration) -> Self {
        Self {
            reason: in_progress(&id),
            id,
            task_definition,
            status: DeploymentStatus::Primary,
            rollout_state: RolloutState::InProgress,
            watched,
            failures: Failures::default(),
            heeds_alarms: true,
            created_at: now,
            updated_at: now,
        }
    }

    /// Begins anew, as the target of a rollback.
    pub(crate) fn resume(&mut self, now: Duration) {
        self.status = DeploymentStatus::Primary;
        self.failures = Failures::default();
        self.become_state(RolloutState::InProgress, in_progress(&self.id), now);
    }

    /// Comes to another state.
    pub(crate) fn become_state(&mut self, state: RolloutState, reason: String, now: Duration) {
        self.rollout_state = state;
        self.reason = reason;
        self.updated_at = now;
    }
}

/// `rolloutStateReason` while nothing stands in the way.
pub(crate) fn in_progress(id: &DeploymentId) -> String {
    format!("ECS deployment {id} in progress.")
}
