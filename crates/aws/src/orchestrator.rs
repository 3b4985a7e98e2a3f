//! [`EcsOrchestrator`]: a fleet that runs on ECS, seen and changed through the APIs of ECS and its neighbours.
//!
//! ```text
//! Fleet ─▶ Scope: what the stack has ──┐
//! DescribeServices, ListTasks, … ──────┴─▶ seen: pure ─▶ Observation, as of a fleet that runs here
//! ```
//! What is seen is made of answers by pure functions in `seen`; each other file asks for one thing. What is nice to have (target health, limits
//! of autoscaling, addresses) and is not permitted leaves a note instead of failing.

mod alarms;
mod autoscaling;
mod change;
mod clients;
mod load_balancers;
mod logs;
mod memory;
mod metrics;
mod observe;
mod scope;
mod seen;

use std::path::Path;
use std::time::Duration;

use karma_fleet::Fleet;
use karma_ops::{
    AlarmAnswer, Answer, AutoscalingChange, DeploymentId, LogQuery, LogReader, MetricAnswer, MetricQuery, Observation,
    Orchestrator, OrchestratorError, TaskId,
};

use crate::error::AwsError;
use crate::session::Session;

use clients::Clients;
use memory::Memory;
use scope::{Scope, ScopedService};

/// ECS answers a few questions a second, and a task takes tens of seconds to come.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The services of one stack on ECS.
#[derive(Debug)]
pub struct EcsOrchestrator {
    clients: Clients,
    scope: Scope,
    memory: Memory,
}

impl EcsOrchestrator {
    /// The services that the stack in this directory declares. Nothing is asked yet.
    pub fn connect(session: &Session, directory: &Path, fleet: &Fleet) -> Self {
        Self::with(Clients::new(session), Scope::new(directory, session.region(), fleet))
    }

    fn with(clients: Clients, scope: Scope) -> Self {
        Self {
            clients,
            scope,
            memory: Memory::default(),
        }
    }

    /// The cluster that a service is in, by its label or ECS name; `None` where the stack has no such service.
    pub fn cluster_of(&self, service: &str) -> Option<&str> {
        Some(&self.scope.service(service)?.cluster)
    }

    fn service(&self, label_or_name: &str) -> Result<&ScopedService, OrchestratorError> {
        self.scope
            .service(label_or_name)
            .ok_or_else(|| OrchestratorError::Refused {
                reason: format!("no service `{label_or_name}` in the stack"),
                hint: None,
            })
    }
}

impl Orchestrator for EcsOrchestrator {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn observe(&self) -> Answer<'_, Observation> {
        Box::pin(async { Ok(self.look().await?) })
    }

    fn scale<'a>(&'a self, service: &'a str, desired_count: u32) -> Answer<'a, ()> {
        Box::pin(async move { Ok(self.update_count(self.service(service)?, desired_count).await?) })
    }

    fn restart<'a>(&'a self, service: &'a str) -> Answer<'a, DeploymentId> {
        Box::pin(async move { Ok(self.force_deployment(self.service(service)?).await?) })
    }

    /// Refused: on AWS Terraform is the one owner of the task definition.
    fn rollback<'a>(&'a self, _: &'a str, _: Option<u32>) -> Answer<'a, DeploymentId> {
        Box::pin(std::future::ready(Err(OrchestratorError::Refused {
            reason: "on AWS, Terraform owns the task definitions: a service that goes back by itself would be undone by the next apply".to_owned(),
            hint: Some("go back through Terraform: karma rollback --on aws".to_owned()),
        })))
    }

    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { Ok(self.stop(task, reason).await?) })
    }

    fn change_autoscaling<'a>(&'a self, service: &'a str, change: AutoscalingChange) -> Answer<'a, ()> {
        Box::pin(async move { self.register_target(self.service(service)?, change).await })
    }

    fn metrics(&self, query: MetricQuery) -> Answer<'_, MetricAnswer> {
        Box::pin(async move { Ok(self.measured(&query).await?) })
    }

    fn alarms(&self) -> Answer<'_, AlarmAnswer> {
        Box::pin(async { Ok(self.alarm_answer().await?) })
    }

    fn logs(&self, query: LogQuery) -> Answer<'_, Box<dyn LogReader>> {
        Box::pin(async move { self.log_reader(query).await })
    }

    fn look_again(&self) -> Duration {
        LOOK_AGAIN
    }
}

/// That there is no such thing on AWS is an answer, and so is a refusal; without an answer nothing is known.
impl From<AwsError> for OrchestratorError {
    fn from(error: AwsError) -> Self {
        let hint = error.hint();
        match error {
            AwsError::NotFound { what, .. } => Self::NotThere {
                what: format!("there is no {what} on AWS"),
                hint,
            },
            AwsError::NotPermitted { .. }
            | AwsError::RejectedCredentials { .. }
            | AwsError::NoRegion
            | AwsError::Throttled { .. }
            | AwsError::Refused { .. } => Self::Refused {
                reason: error.to_string(),
                hint,
            },
            AwsError::ExpiredCredentials { .. } | AwsError::NoCredentials { .. } | AwsError::Unreachable { .. } => {
                Self::Unreachable {
                    what: error.to_string(),
                    hint,
                    source: Some(error.into_source()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
