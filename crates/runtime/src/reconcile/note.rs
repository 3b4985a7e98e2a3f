//! What the loop learns: from tasks' reports, and from its own steps.

use std::time::Duration;

use karma_ops::TargetsHealth;

use super::Reconciler;
use crate::decide::Cause;
use crate::life::{Fact, Report};
use crate::placement::Spread;
use crate::progress::Progress;
use crate::runner::TaskRunner;
use crate::task::{DesiredStatus, Purpose, StopCode, Task, TaskId, TaskStatus};

impl<R: TaskRunner> Reconciler<R> {
    /// A report, and all that have come with it: the scheduler is asked once for all of them.
    pub(super) fn note_all(&mut self, report: Report) {
        self.note(report);
        self.note_waiting();
    }

    pub(super) fn note_waiting(&mut self) {
        while let Ok(report) = self.reports.1.try_recv() {
            self.note(report);
        }
    }

    fn note(&mut self, Report { task: id, fact }: Report) {
        let position = self
            .services
            .iter()
            .position(|service| service.orders.contains_key(&id));
        let Some(index) = position else { return };
        let service = &mut self.services[index];
        let label = service.label();
        let task = service.tasks.iter_mut().find(|task| task.id == id);
        let task = task.expect("a task that can be ordered is among the service's tasks");
        match fact {
            Fact::Status(status) => self.note_status(index, &id, status),
            Fact::Address(address) => task.address = Some(address),
            Fact::Containers(containers, health) => {
                task.containers = containers;
                if task.health_status != health {
                    task.health_status = health;
                    self.announcer.announce(Progress::Health {
                        service: label,
                        task: id,
                        health,
                    });
                }
            }
            Fact::Targets(targets) if task.targets == targets => {}
            Fact::Targets(targets) => {
                task.targets.clone_from(&targets);
                self.note_targets(index, id, targets);
            }
            Fact::Registered(group) => self.event(index, &format!("registered 1 targets in (target-group {group})")),
            Fact::Deregistered(group) => {
                self.event(index, &format!("deregistered 1 targets in (target-group {group})"));
                self.event(index, "has begun draining connections on 1 tasks.");
            }
            Fact::Stopping(stop) => {
                let has_failed = matches!(
                    stop.code,
                    StopCode::TaskFailedToStart | StopCode::EssentialContainerExited
                ) && task.stop.is_none();
                task.desired_status = DesiredStatus::Stopped;
                task.stop.get_or_insert(stop);
                if has_failed {
                    self.note_failure(index, &id);
                }
            }
            Fact::Note(note) => self.remark(note),
        }
    }

    fn note_status(&mut self, index: usize, id: &TaskId, status: TaskStatus) {
        let now = self.now();
        let service = &mut self.services[index];
        let Some(task) = service.tasks.iter_mut().find(|task| task.id == *id) else {
            return;
        };
        task.last_status = status;
        match status {
            TaskStatus::Running => {
                task.started_at = Some(now);
                service.view.note_running(&task.deployment);
            }
            TaskStatus::Stopped => task.stopped_at = Some(now),
            _ => {}
        }
        self.announcer.announce(Progress::Status {
            service: service.wanted.definition.label.to_string(),
            task: id.clone(),
            status,
            reason: task.stop.as_ref().map(|stop| stop.reason.clone()),
        });
        if status == TaskStatus::Stopped {
            service.orders.remove(id);
            service.forget_old_tasks();
            self.write_down();
        }
    }

    /// A task ends by itself. As soon as that is known, not only when the last of it is gone: else it would be replaced without a wait.
    fn note_failure(&mut self, index: usize, id: &TaskId) {
        let service = &mut self.services[index];
        if let Some(task) = service.tasks.iter().find(|task| task.id == *id).cloned() {
            if task.started_at.is_none() {
                service.view.note_failed_start(&task.deployment);
            }
            self.wait_after(index, &task);
        }
    }

    /// A task is stopped by the scheduler.
    pub(super) fn note_cause(&mut self, index: usize, id: &TaskId, cause: Cause) {
        if cause != Cause::Unhealthy {
            return;
        }
        let service = &mut self.services[index];
        if let Some(task) = service.tasks.iter().find(|task| task.id == *id).cloned() {
            service.view.note_failed_health_check(&task.deployment);
            self.wait_after(index, &task);
        }
    }

    /// What comes after a task that failed has to wait. Whether one of an earlier deployment fails does not matter to the wanted one.
    fn wait_after(&mut self, index: usize, task: &Task) {
        let now = self.now();
        let view = &mut self.services[index].view;
        if task.deployment != view.primary().id {
            return;
        }
        let was_impaired = view.back_off.is_impaired();
        view.back_off.record(task, now);
        if !was_impaired && view.back_off.is_impaired() {
            self.event(index, "is unable to consistently start tasks successfully.");
        }
    }

    fn note_targets(&mut self, index: usize, id: TaskId, targets: Option<TargetsHealth>) {
        let Some(targets) = targets else { return };
        if let TargetsHealth::Unhealthy {
            target_group,
            description,
        } = &targets
        {
            let message =
                format!("(task {id}) is unhealthy in (target-group {target_group}) due to (reason {description})");
            self.event(index, &message);
        }
        self.announcer.announce(Progress::Targets {
            service: self.services[index].label(),
            task: id,
            targets,
        });
    }

    pub(super) fn note_steadiness(&mut self, index: usize, now: Duration) {
        let service = &mut self.services[index];
        let is_steady = service.view.is_steady(&service.tasks, now);
        let becomes_steady = is_steady && !service.was_steady;
        service.was_steady = is_steady;
        if becomes_steady {
            self.event(index, "has reached a steady state.");
        }
    }

    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html>
    pub(super) fn note_room(&mut self, index: usize) {
        let service = &mut self.services[index];
        let has_room = service.view.capacity.has_room();
        let loses_room = service.had_room && !has_room;
        service.had_room = has_room;
        if loses_room {
            self.event(index, "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.");
        }
    }

    pub(super) fn tell_started(&mut self, index: usize, started: &[TaskId]) {
        let Some(first) = started.first() else { return };
        let (count, ids) = (started.len(), in_brackets(started));
        let task = self.services[index].tasks.iter().find(|task| task.id == *first);
        let zone = task
            .filter(|task| task.purpose == Purpose::Rebalancing)
            .and_then(|task| task.placement.availability_zone.clone());
        match zone {
            Some(zone) => {
                let spread = self.spread(index, Some(first)).in_words();
                self.event(
                    index,
                    &format!("is not AZ balanced with {spread}. AZ Rebalancing in progress."),
                );
                self.event(
                    index,
                    &format!("has started {count} tasks in {zone} to AZ Rebalance: {ids}."),
                );
            }
            None => self.event(index, &format!("has started {count} tasks: {ids}.")),
        }
        self.write_down();
    }

    pub(super) fn tell_stopped(&mut self, index: usize, stopped: &[(TaskId, Cause)]) {
        let moved = |cause: &Cause| *cause == Cause::Rebalancing;
        let of = |rebalancing: bool| -> Vec<TaskId> {
            let some = stopped.iter().filter(|(_, cause)| moved(cause) == rebalancing);
            some.map(|(task, _)| task.clone()).collect()
        };
        let (plain, moved) = (of(false), of(true));
        if !plain.is_empty() {
            let (count, ids) = (plain.len(), in_brackets(&plain));
            self.event(index, &format!("has stopped {count} running tasks: {ids}."));
        }
        if let [task, ..] = moved.as_slice() {
            self.tell_moved(index, task, &moved);
        }
    }

    fn tell_moved(&mut self, index: usize, first: &TaskId, moved: &[TaskId]) {
        let service = &mut self.services[index];
        for task in &mut service.tasks {
            task.purpose = Purpose::Replica;
        }
        let task = service.tasks.iter().find(|task| task.id == *first);
        let zone = task.and_then(|task| task.placement.availability_zone.clone());
        let (count, zone, ids) = (moved.len(), zone.unwrap_or_default(), in_brackets(moved));
        self.event(
            index,
            &format!("has stopped {count} running tasks in {zone} due to AZ rebalancing: {ids}."),
        );
        let spread = self.spread(index, None);
        if spread.is_balanced() {
            let spread = spread.in_words();
            self.event(index, &format!("is AZ balanced with {spread}."));
        }
    }

    /// How the live tasks are spread, one of them left out.
    fn spread(&self, index: usize, without: Option<&TaskId>) -> Spread<'_> {
        let service = &self.services[index];
        let counts = |task: &&Task| task.is_live() && Some(&task.id) != without;
        let placements = service.tasks.iter().filter(counts).map(|task| &task.placement);
        Spread::new(&service.view.capacity, placements)
    }
}

fn in_brackets(tasks: &[TaskId]) -> String {
    let names: Vec<_> = tasks.iter().map(|task| format!("(task {task})")).collect();
    names.join(" ")
}
