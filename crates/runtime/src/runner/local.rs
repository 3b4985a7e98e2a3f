//! [`LocalRunner`]: whichever runner the user has chosen.

use std::sync::Arc;

use super::{
    ContainerRunner, EngineContainer, Exit, Place, Probe, ProcessContainer, ProcessRunner, RunningContainer,
    StartFailure, StopSignal, TaskRunner,
};
use crate::limits::register::Register;
use crate::listening::Reach;
use crate::local::{LocalContainer, LocalHealthCheck, LocalService};
use crate::task::{ContainerState, TaskId, TaskStatus};

/// Whichever runner the user has chosen.
#[derive(Debug)]
pub(crate) enum LocalRunner {
    Process(ProcessRunner),
    Container(ContainerRunner),
}

/// A container of either.
#[derive(Debug)]
pub(crate) enum LocalRunning {
    Process(Box<ProcessContainer>),
    Container(EngineContainer),
}

impl LocalRunner {
    /// What runs now.
    pub(crate) fn register(&self) -> &Arc<Register> {
        match self {
            Self::Process(runner) => runner.register(),
            Self::Container(runner) => runner.register(),
        }
    }

    /// What is not as it would be on AWS; one sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self {
            Self::Process(runner) => runner.notes(),
            Self::Container(runner) => runner.notes(),
        }
    }
}

impl TaskRunner for LocalRunner {
    type Container = LocalRunning;

    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure> {
        match self {
            Self::Process(runner) => runner.provision(task, service),
            Self::Container(runner) => runner.provision(task, service),
        }
    }

    async fn start(&self, place: &Place, container: &LocalContainer) -> Result<LocalRunning, StartFailure> {
        Ok(match self {
            Self::Process(runner) => LocalRunning::Process(Box::new(runner.start(place, container).await?)),
            Self::Container(runner) => LocalRunning::Container(runner.start(place, container).await?),
        })
    }

    fn reach(&self, place: &Place, port: u16) -> Reach {
        match self {
            Self::Process(runner) => runner.reach(place, port),
            Self::Container(runner) => runner.reach(place, port),
        }
    }

    async fn probe(&self, place: &Place, container: &LocalContainer, check: &LocalHealthCheck) -> Probe {
        match self {
            Self::Process(runner) => runner.probe(place, container, check).await,
            Self::Container(runner) => runner.probe(place, container, check).await,
        }
    }

    fn deprovision(&self, place: &Place) {
        match self {
            Self::Process(runner) => runner.deprovision(place),
            Self::Container(runner) => runner.deprovision(place),
        }
    }

    fn note_status(&self, task: &TaskId, status: TaskStatus) {
        match self {
            Self::Process(runner) => runner.note_status(task, status),
            Self::Container(runner) => runner.note_status(task, status),
        }
    }

    fn note_containers(&self, task: &TaskId, containers: &[ContainerState]) {
        match self {
            Self::Process(runner) => runner.note_containers(task, containers),
            Self::Container(runner) => runner.note_containers(task, containers),
        }
    }
}

impl RunningContainer for LocalRunning {
    fn pid(&self) -> Option<u32> {
        match self {
            Self::Process(container) => container.pid(),
            Self::Container(container) => container.pid(),
        }
    }

    async fn wait(&mut self) -> Exit {
        match self {
            Self::Process(container) => container.wait().await,
            Self::Container(container) => container.wait().await,
        }
    }

    fn signal(&mut self, signal: StopSignal) {
        match self {
            Self::Process(container) => container.signal(signal),
            Self::Container(container) => container.signal(signal),
        }
    }

    fn end_reason(&self) -> Option<&'static str> {
        match self {
            Self::Process(container) => container.end_reason(),
            Self::Container(container) => container.end_reason(),
        }
    }
}
