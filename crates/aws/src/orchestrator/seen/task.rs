//! Tasks.

use aws_sdk_ecs::types::{Attachment, Container, HealthStatus as EcsHealth, Task, TaskStopCode};
use karma_ops::{
    ContainerState, DeploymentId, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskObservation,
    TaskStatus,
};

use super::{TargetHealth, name_in, timestamp};
use crate::orchestrator::scope::ScopedService;

/// Whether a task is of a service, which a server that acts like ECS may not have looked at.
pub(in crate::orchestrator) fn belongs_to(task: &Task, service: &aws_sdk_ecs::types::Service) -> bool {
    let group = format!("service:{}", service.service_name().unwrap_or_default());
    let started_by = |id: Option<&str>| id.is_some() && id == task.started_by();
    task.group() == Some(group.as_str()) || service.deployments().iter().any(|one| started_by(one.id()))
}

/// A task as [DescribeTasks](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html) tells it. One without an id is nobody's.
pub(in crate::orchestrator) fn task(
    from: &Task,
    of: &ScopedService,
    targets: &[TargetHealth],
) -> Option<TaskObservation> {
    let address = from.attachments().iter().find_map(private_address);
    Some(TaskObservation {
        task_id: TaskId::parse(name_in(from.task_arn()?))?,
        task_definition: from.task_definition_arn().map(name_in).unwrap_or_default().to_owned(),
        deployment: DeploymentId::new(from.started_by().unwrap_or_default()),
        capacity_provider: from.capacity_provider_name().map(str::to_owned),
        availability_zone: from.availability_zone().map(str::to_owned),
        last_status: status(from.last_status()),
        desired_status: match from.desired_status() {
            Some("STOPPED") => DesiredStatus::Stopped,
            _ => DesiredStatus::Running,
        },
        health_status: health(from.health_status()),
        target_health: address.and_then(|address| worst(address, targets)),
        address: address.and_then(|address| address.parse().ok()),
        started_at: timestamp(from.started_at()),
        stopped_at: timestamp(from.stopped_at()),
        stopped_reason: from.stopped_reason().map(str::to_owned),
        stop_code: from.stop_code().and_then(stop_code),
        exit_code: exit_code(from, of),
        containers: from.containers().iter().map(container).collect(),
        log_path: None,
        last_lines: Vec::new(),
    })
}

/// The address of its network interface.
fn private_address(attachment: &Attachment) -> Option<&str> {
    let details = attachment.details().iter();
    let mut addresses = details.filter(|detail| detail.name() == Some("privateIPv4Address"));
    addresses.find_map(|detail| detail.value())
}

/// What the target groups say of an address; the worst counts.
fn worst(address: &str, targets: &[TargetHealth]) -> Option<TargetsHealth> {
    let badness = |health: &&TargetsHealth| match health {
        TargetsHealth::Healthy => 0,
        TargetsHealth::Initial => 1,
        TargetsHealth::Unhealthy { .. } => 2,
    };
    targets
        .iter()
        .filter_map(|group| group.get(address))
        .max_by_key(badness)
        .cloned()
}

/// Of a task whose definition is not the stack's any more every container counts as essential.
fn exit_code(task: &Task, of: &ScopedService) -> Option<i32> {
    let is_essential = |container: &&Container| {
        let mut known = of.containers.iter();
        known
            .find(|known| Some(known.name.as_str()) == container.name())
            .is_none_or(|known| known.essential)
    };
    task.containers()
        .iter()
        .filter(is_essential)
        .find_map(Container::exit_code)
}

fn container(from: &Container) -> ContainerState {
    ContainerState {
        name: from.name().unwrap_or_default().to_owned(),
        pid: None,
        exit_code: from.exit_code(),
        reason: from.reason().map(str::to_owned),
        health_status: health(from.health_status()),
        health_output: None,
    }
}

/// `DELETED` passes by after `STOPPED`, and only `DescribeTasks` sees it.
fn status(text: Option<&str>) -> TaskStatus {
    let known = TaskStatus::ALL.into_iter().find(|status| Some(status.as_str()) == text);
    known.unwrap_or(match text {
        Some("DELETED") => TaskStatus::Stopped,
        _ => TaskStatus::Provisioning,
    })
}

fn health(status: Option<&EcsHealth>) -> HealthStatus {
    match status {
        Some(EcsHealth::Healthy) => HealthStatus::Healthy,
        Some(EcsHealth::Unhealthy) => HealthStatus::Unhealthy,
        _ => HealthStatus::Unknown,
    }
}

/// `None` for a code that is newer than this.
fn stop_code(code: &TaskStopCode) -> Option<StopCode> {
    Some(match code {
        TaskStopCode::TaskFailedToStart => StopCode::TaskFailedToStart,
        TaskStopCode::EssentialContainerExited => StopCode::EssentialContainerExited,
        TaskStopCode::UserInitiated => StopCode::UserInitiated,
        TaskStopCode::ServiceSchedulerInitiated => StopCode::ServiceSchedulerInitiated,
        TaskStopCode::SpotInterruption => StopCode::SpotInterruption,
        TaskStopCode::TerminationNotice => StopCode::TerminationNotice,
        TaskStopCode::InfrastructureHealth => StopCode::InfrastructureHealth,
        _ => return None,
    })
}
