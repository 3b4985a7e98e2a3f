//! How Application Auto Scaling looks after services, and how that is changed.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use karma_ops::{AutoscalingChange, AutoscalingObservation, OrchestratorError};

use super::EcsOrchestrator;
use super::load_balancers::note;
use super::observe::Notes;
use super::scope::ScopedService;
use super::seen::autoscaling;
use crate::error::{AwsError, Call};

/// So many are described at once.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html>
const TARGETS: usize = 50;

type Limits = BTreeMap<String, AutoscalingObservation>;

impl EcsOrchestrator {
    /// How it looks after the services of the stack, by their resource ids.
    pub(super) async fn limits(&self, notes: &mut Notes) -> Limits {
        let ids: Vec<String> = self.scope.services.iter().map(ScopedService::resource_id).collect();
        let mut limits = Limits::new();
        for some in ids.chunks(TARGETS) {
            match self.targets(some.to_vec()).await {
                Ok(found) => limits.extend(found),
                Err(error) => note(notes, "limits of autoscaling are not shown", &error),
            }
        }
        limits
    }

    async fn targets(&self, ids: Vec<String>) -> Result<Limits, AwsError> {
        let call = Call::new("application-autoscaling:DescribeScalableTargets", "the services");
        let request = self
            .clients
            .autoscaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids));
        let targets = request
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await;
        let targets = targets.map_err(|error| call.failed(error))?;
        Ok(targets
            .iter()
            .map(|target| (target.resource_id().to_owned(), autoscaling(target)))
            .collect())
    }

    /// Changes one that is there: to register one that is not would make it.
    pub(super) async fn register_target(
        &self,
        service: &ScopedService,
        change: AutoscalingChange,
    ) -> Result<(), OrchestratorError> {
        let id = service.resource_id();
        if !self.targets(vec![id.clone()]).await?.contains_key(&id) {
            return Err(OrchestratorError::Refused {
                reason: format!("autoscaling does not look after {}", service.label),
                hint: None,
            });
        }
        Ok(self.register(service, change).await?)
    }

    /// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>
    async fn register(&self, service: &ScopedService, change: AutoscalingChange) -> Result<(), AwsError> {
        let called = service.called();
        let call = Call::new("application-autoscaling:RegisterScalableTarget", &called);
        let request = self
            .clients
            .autoscaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(service.resource_id());
        let request = match change {
            AutoscalingChange::Limits {
                min_capacity,
                max_capacity,
            } => request
                .min_capacity(signed(min_capacity))
                .max_capacity(signed(max_capacity)),
            AutoscalingChange::Suspend => request.suspended_state(suspension(true)),
            AutoscalingChange::Resume => request.suspended_state(suspension(false)),
        };
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }
}

fn suspension(of_all: bool) -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(of_all)
        .dynamic_scaling_out_suspended(of_all)
        .scheduled_scaling_suspended(of_all)
        .build()
}

/// A count as the APIs take it; more than they can say is more than they allow.
pub(super) fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
