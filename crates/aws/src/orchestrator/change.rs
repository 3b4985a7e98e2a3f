//! What is changed: counts, deployments begun, tasks stopped.

use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types::Service;
use karma_ops::{DeploymentId, TaskId};

use super::EcsOrchestrator;
use super::autoscaling::signed;
use super::scope::ScopedService;
use crate::error::{AwsError, Call};

impl EcsOrchestrator {
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html>
    pub(super) async fn update_count(&self, service: &ScopedService, desired_count: u32) -> Result<(), AwsError> {
        let called = service.called();
        let call = Call::new("ecs:UpdateService", &called);
        let request = self.update(service);
        let answer = request.desired_count(signed(desired_count)).send().await;
        answer.map_err(|error| call.failed(error))?;
        Ok(())
    }

    /// Begins a deployment of the same task definition.
    pub(super) async fn force_deployment(&self, service: &ScopedService) -> Result<DeploymentId, AwsError> {
        let called = service.called();
        let call = Call::new("ecs:UpdateService", &called);
        let request = self.update(service);
        let answer = request.force_new_deployment(true).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let deployments = answer.service().map(Service::deployments).unwrap_or_default();
        let primary = deployments
            .iter()
            .find(|deployment| deployment.status() == Some("PRIMARY"));
        let id = primary.and_then(|primary| primary.id());
        id.map(DeploymentId::new).ok_or_else(|| AwsError::Refused {
            action: call.action.to_owned(),
            code: "NoDeployment".to_owned(),
            message: format!("no deployment of {called} has begun"),
        })
    }

    fn update(&self, service: &ScopedService) -> UpdateServiceFluentBuilder {
        let request = self.clients.ecs.update_service();
        request.cluster(&service.cluster).service(&service.name)
    }

    /// Stops a task in whichever cluster of the stack it is.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html>
    pub(super) async fn stop(&self, task: &TaskId, reason: &str) -> Result<(), AwsError> {
        let called = format!("task {task}");
        let call = Call::new("ecs:StopTask", &called);
        for cluster in self.scope.clusters() {
            let request = self
                .clients
                .ecs
                .stop_task()
                .cluster(cluster)
                .task(task.as_str())
                .reason(reason);
            match request.send().await.map_err(|error| call.failed(error)) {
                Ok(_) => return Ok(()),
                Err(error) if is_elsewhere(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(AwsError::NotFound {
            action: call.action.to_owned(),
            what: called.clone(),
        })
    }
}

/// ECS has no code of its own for a task that a cluster does not have: "The referenced task was not found."
fn is_elsewhere(error: &AwsError) -> bool {
    match error {
        AwsError::NotFound { .. } => true,
        AwsError::Refused { code, message, .. } => code == "InvalidParameterException" && message.contains("not found"),
        _ => false,
    }
}
