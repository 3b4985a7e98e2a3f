//! [`Orchestrator`]: what one can do with a running fleet, wherever it runs.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::alarms::AlarmAnswer;
use crate::autoscaling::AutoscalingChange;
use crate::deployment::DeploymentId;
use crate::log_reader::{LogQuery, LogReader};
use crate::metrics::{MetricAnswer, MetricQuery};
use crate::observation::Observation;
use crate::task::TaskId;

/// What an orchestrator will say.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, OrchestratorError>> + Send + 'a>>;

/// A place where a fleet runs. A service is named by its label or its ECS name.
///
/// Not here: bringing a new definition. On this machine that is `karma up`, on AWS it is Terraform.
pub trait Orchestrator: fmt::Debug + Send + Sync {
    /// `local`
    fn name(&self) -> &str;

    /// What runs now.
    fn observe(&self) -> Answer<'_, Observation>;

    /// Makes another number of tasks the one that is wanted. That alone is no deployment.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html>
    fn scale<'a>(&'a self, service: &'a str, desired_count: u32) -> Answer<'a, ()>;

    /// Replaces every task by one of the same definition: `forceNewDeployment`.
    fn restart<'a>(&'a self, service: &'a str) -> Answer<'a, DeploymentId>;

    /// Deploys an earlier revision: this one, or the last that was completed before the one that is wanted now.
    fn rollback<'a>(&'a self, service: &'a str, to: Option<u32>) -> Answer<'a, DeploymentId>;

    /// Stops one task; its service starts another in its place.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html>
    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Answer<'a, ()>;

    /// Changes how autoscaling looks after a service; one that it does not look after is refused.
    /// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>
    fn change_autoscaling<'a>(&'a self, service: &'a str, change: AutoscalingChange) -> Answer<'a, ()>;

    /// What CloudWatch shows of it.
    fn metrics(&self, query: MetricQuery) -> Answer<'_, MetricAnswer>;

    /// How the alarms stand, and what autoscaling did.
    fn alarms(&self) -> Answer<'_, AlarmAnswer>;

    /// A reader of what the tasks write.
    fn logs(&self, query: LogQuery) -> Answer<'_, Box<dyn LogReader>>;

    /// How long to wait before it is worth looking again.
    fn look_again(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// An orchestrator cannot be asked, or does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OrchestratorError {
    /// Nothing runs there.
    #[error("nothing is running here")]
    NothingRunning,
    /// It has no such thing: not deployed, or somewhere else.
    #[error("{what}")]
    NotThere {
        /// `there is no cluster main on AWS`
        what: String,
        /// What the user can do, one line.
        hint: Option<String>,
    },
    /// It says no.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What the user can do, one line.
        hint: Option<String>,
    },
    /// It was not reached, or what it says cannot be understood.
    #[error("{what}")]
    Unreachable {
        /// What could not be done.
        what: String,
        /// What the user can do, one line.
        hint: Option<String>,
        /// Why.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl OrchestratorError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingRunning => Some("start the stack with `karma up`".to_owned()),
            Self::NotThere { hint, .. } | Self::Refused { hint, .. } | Self::Unreachable { hint, .. } => hint.clone(),
        }
    }
}
