//! What is seen of a service.

use std::time::Duration;

use karma_ops::{CapacityProviderShare, DeploymentObservation, DeploymentStatus, ServiceObservation, TaskObservation};

use super::{Revision, RunningService};
use crate::clock::Clock;
use crate::deployment::Deployment;
use crate::logs;
use crate::task::{Task, TaskStatus};

/// So many lines of a stopped task's output are shown.
const LAST_LINES: usize = 20;

impl RunningService {
    pub(crate) fn observe(&self, clock: Clock, now: Duration) -> ServiceObservation {
        ServiceObservation {
            service: self.name().to_owned(),
            label: self.label(),
            desired_count: self.view.desired_count,
            autoscaling: None,
            running_count: count(&self.tasks, |task| task.last_status == TaskStatus::Running),
            pending_count: count(&self.tasks, |task| task.last_status.is_pending()),
            health: self.view.health(&self.tasks, now),
            url: self.wanted.url.clone(),
            health_check_path: self.wanted.health_check_path.clone(),
            task_definition: self.view.primary().task_definition.to_string(),
            capacity_provider_strategy: self.shares(),
            deployments: self
                .view
                .deployments
                .iter()
                .map(|deployment| self.observe_deployment(deployment, clock))
                .collect(),
            tasks: self
                .tasks
                .iter()
                .rev()
                .map(|task| self.observe_task(task, clock))
                .collect(),
            events: self.events.clone(),
        }
    }

    fn shares(&self) -> Vec<CapacityProviderShare> {
        let items = self.view.capacity.strategy.iter();
        items
            .map(|item| CapacityProviderShare {
                capacity_provider: item.capacity_provider.clone(),
                base: item.base,
                weight: item.weight,
            })
            .collect()
    }

    fn observe_deployment(&self, deployment: &Deployment, clock: Clock) -> DeploymentObservation {
        let of_it = |task: &&Task| task.deployment == deployment.id;
        let tasks: Vec<_> = self.tasks.iter().filter(of_it).collect();
        let running_count = count(tasks.iter().copied(), |task| task.last_status == TaskStatus::Running);
        DeploymentObservation {
            id: deployment.id.clone(),
            status: deployment.status,
            rollout_state: deployment.rollout_state,
            rollout_state_reason: deployment.reason.clone(),
            task_definition: deployment.task_definition.to_string(),
            desired_count: match deployment.status {
                DeploymentStatus::Primary => self.view.desired_count,
                // Of what is being replaced, what is left is wanted until its successors serve.
                DeploymentStatus::Active | DeploymentStatus::Inactive => count(tasks.iter().copied(), Task::is_live),
            },
            running_count,
            pending_count: count(tasks.iter().copied(), |task| task.last_status.is_pending()),
            failed_tasks: deployment.failures.in_a_row(),
            created_at: clock.at(deployment.created_at),
            updated_at: clock.at(deployment.updated_at),
        }
    }

    fn observe_task(&self, task: &Task, clock: Clock) -> TaskObservation {
        let stopped = task.last_status == TaskStatus::Stopped;
        TaskObservation {
            task_id: task.id.clone(),
            task_definition: task.task_definition.to_string(),
            deployment: task.deployment.clone(),
            capacity_provider: task.placement.capacity_provider.as_deref().map(str::to_owned),
            availability_zone: task.placement.availability_zone.as_deref().map(str::to_owned),
            last_status: task.last_status,
            desired_status: task.desired_status,
            health_status: task.health_status,
            target_health: task.targets.clone(),
            address: task.address,
            started_at: task.started_at.map(|at| clock.at(at)),
            stopped_at: task.stopped_at.map(|at| clock.at(at)),
            stopped_reason: task.stop.as_ref().map(|stop| stop.reason.clone()),
            stop_code: task.stop.as_ref().map(|stop| stop.code),
            exit_code: self.exit_code(task),
            containers: task.containers.clone(),
            log_path: Some(task.log_path.clone()),
            last_lines: if stopped {
                logs::last_lines(&task.log_path, LAST_LINES)
            } else {
                Vec::new()
            },
        }
    }

    /// Of a task whose deployment is forgotten every container counts as essential.
    fn exit_code(&self, task: &Task) -> Option<i32> {
        let revision = self.revisions.get(&task.deployment);
        let is_essential = |name: &str| revision.is_none_or(|revision| has_essential(revision, name));
        task.containers
            .iter()
            .filter(|container| is_essential(&container.name))
            .find_map(|container| container.exit_code)
    }
}

fn has_essential(revision: &Revision, name: &str) -> bool {
    let mut containers = revision.definition.containers.iter();
    containers.any(|container| container.essential && *container.name == *name)
}

fn count<'t>(tasks: impl IntoIterator<Item = &'t Task>, wanted: impl Fn(&Task) -> bool) -> usize {
    tasks.into_iter().filter(|task| wanted(task)).count()
}
