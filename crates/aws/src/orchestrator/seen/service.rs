//! Services, and all of them together.

use aws_sdk_ecs::types::{CapacityProviderStrategyItem, Service, ServiceEvent as EcsEvent};
use jiff::Timestamp;
use karma_ops::{
    AutoscalingObservation, CapacityProviderShare, DeploymentObservation, DeploymentStatus, DiscoveryMechanism,
    HealthStatus, Observation, RolloutState, ServiceEvent, ServiceHealth, ServiceObservation, TargetsHealth,
    TaskObservation, TaskStatus,
};

use super::{Addresses, count, deployment, listeners, name_in, timestamp, url};
use crate::orchestrator::scope::{Scope, ScopedService};

/// All that was answered about a service.
#[derive(Debug)]
pub(in crate::orchestrator) struct SeenService<'a> {
    pub(in crate::orchestrator) of: &'a ScopedService,
    pub(in crate::orchestrator) service: Service,
    pub(in crate::orchestrator) tasks: Vec<TaskObservation>,
    pub(in crate::orchestrator) autoscaling: Option<AutoscalingObservation>,
}

/// What runs of a stack.
pub(in crate::orchestrator) fn observation(
    scope: &Scope,
    seen: Vec<SeenService<'_>>,
    addresses: &Addresses,
) -> Observation {
    let service = |one| {
        let mut service = service(one);
        service.url = url(scope, &service.label, addresses);
        service
    };
    Observation {
        stack: scope.directory.clone(),
        pid: None,
        started_at: None,
        listeners: listeners(scope, addresses),
        services: seen.into_iter().map(service).collect(),
        aliases: Vec::new(),
        discovery: DiscoveryMechanism::HostsFile,
        notes: Vec::new(),
    }
}

fn service(seen: SeenService<'_>) -> ServiceObservation {
    let SeenService {
        of,
        service,
        mut tasks,
        autoscaling,
    } = seen;
    let deployments: Vec<DeploymentObservation> = service.deployments().iter().map(deployment).collect();
    tasks.sort_by_key(|task| {
        (
            task.stopped_at.is_some(),
            std::cmp::Reverse(task.started_at.or(task.stopped_at)),
        )
    });
    ServiceObservation {
        service: of.name.clone(),
        label: of.label.clone(),
        desired_count: count(service.desired_count()),
        autoscaling,
        running_count: count(service.running_count()),
        pending_count: count(service.pending_count()),
        health: health(of, &service, &deployments, &tasks),
        url: None,
        health_check_path: of.health_check_path.clone(),
        task_definition: service.task_definition().map(name_in).unwrap_or_default().to_owned(),
        capacity_provider_strategy: service.capacity_provider_strategy().iter().map(share).collect(),
        deployments,
        tasks,
        events: service.events().iter().rev().map(event).collect(),
    }
}

/// A service in one word. The counts are ECS's; a task that runs and does not serve yet, or no more, stands against them.
fn health(
    of: &ScopedService,
    service: &Service,
    deployments: &[DeploymentObservation],
    tasks: &[TaskObservation],
) -> ServiceHealth {
    let primary = deployments.iter().find(|one| one.status == DeploymentStatus::Primary);
    let is_unhealthy = |task: &TaskObservation| {
        task.health_status == HealthStatus::Unhealthy
            || matches!(task.target_health, Some(TargetsHealth::Unhealthy { .. }))
    };
    let mut running = tasks.iter().filter(|task| task.last_status == TaskStatus::Running);
    if primary.is_some_and(|primary| primary.rollout_state == RolloutState::Failed) || running.clone().any(is_unhealthy)
    {
        return ServiceHealth::Failing;
    }
    let has_all = service.running_count() >= service.desired_count();
    if has_all && running.all(|task| serves(of, task)) {
        return ServiceHealth::Healthy;
    }
    match primary {
        Some(primary) if !has_all && primary.failed_tasks > 0 => ServiceHealth::Failing,
        _ => ServiceHealth::Starting,
    }
}

/// Whether all that looks at a task says that it is healthy.
fn serves(of: &ScopedService, task: &TaskObservation) -> bool {
    let is_checked = of
        .containers
        .iter()
        .any(|container| container.essential && container.has_health_check);
    let by_containers = !is_checked || task.health_status == HealthStatus::Healthy;
    by_containers && task.target_health != Some(TargetsHealth::Initial)
}

fn share(item: &CapacityProviderStrategyItem) -> CapacityProviderShare {
    let number = |number: i32| u32::try_from(number).unwrap_or_default();
    CapacityProviderShare {
        capacity_provider: item.capacity_provider().to_owned(),
        base: number(item.base()),
        weight: number(item.weight()),
    }
}

fn event(event: &EcsEvent) -> ServiceEvent {
    ServiceEvent {
        at: timestamp(event.created_at()).unwrap_or(Timestamp::UNIX_EPOCH),
        message: event.message().unwrap_or_default().to_owned(),
    }
}
