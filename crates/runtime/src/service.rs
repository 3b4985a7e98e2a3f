//! A service as it runs: its tasks, what is remembered of them, and what happened.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::back_off::BackOff;
use crate::clock::Clock;
use crate::decide::ServiceView;
use crate::endpoints::{Behind, Endpoint};
use crate::life::StopOrder;
use crate::local::LocalService;
use crate::logs;
use crate::task::{Task, TaskId, TaskStatus};
use crate::task_log;
use karma_ops::{EVENTS_KEPT, ServiceEvent, ServiceObservation, TaskObservation};

/// So many stopped tasks of a service are remembered, and their logs kept.
const STOPPED_KEPT: usize = 10;

/// So many lines of a stopped task's output are shown.
const LAST_LINES: usize = 20;

/// A service as it runs.
#[derive(Debug)]
pub(crate) struct RunningService {
    pub(crate) definition: Arc<LocalService>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) url: Option<String>,
    pub(crate) view: ServiceView,
    /// Oldest first.
    pub(crate) tasks: Vec<Task>,
    /// How each task that is not stopped is told to stop.
    pub(crate) orders: HashMap<TaskId, watch::Sender<Option<StopOrder>>>,
    pub(crate) events: VecDeque<ServiceEvent>,
    pub(crate) was_steady: bool,
}

impl RunningService {
    pub(crate) fn new(definition: LocalService, endpoints: Vec<Endpoint>, url: Option<String>) -> Self {
        let view = ServiceView {
            desired_count: definition.desired_count,
            deployment: definition.deployment,
            health_check_grace_period: definition.health_check_grace_period,
            has_container_health_check: definition.has_container_health_check(),
            has_load_balancer: endpoints.iter().any(|endpoint| endpoint.behind == Behind::LoadBalancer),
            back_off: BackOff::default(),
        };
        Self {
            definition: Arc::new(definition),
            endpoints,
            url,
            view,
            tasks: Vec::new(),
            orders: HashMap::new(),
            events: VecDeque::new(),
            was_steady: false,
        }
    }

    /// Remembers an event; the oldest is forgotten.
    pub(crate) fn remember(&mut self, at: Timestamp, message: String) {
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(ServiceEvent { at, message });
    }

    /// Forgets the oldest stopped tasks with their logs.
    pub(crate) fn forget_old_tasks(&mut self) {
        let is_stopped = |task: &Task| task.last_status == TaskStatus::Stopped;
        let mut surplus = self
            .tasks
            .iter()
            .filter(|task| is_stopped(task))
            .count()
            .saturating_sub(STOPPED_KEPT);
        self.tasks.retain(|task| {
            let forgotten = surplus > 0 && is_stopped(task);
            if forgotten {
                surplus -= 1;
                task_log::remove(&task.log_path);
            }
            !forgotten
        });
    }

    pub(crate) fn observe(&self, clock: Clock, now: Duration) -> ServiceObservation {
        let count = |wanted: fn(&Task) -> bool| self.tasks.iter().filter(|task| wanted(task)).count();
        ServiceObservation {
            service: self.definition.name.clone(),
            label: self.definition.label.to_string(),
            desired_count: self.view.desired_count,
            running_count: count(|task| task.last_status == TaskStatus::Running),
            pending_count: count(|task| task.last_status.is_pending()),
            health: self.view.health(&self.tasks, now),
            url: self.url.clone(),
            task_definition: self.definition.family.clone(),
            deployments: Vec::new(),
            tasks: self
                .tasks
                .iter()
                .rev()
                .map(|task| self.observe_task(task, clock))
                .collect(),
            events: self.events.clone(),
        }
    }

    fn observe_task(&self, task: &Task, clock: Clock) -> TaskObservation {
        let stopped = task.last_status == TaskStatus::Stopped;
        TaskObservation {
            task_id: task.id.clone(),
            task_definition: self.definition.family.clone(),
            deployment: String::new(),
            capacity_provider: None,
            availability_zone: None,
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
            log_path: task.log_path.clone(),
            last_lines: if stopped {
                logs::last_lines(&task.log_path, LAST_LINES)
            } else {
                Vec::new()
            },
        }
    }

    fn exit_code(&self, task: &Task) -> Option<i32> {
        let essential = |name: &str| {
            self.definition
                .containers
                .iter()
                .any(|one| one.essential && *one.name == *name)
        };
        task.containers
            .iter()
            .filter(|container| essential(&container.name))
            .find_map(|container| container.exit_code)
    }
}
