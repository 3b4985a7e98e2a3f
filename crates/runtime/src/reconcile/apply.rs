//! A new definition, applied to what runs.

use std::sync::Arc;
use std::time::Duration;

use karma_ops::AlarmState;

use super::{AppliedAll, Reconciler};
use crate::operation::{Applied, ServiceChange};
use crate::runner::TaskRunner;
use crate::service::{Revision, RunningService, Surroundings};

impl<R: TaskRunner> Reconciler<R> {
    /// Services that are new start, those that have changed are deployed, and those that are gone drain and end.
    pub(super) fn apply(&mut self, wanted: Vec<Revision>) -> AppliedAll {
        let names: Vec<_> = wanted.iter().map(|revision| revision.definition.name.clone()).collect();
        let mut applied: Vec<_> = wanted.into_iter().map(|revision| self.apply_one(revision)).collect();
        for service in &mut self.services {
            if !service.is_leaving && !names.iter().any(|name| name == service.name()) {
                service.is_leaving = true;
                service.view.desired_count = 0;
                applied.push(of(service, ServiceChange::Removed));
            }
        }
        AppliedAll {
            applied,
            words: self.words(),
        }
    }

    fn apply_one(&mut self, revision: Revision) -> Applied {
        let now = self.now();
        let known = |service: &&mut RunningService| service.name() == revision.definition.name;
        if let Some(service) = self.services.iter_mut().find(known) {
            let change = change(service, revision, &self.surroundings, now);
            return of(service, change);
        }
        let service = RunningService::new(revision, &self.surroundings);
        let task_definition = service.view.primary().task_definition.to_string();
        let applied = of(&service, ServiceChange::Started { task_definition });
        self.services.push(service);
        applied
    }

    pub(super) fn note_alarm(&mut self, name: String, state: AlarmState) {
        match state {
            AlarmState::Alarm => self.surroundings.in_alarm.insert(name),
            AlarmState::Ok | AlarmState::InsufficientData => self.surroundings.in_alarm.remove(&name),
        };
        self.tell_surroundings();
    }

    pub(super) fn note_lost_zone(&mut self, zone: &Arc<str>) {
        self.surroundings.lost_zones.insert(Arc::clone(zone));
        self.tell_surroundings();
    }

    pub(super) fn note_restored_zone(&mut self, zone: &Arc<str>) {
        self.surroundings.lost_zones.remove(zone);
        self.tell_surroundings();
    }

    fn tell_surroundings(&mut self) {
        for service in &mut self.services {
            service.note_surroundings(&self.surroundings);
        }
    }
}

/// The count that a person or autoscaling has set stays, unless the definition has another one than before: as where Terraform ignores its changes.
fn change(
    service: &mut RunningService,
    revision: Revision,
    surroundings: &Surroundings,
    now: Duration,
) -> ServiceChange {
    let before = std::mem::replace(&mut service.wanted, revision.clone()).definition;
    let wanted = Arc::clone(&revision.definition);
    let comes_back = std::mem::replace(&mut service.is_leaving, false);
    if comes_back || before.desired_count != wanted.desired_count {
        service.view.desired_count = wanted.desired_count;
    }
    service.settle(surroundings);
    let has_changed = before != wanted;
    let is_forced = has_changed && wanted.force_new_deployment;
    if comes_back || is_forced || wanted.needs_deployment_after(&service.deployed().definition) {
        return ServiceChange::Deploying {
            deployment: service.deploy(revision, now),
            task_definition: service.view.primary().task_definition.to_string(),
        };
    }
    if has_changed {
        ServiceChange::Updated
    } else {
        ServiceChange::Unchanged
    }
}

fn of(service: &RunningService, change: ServiceChange) -> Applied {
    Applied {
        service: service.label(),
        change,
    }
}
