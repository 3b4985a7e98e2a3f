//! The loop that makes what runs match what is wanted: it notes what tasks report, asks the scheduler, and does what that decided.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::decide::{Action, decide, wake_at};
use crate::life::{Fact, Life, Report, StopOrder, Urgency};
use crate::logs;
use crate::progress::{Announcer, Progress};
use crate::runner::TaskRunner;
use crate::service::RunningService;
use crate::state::{RunningTask, StateDirectory};
use crate::task::{DesiredStatus, Stop, StopCode, TargetsHealth, Task, TaskId, TaskStatus};
use karma_ops::{ServiceHealth, ServiceObservation};

/// What the loop is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Tell what runs.
    Observe(oneshot::Sender<Seen>),
    /// Make it so many tasks of the service with this label.
    Scale {
        service: String,
        count: usize,
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// Start nothing any more.
    Rest,
    /// Stop every task; when none is left, the loop ends.
    Stop(Urgency),
}

/// What runs, and what should be known about it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) services: Vec<ServiceObservation>,
    pub(crate) notes: Vec<String>,
}

/// How the whole fleet fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FleetHealth {
    /// Every service has as many tasks as wanted, all in service.
    Steady,
    /// Some are on their way.
    Starting,
    /// None is on its way any more, and some tasks end or are unhealthy.
    Failing,
}

/// The loop and what it knows.
#[derive(Debug)]
pub(crate) struct Reconciler<R: TaskRunner> {
    runner: Arc<R>,
    services: Vec<RunningService>,
    state: Arc<StateDirectory>,
    announcer: Announcer,
    clock: Clock,
    mode: Mode,
    notes: Vec<String>,
    noted: BTreeSet<String>,
    health: watch::Sender<FleetHealth>,
    lives: JoinSet<()>,
    reports: (mpsc::UnboundedSender<Report>, mpsc::UnboundedReceiver<Report>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Running,
    Resting,
    Stopping,
}

impl<R: TaskRunner> Reconciler<R> {
    pub(crate) fn new(
        runner: Arc<R>,
        services: Vec<RunningService>,
        state: Arc<StateDirectory>,
        announcer: Announcer,
        clock: Clock,
    ) -> Self {
        Self {
            runner,
            services,
            state,
            announcer,
            clock,
            mode: Mode::Running,
            notes: Vec::new(),
            noted: BTreeSet::new(),
            health: watch::Sender::new(FleetHealth::Starting),
            lives: JoinSet::new(),
            reports: mpsc::unbounded_channel(),
        }
    }

    /// How the fleet fares, from now on.
    pub(crate) fn health(&self) -> watch::Receiver<FleetHealth> {
        self.health.subscribe()
    }

    /// Runs until it has been told to stop and every task has.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        while self.mode != Mode::Stopping || !self.lives.is_empty() {
            let wake = if self.mode == Mode::Running {
                self.reconcile()
            } else {
                None
            };
            tokio::select! {
                Some(report) = self.reports.1.recv() => self.note_all(report),
                command = commands.recv() => self.obey(command.unwrap_or(Command::Stop(Urgency::AtOnce))),
                () = until(wake.map(|wake| self.clock.instant(wake))) => {}
                Some(_) = self.lives.join_next() => {}
            }
        }
        self.note_waiting();
    }

    /// Asks the scheduler about every service and does what it decided. Returns when it must be asked again although nothing happens.
    fn reconcile(&mut self) -> Option<Duration> {
        let now = self.now();
        for index in 0..self.services.len() {
            let service = &self.services[index];
            let actions = decide(&service.view, &service.tasks, now);
            self.execute(index, actions);
            self.note_steadiness(index, now);
        }
        self.publish_health(now);
        self.services
            .iter()
            .filter_map(|service| wake_at(&service.view, &service.tasks, now))
            .min()
    }

    fn execute(&mut self, index: usize, actions: Vec<Action>) {
        let starts = actions.iter().filter(|action| **action == Action::Start).count();
        if starts > 0 {
            let names: Vec<_> = (0..starts).map(|_| format!("(task {})", self.start(index))).collect();
            self.event(index, &format!("has started {starts} tasks: {}.", names.join(" ")));
            self.write_down();
        }
        for action in actions {
            if let Action::Stop { task, reason } = action {
                let code = StopCode::ServiceSchedulerInitiated;
                self.stop(index, &task, Stop { code, reason }, Urgency::Graceful);
                self.event(index, &format!("has stopped 1 running tasks: (task {task})."));
            }
        }
    }

    fn start(&mut self, index: usize) -> TaskId {
        let now = self.now();
        let service = &mut self.services[index];
        let id = TaskId::random();
        let log_path = logs::path(self.state.path(), &service.definition.label, &id);
        let (order, orders) = watch::channel(None);
        service.tasks.push(Task::new(id.clone(), now, log_path));
        service.orders.insert(id.clone(), order);
        let life = Life {
            id: id.clone(),
            service: Arc::clone(&service.definition),
            runner: Arc::clone(&self.runner),
            endpoints: service.endpoints.clone(),
            reports: self.reports.0.clone(),
            orders,
        };
        self.lives.spawn(life.run());
        id
    }

    fn stop(&mut self, index: usize, task: &TaskId, stop: Stop, urgency: Urgency) {
        let service = &mut self.services[index];
        if let Some(task) = service.tasks.iter_mut().find(|known| known.id == *task) {
            task.desired_status = DesiredStatus::Stopped;
            task.stop.get_or_insert_with(|| stop.clone());
        }
        if let Some(orders) = service.orders.get(task) {
            orders.send_replace(Some(StopOrder { stop, urgency }));
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Observe(answer) => {
                let now = self.now();
                let services = self
                    .services
                    .iter()
                    .map(|service| service.observe(self.clock, now))
                    .collect();
                let notes = self.notes.clone();
                // Who asked may have gone.
                let _ = answer.send(Seen { services, notes });
            }
            Command::Scale { service, count, answer } => {
                // Who asked may have gone.
                let _ = answer.send(self.scale(&service, count));
            }
            Command::Rest => self.mode = Mode::Resting,
            Command::Stop(urgency) => self.stop_all(urgency),
        }
    }

    fn scale(&mut self, label: &str, count: usize) -> Result<(), String> {
        let mut services = self.services.iter_mut();
        let service = services.find(|service| *service.definition.label == *label);
        let service = service.ok_or_else(|| format!("there is no service {label}"))?;
        service.view.desired_count = count;
        Ok(())
    }

    fn stop_all(&mut self, urgency: Urgency) {
        self.mode = Mode::Stopping;
        for index in 0..self.services.len() {
            let tasks: Vec<_> = self.services[index].orders.keys().cloned().collect();
            for task in tasks {
                let stop = Stop {
                    code: StopCode::UserInitiated,
                    reason: "Task stopped by user".to_owned(),
                };
                self.stop(index, &task, stop, urgency);
            }
        }
    }

    /// A report, and all that have come with it: the scheduler is asked once for all of them.
    fn note_all(&mut self, report: Report) {
        self.note(report);
        self.note_waiting();
    }

    fn note_waiting(&mut self) {
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
        let label = service.definition.label.to_string();
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
                task.desired_status = DesiredStatus::Stopped;
                task.stop.get_or_insert(stop);
                self.note_failure(index, &id);
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
            TaskStatus::Running => task.started_at = Some(now),
            TaskStatus::Stopped => task.stopped_at = Some(now),
            _ => {}
        }
        self.announcer.announce(Progress::Status {
            service: service.definition.label.to_string(),
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

    /// As soon as a task is known to have failed, not only when the last of it is gone: else it would be replaced without a wait.
    fn note_failure(&mut self, index: usize, id: &TaskId) {
        let now = self.now();
        let service = &mut self.services[index];
        let was_impaired = service.view.back_off.is_impaired();
        if let Some(task) = service.tasks.iter().find(|task| task.id == *id) {
            service.view.back_off.record(task, now);
        }
        if !was_impaired && service.view.back_off.is_impaired() {
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
            service: self.services[index].definition.label.to_string(),
            task: id,
            targets,
        });
    }

    fn note_steadiness(&mut self, index: usize, now: Duration) {
        let service = &mut self.services[index];
        let is_steady = service.view.is_steady(&service.tasks, now);
        let becomes_steady = is_steady && !service.was_steady;
        service.was_steady = is_steady;
        if becomes_steady {
            self.event(index, "has reached a steady state.");
        }
    }

    fn publish_health(&self, now: Duration) {
        let healths = || {
            self.services
                .iter()
                .map(|service| service.view.health(&service.tasks, now))
        };
        let health = if healths().all(|health| health == ServiceHealth::Healthy) {
            FleetHealth::Steady
        } else if healths().any(|health| health == ServiceHealth::Starting) {
            FleetHealth::Starting
        } else {
            FleetHealth::Failing
        };
        self.health
            .send_if_modified(|known| std::mem::replace(known, health) != health);
    }

    /// An event in ECS's words: the service's name comes first.
    fn event(&mut self, index: usize, what: &str) {
        let at = self.clock.at(self.now());
        let service = &mut self.services[index];
        let message = format!("service ({}) {what}", service.definition.name);
        service.remember(at, message.clone());
        let service = service.definition.label.to_string();
        self.announcer.announce(Progress::Event { service, message });
    }

    /// Says something once.
    fn remark(&mut self, note: String) {
        if self.noted.insert(note.clone()) {
            self.notes.push(note.clone());
            self.announcer.announce(Progress::Note { message: note });
        }
    }

    /// Writes down which tasks there are, for whoever comes after a crash.
    fn write_down(&mut self) {
        let running = self.services.iter().flat_map(|service| {
            service.orders.keys().map(|task| RunningTask {
                service: service.definition.label.to_string(),
                task_id: task.clone(),
            })
        });
        let running: Vec<_> = running.collect();
        if let Err(error) = self.state.write_tasks(&running) {
            self.remark(format!(
                "{error}: after a crash the next run will not know which tasks there were"
            ));
        }
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
