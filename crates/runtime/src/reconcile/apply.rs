//! A new definition, applied to what runs.

use std::sync::Arc;

use karma_ops::AlarmState;

use super::{AppliedAll, Reconciler};
use crate::operation::{Applied, ServiceChange};
use crate::runner::TaskRunner;
use crate::service::{Revision, RunningService};

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
        let Some(service) = self.services.iter_mut().find(known) else {
            let service = RunningService::new(revision, &self.surroundings);
            let task_definition = service.view.primary().task_definition.to_string();
            let applied = of(&service, ServiceChange::Started { task_definition });
            self.services.push(service);
            return applied;
        };
        let old = std::mem::replace(&mut service.wanted, revision);
        let new = service.wanted.clone();
        let has_changed = *old.definition != *new.definition;
        if service.is_leaving || old.definition.desired_count != new.definition.desired_count {
            service.view.desired_count = new.definition.desired_count;
        }
        service.settle(&self.surroundings);
        let must_deploy = new.definition.needs_deployment_after(&service.deployed().definition)
            || has_changed && new.definition.force_new_deployment
            || service.is_leaving;
        service.is_leaving = false;
        if must_deploy {
            let deployment = service.deploy(new, now);
            let task_definition = service.view.primary().task_definition.to_string();
            return of(
                service,
                ServiceChange::Deploying {
                    deployment,
                    task_definition,
                },
            );
        }
        of(
            service,
            if has_changed {
                ServiceChange::Updated
            } else {
                ServiceChange::Unchanged
            },
        )
    }

    pub(super) fn note_alarm(&mut self, name: String, state: AlarmState) {
        match state {
            AlarmState::Alarm => self.surroundings.in_alarm.insert(name),
            AlarmState::Ok | AlarmState::InsufficientData => self.surroundings.in_alarm.remove(&name),
        };
        for service in &mut self.services {
            service.note_surroundings(&self.surroundings);
        }
    }

    pub(super) fn note_lost_zone(&mut self, zone: &Arc<str>) {
        self.surroundings.lost_zones.insert(Arc::clone(zone));
        for service in &mut self.services {
            service.note_surroundings(&self.surroundings);
        }
    }

    pub(super) fn note_restored_zone(&mut self, zone: &Arc<str>) {
        self.surroundings.lost_zones.remove(zone);
        for service in &mut self.services {
            service.note_surroundings(&self.surroundings);
        }
    }
}

fn of(service: &RunningService, change: ServiceChange) -> Applied {
    Applied {
        service: service.label(),
        change,
    }
}
