//! What people and drills ask of services that run.

use std::sync::Arc;
use std::time::Duration;

use karma_ops::{RolloutState, StopCode, TaskId};

use super::{Mode, Reconciler, by_user};
use crate::life::Manner;
use crate::operation::{Deployed, MOST_TASKS, Operation, OperationError};
use crate::runner::TaskRunner;
use crate::service::{Revision, RunningService};
use crate::task::Stop;

/// So long before Spot capacity is taken back a task is told.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>
const SPOT_WARNING: Duration = Duration::from_mins(2);

const SPOT: &str = "FARGATE_SPOT";

impl<R: TaskRunner> Reconciler<R> {
    /// Does it and answers; who asked may have gone.
    pub(super) fn operate(&mut self, operation: Operation) {
        match operation {
            Operation::Scale { service, count, answer } => drop(answer.send(self.scale(&service, count))),
            Operation::Restart { service, answer } => drop(answer.send(self.restart(&service))),
            Operation::RollBack {
                service,
                revision,
                answer,
            } => drop(answer.send(self.roll_back(&service, revision))),
            Operation::StopTask { task, reason, answer } => drop(answer.send(self.stop_task(&task, reason))),
            Operation::Interrupt { task, answer } => drop(answer.send(self.interrupt(&task))),
            Operation::LoseZone { zone, answer } => drop(answer.send(self.lose_zone(&zone))),
            Operation::RestoreZone { zone, answer } => drop(answer.send(self.restore_zone(&zone))),
        }
    }

    fn scale(&mut self, service: &str, count: usize) -> Result<(), OperationError> {
        if count > MOST_TASKS {
            return Err(OperationError::TooManyTasks { count });
        }
        let index = self.find(service)?;
        self.services[index].view.desired_count = count;
        Ok(())
    }

    fn restart(&mut self, service: &str) -> Result<Deployed, OperationError> {
        let index = self.find(service)?;
        let revision = self.services[index].deployed().clone();
        Ok(self.deploy(index, revision))
    }

    fn roll_back(&mut self, service: &str, revision: Option<u32>) -> Result<Deployed, OperationError> {
        let index = self.find(service)?;
        let service = &self.services[index];
        let found = match revision {
            Some(revision) => with_revision(service, revision)?,
            None => last_completed(service)?,
        };
        Ok(self.deploy(index, found))
    }

    fn stop_task(&mut self, task: &TaskId, reason: String) -> Result<(), OperationError> {
        let index = self.find_task(task)?;
        self.stop(index, task, by_user(reason), Manner::Drained);
        Ok(())
    }

    fn interrupt(&mut self, task: &TaskId) -> Result<(), OperationError> {
        let index = self.find_task(task)?;
        let known = self.services[index].tasks.iter().find(|known| known.id == *task);
        let provider = known.and_then(|known| known.placement.capacity_provider.clone());
        if let Some(provider) = provider.filter(|provider| &**provider != SPOT) {
            return Err(OperationError::NotOnSpot {
                task: task.clone(),
                capacity_provider: provider.to_string(),
            });
        }
        let stop = Stop {
            code: StopCode::SpotInterruption,
            reason: "Your Spot Task was interrupted.".to_owned(),
        };
        let manner = Manner::Warned(self.clock.compressed(SPOT_WARNING));
        self.stop(index, task, stop, manner);
        self.event(index, &format!("has stopped 1 running tasks: (task {task})."));
        Ok(())
    }

    /// What ran there is gone at once, and nothing is started there any more.
    fn lose_zone(&mut self, zone: &str) -> Result<Vec<TaskId>, OperationError> {
        let zone = self.find_zone(zone)?;
        self.note_lost_zone(&zone);
        let mut lost = Vec::new();
        for index in 0..self.services.len() {
            for task in tasks_in(&self.services[index], &zone) {
                let stop = Stop {
                    code: StopCode::InfrastructureHealth,
                    reason: format!("Availability zone {zone} is lost"),
                };
                self.stop(index, &task, stop, Manner::CutOff);
                lost.push(task);
            }
        }
        Ok(lost)
    }

    fn restore_zone(&mut self, zone: &str) -> Result<(), OperationError> {
        let zone = self.find_zone(zone)?;
        self.note_restored_zone(&zone);
        Ok(())
    }

    fn deploy(&mut self, index: usize, revision: Revision) -> Deployed {
        let now = self.now();
        let service = &mut self.services[index];
        let deployment = service.deploy(revision, now);
        Deployed {
            service: service.label(),
            deployment,
            task_definition: service.view.primary().task_definition.to_string(),
        }
    }

    /// By label first, then by name.
    fn find(&self, wanted: &str) -> Result<usize, OperationError> {
        self.refuse_when_stopping()?;
        let position = |called: fn(&RunningService) -> String| {
            let mut services = self.services.iter();
            services.position(|service| !service.is_leaving && called(service) == wanted)
        };
        position(RunningService::label)
            .or_else(|| position(|service| service.name().to_owned()))
            .ok_or_else(|| OperationError::UnknownService {
                service: wanted.to_owned(),
                known: self.services.iter().map(RunningService::label).collect(),
            })
    }

    fn find_task(&self, task: &TaskId) -> Result<usize, OperationError> {
        self.refuse_when_stopping()?;
        let mut services = self.services.iter();
        services
            .position(|service| service.orders.contains_key(task))
            .ok_or_else(|| OperationError::UnknownTask { task: task.clone() })
    }

    fn find_zone(&self, wanted: &str) -> Result<Arc<str>, OperationError> {
        self.refuse_when_stopping()?;
        let mut zones: Vec<_> = self
            .services
            .iter()
            .flat_map(|service| &service.view.capacity.zones)
            .collect();
        zones.sort();
        zones.dedup();
        let found = zones.iter().find(|zone| &****zone == wanted);
        found
            .map(|zone| Arc::clone(zone))
            .ok_or_else(|| OperationError::UnknownZone {
                zone: wanted.to_owned(),
                known: zones.iter().map(ToString::to_string).collect(),
            })
    }

    fn refuse_when_stopping(&self) -> Result<(), OperationError> {
        match self.mode {
            Mode::Running => Ok(()),
            Mode::Resting | Mode::Stopping => Err(OperationError::Stopping),
        }
    }
}

fn with_revision(service: &RunningService, wanted: u32) -> Result<Revision, OperationError> {
    let mut revisions = service.history().map(|(_, revision)| revision).chain([&service.wanted]);
    let found = revisions
        .find(|revision| revision.definition.revision == wanted)
        .cloned();
    found.ok_or_else(|| {
        let mut known: Vec<_> = service
            .history()
            .map(|(_, revision)| revision.definition.task_definition().to_string())
            .collect();
        known.sort();
        known.dedup();
        OperationError::UnknownRevision {
            service: service.label(),
            revision: wanted,
            known,
        }
    })
}

fn last_completed(service: &RunningService) -> Result<Revision, OperationError> {
    let present = &service.view.primary().task_definition;
    let mut earlier = service
        .history()
        .filter(|(deployment, _)| deployment.rollout_state == RolloutState::Completed)
        .filter(|(deployment, _)| deployment.task_definition != *present);
    earlier
        .next()
        .map(|(_, revision)| revision.clone())
        .ok_or_else(|| OperationError::NothingToRollBackTo {
            service: service.label(),
        })
}

fn tasks_in(service: &RunningService, zone: &Arc<str>) -> Vec<TaskId> {
    let there = service
        .tasks
        .iter()
        .filter(|task| task.placement.availability_zone.as_ref() == Some(zone));
    there
        .filter(|task| service.orders.contains_key(&task.id))
        .map(|task| task.id.clone())
        .collect()
}
