//! [`TaskRunner`]: what starts the containers of a task, and what it must be able to do.

mod container;
mod environment;
mod local;
mod lodging;
mod process;
mod spawner;

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::listening::Reach;
use crate::local::{LocalContainer, LocalHealthCheck, LocalService};
use crate::task::{ContainerState, TaskId, TaskStatus};

pub use container::EngineError;
pub(crate) use container::{ContainerRunner, Engine, EngineContainer, name as container_name};
pub(crate) use local::LocalRunner;
pub(crate) use lodging::House;
pub(crate) use process::{ProcessContainer, ProcessRunner, ProcessSettings, probe_namespaces};
pub(crate) use spawner::Spawner;

/// What the containers of a task are on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RunnerKind {
    /// Processes: programs of this machine stand for images.
    #[default]
    Process,
    /// Containers of Docker or Podman, made of the images themselves.
    Container,
}

/// What starts the containers of a task. The life of a task is the same wherever they run.
pub(crate) trait TaskRunner: Send + Sync + 'static {
    /// A container that runs.
    type Container: RunningContainer;

    /// Gives a task its address, its disk and its log.
    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure>;

    /// Starts a container.
    fn start(
        &self,
        place: &Place,
        container: &LocalContainer,
    ) -> impl Future<Output = Result<Self::Container, StartFailure>> + Send;

    /// Whether a container listens on a port of its task.
    fn reach(&self, place: &Place, port: u16) -> Reach;

    /// Runs a container's health check once; takes no longer than its time-out.
    fn probe(
        &self,
        place: &Place,
        container: &LocalContainer,
        check: &LocalHealthCheck,
    ) -> impl Future<Output = Probe> + Send;

    /// Takes back what [`TaskRunner::provision`] gave.
    fn deprovision(&self, place: &Place);

    /// Hears how far a task has come. Whoever has nobody to tell it to need not listen.
    fn note_status(&self, _task: &TaskId, _status: TaskStatus) {}

    /// Hears how the containers of a task stand.
    fn note_containers(&self, _task: &TaskId, _containers: &[ContainerState]) {}
}

/// A container that runs.
pub(crate) trait RunningContainer: Send + 'static {
    /// The process id of its program.
    fn pid(&self) -> Option<u32>;

    /// Resolves when it has ended. May be dropped and called again.
    fn wait(&mut self) -> impl Future<Output = Exit> + Send;

    /// Tells it to end.
    fn signal(&mut self, signal: StopSignal);

    /// Why it has ended, in ECS's words, where more is known than its exit code.
    fn end_reason(&self) -> Option<&'static str> {
        None
    }
}

/// Where a task runs.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) task: TaskId,
    pub(crate) service: Arc<str>,
    pub(crate) address: Ipv4Addr,
    /// What its containers are told besides their definition.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The exit code; 128 + the signal's number where a signal ended it, as ECS and shells have it.
    pub(crate) code: i32,
    /// Whether its program came to run at all.
    pub(crate) launched: Launched,
}

/// Whether a program came to run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Launched {
    /// It ran.
    Yes,
    /// It could not be started.
    No,
}

/// How a container is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGTERM to its program.
    Terminate,
    /// SIGKILL to all of it.
    Kill,
}

/// What one run of a health check said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Exit code zero.
    Passed,
    /// Anything else; the last line that it printed, or what went wrong.
    Failed(String),
}

/// A task or a container cannot be started; the text becomes the task's `stoppedReason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StartFailure(pub(crate) String);
