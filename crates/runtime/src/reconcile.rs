//! The loop that makes what runs match what is wanted: it notes what tasks report, asks the scheduler, and does what that decided.

mod apply;
mod note;
mod operate;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::decide::{Action, decide, wake_at};
use crate::deployment::rollout::{self, Milestone};
use crate::life::{Life, Manner, Report, StopOrder, Urgency};
use crate::logs;
use crate::operation::{Applied, Operation};
use crate::placement::Placement;
use crate::progress::{Announcer, Progress};
use crate::runner::TaskRunner;
use crate::service::{Revision, RunningService, Surroundings};
use crate::state::{RunningTask, StateDirectory};
use crate::task::{DesiredStatus, NewTask, Purpose, Stop, StopCode, Task, TaskId};
use karma_ops::{AlarmState, DEADLOCK, ServiceHealth, ServiceObservation};

/// What the loop is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Tell what runs.
    Observe(oneshot::Sender<Seen>),
    /// Run these services from now on, and no others.
    Apply(Vec<Revision>, oneshot::Sender<AppliedAll>),
    /// Do something to what runs.
    Operate(Operation),
    /// An alarm has come to another state.
    NoteAlarm { name: String, state: AlarmState },
    /// Something was done with a service, by its label, elsewhere.
    NoteEvent { service: String, message: String },
    /// Start nothing any more.
    Rest,
    /// Stop every task; when none is left, the loop ends.
    Stop(Urgency),
}

/// What became of each service, and what may be named of this machine's files from now on.
#[derive(Debug, Default)]
pub(crate) struct AppliedAll {
    pub(crate) applied: Vec<Applied>,
    pub(crate) words: BTreeSet<String>,
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
    /// None is on its way any more, and some tasks end or are unhealthy, or a deployment has failed or is stuck.
    Failing,
}

/// The loop and what it knows.
#[derive(Debug)]
pub(crate) struct Reconciler<R: TaskRunner> {
    runner: Arc<R>,
    services: Vec<RunningService>,
    surroundings: Surroundings,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Running,
    Resting,
    Stopping,
}

impl<R: TaskRunner> Reconciler<R> {
    pub(crate) fn new(
        runner: Arc<R>,
        services: Vec<Revision>,
        state: Arc<StateDirectory>,
        announcer: Announcer,
        clock: Clock,
    ) -> Self {
        let surroundings = Surroundings {
            clock,
            lost_zones: BTreeSet::new(),
            in_alarm: BTreeSet::new(),
        };
        Self {
            runner,
            services: services
                .into_iter()
                .map(|revision| RunningService::new(revision, &surroundings))
                .collect(),
            surroundings,
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

    /// All that may be named of this machine's files from now on.
    pub(crate) fn words(&self) -> BTreeSet<String> {
        self.services.iter().flat_map(RunningService::words).collect()
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
            self.advance(index, now);
            let service = &self.services[index];
            let actions = decide(&service.view, &service.tasks, now);
            self.execute(index, actions);
            self.note_steadiness(index, now);
            self.note_room(index);
        }
        self.services
            .retain(|service| !service.is_leaving || !service.orders.is_empty());
        self.publish_health(now);
        self.services
            .iter()
            .filter_map(|service| wake_at(&service.view, &service.tasks, now))
            .min()
    }

    /// Takes the deployments of a service as far as its tasks are, and tells.
    fn advance(&mut self, index: usize, now: Duration) {
        let service = &mut self.services[index];
        let milestones = rollout::advance(&mut service.view, &service.tasks, now);
        for milestone in milestones {
            let what = match milestone {
                Milestone::Completed(id) => format!("(deployment {id}) deployment completed."),
                Milestone::Failed { deployment, why } => format!("(deployment {deployment}) deployment failed: {why}."),
                Milestone::RollingBack { to } => {
                    self.services[index].place_as_primary();
                    format!("rolling back to (deployment {to}).")
                }
                Milestone::Deadlocked => DEADLOCK.to_owned(),
            };
            self.event(index, &what);
        }
    }

    fn execute(&mut self, index: usize, actions: Vec<Action>) {
        let (mut started, mut stopped) = (Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::Start { placement, purpose } => started.push(self.start(index, placement, purpose)),
                Action::Stop { task, cause, reason } => {
                    self.note_cause(index, &task, cause);
                    let code = StopCode::ServiceSchedulerInitiated;
                    self.stop(index, &task, Stop { code, reason }, Manner::Drained);
                    stopped.push((task, cause));
                }
            }
        }
        self.tell_started(index, &started);
        self.tell_stopped(index, &stopped);
    }

    fn start(&mut self, index: usize, placement: Placement, purpose: Purpose) -> TaskId {
        let now = self.now();
        let service = &mut self.services[index];
        let revision = service.deployed();
        let definition = Arc::clone(&revision.definition);
        let endpoints = revision.endpoints.clone();
        let id = TaskId::random();
        let new = NewTask {
            id: id.clone(),
            deployment: service.view.primary().id.clone(),
            task_definition: Arc::clone(&service.view.primary().task_definition),
            placement,
            purpose,
            log_path: logs::path(self.state.path(), &definition.label, &id),
        };
        let (order, orders) = watch::channel(None);
        service.tasks.push(Task::new(new, now));
        service.orders.insert(id.clone(), order);
        let life = Life {
            id: id.clone(),
            service: definition,
            clock: self.clock,
            runner: Arc::clone(&self.runner),
            endpoints,
            reports: self.reports.0.clone(),
            orders,
        };
        self.lives.spawn(life.run());
        id
    }

    fn stop(&mut self, index: usize, task: &TaskId, stop: Stop, manner: Manner) {
        let service = &mut self.services[index];
        if let Some(task) = service.tasks.iter_mut().find(|known| known.id == *task) {
            task.desired_status = DesiredStatus::Stopped;
            task.stop.get_or_insert_with(|| stop.clone());
        }
        if let Some(orders) = service.orders.get(task) {
            orders.send_replace(Some(StopOrder { stop, manner }));
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
            Command::Apply(services, answer) => {
                let applied = self.apply(services);
                let _ = answer.send(applied);
            }
            Command::Operate(operation) => self.operate(operation),
            Command::NoteAlarm { name, state } => self.note_alarm(name, state),
            Command::NoteEvent { service, message } => self.note_event(&service, message),
            Command::Rest => self.mode = self.mode.max(Mode::Resting),
            Command::Stop(urgency) => self.stop_all(urgency),
        }
    }

    fn stop_all(&mut self, urgency: Urgency) {
        self.mode = Mode::Stopping;
        for index in 0..self.services.len() {
            let tasks: Vec<_> = self.services[index].orders.keys().cloned().collect();
            for task in tasks {
                let stop = by_user("Task stopped by user".to_owned());
                self.stop(index, &task, stop, urgency.into());
            }
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
        let message = format!("service ({}) {what}", self.services[index].name());
        self.remember(index, message);
    }

    fn note_event(&mut self, label: &str, message: String) {
        let position = self.services.iter().position(|service| service.label() == label);
        // A service that has gone has no events any more.
        if let Some(index) = position {
            self.remember(index, message);
        }
    }

    fn remember(&mut self, index: usize, message: String) {
        let at = self.clock.at(self.now());
        let service = &mut self.services[index];
        service.remember(at, message.clone());
        let service = service.label();
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
                service: service.label(),
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

fn by_user(reason: String) -> Stop {
    let code = StopCode::UserInitiated;
    Stop { code, reason }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
