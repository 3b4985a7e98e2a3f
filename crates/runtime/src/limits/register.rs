//! [`Register`]: what a runner runs now, for whoever measures it, describes it to itself, or joins it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::limits::{ContainerLimits, TaskLimits};
use crate::local::{LocalContainer, LocalService};
use crate::logs::task_log::TaskLog;
use crate::runner::Place;
use crate::task::{ContainerState, HealthStatus, TaskId, TaskStatus};

/// What a runner runs now.
#[derive(Debug, Default)]
pub(crate) struct Register(Mutex<BTreeMap<TaskId, TaskRecord>>);

/// A task from its provisioning to its end.
#[derive(Debug, Clone)]
pub(crate) struct TaskRecord {
    pub(crate) place: Place,
    pub(crate) service: Arc<LocalService>,
    pub(crate) log: Arc<TaskLog>,
    /// What it may write to, which goes with it.
    pub(crate) disk: PathBuf,
    pub(crate) created_at: Timestamp,
    pub(crate) last_status: TaskStatus,
    /// What was on its disk when that was looked at last, in bytes.
    pub(crate) storage: Option<u64>,
    /// In the order of the definition.
    pub(crate) containers: Vec<ContainerRecord>,
}

/// A container of it, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct ContainerRecord {
    pub(crate) definition: Arc<LocalContainer>,
    /// The unguessable last part of its metadata endpoint's address.
    pub(crate) key: String,
    pub(crate) pid: Option<u32>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) health: HealthStatus,
    /// So often it was started after the first time.
    pub(crate) restarts: u32,
    /// Why this program has killed it.
    pub(crate) killed: Option<&'static str>,
}

/// A task whose memory is limited, and its containers that run, with the process ids of their programs.
#[derive(Debug)]
pub(crate) struct MemoryLimits {
    pub(crate) id: TaskId,
    pub(crate) limits: TaskLimits,
    pub(crate) containers: Vec<(Arc<str>, ContainerLimits, u32)>,
}

impl Register {
    pub(crate) fn enter(&self, record: TaskRecord) {
        self.tasks().insert(record.place.task.clone(), record);
    }

    pub(crate) fn leave(&self, task: &TaskId) -> Option<TaskRecord> {
        self.tasks().remove(task)
    }

    /// A task as it stands.
    pub(crate) fn task(&self, task: &TaskId) -> Option<TaskRecord> {
        self.tasks().get(task).cloned()
    }

    /// The key of a container.
    pub(crate) fn key(&self, task: &TaskId, container: &str) -> Option<String> {
        self.change(task, container, |container| container.key.clone())
    }

    /// Whether a container has been started before.
    pub(crate) fn has_run(&self, task: &TaskId, container: &str) -> bool {
        self.change(task, container, |container| container.started_at.is_some()) == Some(true)
    }

    /// The task and the container that have a key, as they stand.
    pub(crate) fn by_key(&self, key: &str) -> Option<(TaskRecord, ContainerRecord)> {
        let tasks = self.tasks();
        tasks.values().find_map(|task| {
            let container = task.containers.iter().find(|container| container.key == key)?;
            Some((task.clone(), container.clone()))
        })
    }

    pub(crate) fn note_status(&self, task: &TaskId, status: TaskStatus) {
        if let Some(task) = self.tasks().get_mut(task) {
            task.last_status = status;
        }
    }

    pub(crate) fn note_containers(&self, task: &TaskId, states: &[ContainerState]) {
        for state in states {
            self.change(task, &state.name, |container| container.health = state.health_status);
        }
    }

    pub(crate) fn note_start(&self, task: &TaskId, container: &str, pid: Option<u32>) {
        self.change(task, container, |container| {
            container.restarts += u32::from(container.started_at.is_some());
            container.pid = pid;
            container.started_at = Some(Timestamp::now());
            (container.finished_at, container.exit_code, container.killed) = (None, None, None);
        });
    }

    /// Returns why this program has killed the container, if it has.
    pub(crate) fn note_end(&self, task: &TaskId, container: &str, exit_code: i32) -> Option<&'static str> {
        self.change(task, container, |container| {
            container.pid = None;
            container.finished_at = Some(Timestamp::now());
            container.exit_code = Some(exit_code);
            container.killed
        })
        .flatten()
    }

    /// Notes how much is on a task's disk. Returns whether that was not noted as too much before.
    pub(crate) fn note_storage(&self, task: &TaskId, size: u64) -> bool {
        let mut tasks = self.tasks();
        let Some(task) = tasks.get_mut(task) else { return false };
        let before = task.storage.replace(size);
        before.is_none_or(|before| before <= task.service.limits.storage)
    }

    /// Kills a container with all its group.
    pub(crate) fn kill(&self, task: &TaskId, container: &str, why: &'static str) {
        self.change(task, container, |container| {
            let Some(pid) = container.pid else { return };
            container.killed = Some(why);
            // An error means that it is gone.
            let _ = killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        });
    }

    /// Kills a program that a task cannot do without, as a fault of its own would. `false` where none runs.
    pub(crate) fn crash(&self, task: &TaskId) -> bool {
        let tasks = self.tasks();
        let mut containers = tasks.get(task).into_iter().flat_map(|task| &task.containers);
        let pid = containers.find_map(|container| container.pid.filter(|_| container.definition.essential));
        // An error means that it is gone.
        pid.is_some_and(|pid| killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).is_ok())
    }

    /// The tasks whose memory is limited.
    pub(crate) fn memory_limits(&self) -> Vec<MemoryLimits> {
        let tasks = self.tasks();
        let limits = tasks.iter().map(|(id, task)| MemoryLimits {
            id: id.clone(),
            limits: task.service.limits,
            containers: task
                .containers
                .iter()
                .filter_map(ContainerRecord::memory_limit)
                .collect(),
        });
        let is_limited = |task: &MemoryLimits| {
            task.limits.memory.is_some() || task.containers.iter().any(|(_, limits, _)| limits.memory.is_some())
        };
        limits.filter(is_limited).collect()
    }

    /// The tasks' disks, with their services' labels and how much they may hold.
    pub(crate) fn disks(&self) -> Vec<(TaskId, Arc<str>, u64, PathBuf)> {
        let tasks = self.tasks();
        let disk = |(id, task): (&TaskId, &TaskRecord)| {
            (
                id.clone(),
                Arc::clone(&task.service.label),
                task.service.limits.storage,
                task.disk.clone(),
            )
        };
        tasks.iter().map(disk).collect()
    }

    fn change<T>(&self, task: &TaskId, container: &str, change: impl FnOnce(&mut ContainerRecord) -> T) -> Option<T> {
        let mut tasks = self.tasks();
        let containers = &mut tasks.get_mut(task)?.containers;
        containers
            .iter_mut()
            .find(|known| *known.definition.name == *container)
            .map(change)
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, TaskRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ContainerRecord {
    /// One that has not been started yet.
    pub(crate) fn new(definition: Arc<LocalContainer>) -> Self {
        Self {
            definition,
            key: TaskId::random().to_string(),
            pid: None,
            started_at: None,
            finished_at: None,
            exit_code: None,
            health: HealthStatus::Unknown,
            restarts: 0,
            killed: None,
        }
    }

    fn memory_limit(&self) -> Option<(Arc<str>, ContainerLimits, u32)> {
        Some((Arc::clone(&self.definition.name), self.definition.limits, self.pid?))
    }
}
