//! The end of the control socket that asks.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::BufReader;
use tokio::net::UnixStream;

use super::{Connection, MessageError, Request, Response, short_path};
use crate::drill::Fault;
use crate::exec::{self, ExecRequest, FrameReader, FrameWriter};
use crate::operation::{Applied, Deployed};
use crate::progress::Progress;
use karma_ops::{
    AlarmAnswer, AutoscalingChange, MetricAnswer, MetricQuery, Observation, TaskId, TraceAnswer, TraceQuery,
};

/// A fleet that runs in another process. Each question has a connection of its own, so that none waits for another.
#[derive(Debug, Clone)]
pub struct Control {
    state_directory: PathBuf,
}

/// A fleet cannot be asked, or does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is none.
    #[error("nothing is running here")]
    NothingRunning,
    /// It was reached, and says no.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What the user can do, one line.
        hint: Option<String>,
    },
    /// The connection broke, or could not be made.
    #[error("the running karma cannot be reached")]
    Io(#[from] io::Error),
    /// The other process says something else than expected.
    #[error("the running karma does not answer: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
        /// What the user can do, one line.
        hint: Option<String>,
    },
}

impl ControlError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingRunning => Some("start the stack with `karma up`".to_owned()),
            Self::Refused { hint, .. } | Self::Answer { hint, .. } => hint.clone(),
            Self::Io(_) => None,
        }
    }
}

impl Control {
    /// Finds the fleet of a state directory; there must be one that can be reached.
    pub async fn connect(state_directory: &Path) -> Result<Self, ControlError> {
        open(state_directory).await?;
        Ok(Self {
            state_directory: state_directory.to_owned(),
        })
    }

    /// What runs now.
    pub async fn observe(&self) -> Result<Observation, ControlError> {
        match self.ask(Request::Observe).await? {
            Response::Observation { observation } => Ok(*observation),
            _ => Err(unexpected()),
        }
    }

    /// What CloudWatch would show.
    pub async fn metrics(&self, query: MetricQuery) -> Result<MetricAnswer, ControlError> {
        match self.ask(Request::Metrics { query }).await? {
            Response::Metrics { answer } => Ok(*answer),
            _ => Err(unexpected()),
        }
    }

    /// How the alarms stand, and what autoscaling did.
    pub async fn alarms(&self) -> Result<AlarmAnswer, ControlError> {
        match self.ask(Request::Alarms).await? {
            Response::Alarms { answer } => Ok(*answer),
            _ => Err(unexpected()),
        }
    }

    /// What X-Ray would show.
    pub async fn traces(&self, query: TraceQuery) -> Result<TraceAnswer, ControlError> {
        match self.ask(Request::Traces { query }).await? {
            Response::Traces { answer } => Ok(*answer),
            _ => Err(unexpected()),
        }
    }

    /// Changes how autoscaling looks after a service.
    pub async fn change_autoscaling(&self, service: &str, change: AutoscalingChange) -> Result<(), ControlError> {
        let service = service.to_owned();
        self.order(Request::Autoscaling { service, change }).await
    }

    /// Stops the fleet. What happens meanwhile is told to `on_progress`.
    pub async fn stop(&self, on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        self.listen(Request::Stop, on_progress).await
    }

    /// Tells `on_progress` what happens, until the fleet has stopped. To end it before, drop the future.
    pub async fn watch(&self, on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        self.listen(Request::Watch, on_progress).await
    }

    /// Runs a command in a task. What comes back is the conversation with it; when the writer is dropped, the command ends.
    pub async fn exec(
        &self,
        request: ExecRequest,
    ) -> Result<(FrameReader<BufReader<UnixStream>>, FrameWriter<BufReader<UnixStream>>), ControlError> {
        let mut connection = open(&self.state_directory).await?;
        connection.send(Request::Exec(request)).await?;
        match receive(&mut connection).await?.ok_or(ControlError::NothingRunning)? {
            Response::ExecBegun => Ok(exec::frames(connection.into_stream())),
            _ => Err(unexpected()),
        }
    }

    /// Makes another number of tasks the one that is wanted.
    pub async fn scale(&self, service: &str, desired_count: u32) -> Result<(), ControlError> {
        let service = service.to_owned();
        self.order(Request::Scale { service, desired_count }).await
    }

    /// Replaces every task of a service. The answer is the deployment that does it.
    pub async fn restart(&self, service: &str) -> Result<Deployed, ControlError> {
        let service = service.to_owned();
        self.deploy(Request::Restart { service }).await
    }

    /// Deploys an earlier revision: this one, or the last that was completed before the one that is wanted now.
    pub async fn rollback(&self, service: &str, to: Option<u32>) -> Result<Deployed, ControlError> {
        let service = service.to_owned();
        self.deploy(Request::Rollback { service, to }).await
    }

    /// Stops one task.
    pub async fn stop_task(&self, task: &TaskId, reason: &str) -> Result<(), ControlError> {
        let (task, reason) = (task.clone(), reason.to_owned());
        self.order(Request::StopTask { task, reason }).await
    }

    /// Breaks something on purpose.
    pub async fn inject(&self, fault: Fault) -> Result<(), ControlError> {
        self.order(Request::Inject { fault }).await
    }

    /// Has the fleet read its definition anew, with what this process was given. Answers when what has changed is being deployed.
    pub async fn apply(&self, given: serde_json::Value) -> Result<Vec<Applied>, ControlError> {
        match self.ask(Request::Apply { given }).await? {
            Response::Applied { services } => Ok(services),
            _ => Err(unexpected()),
        }
    }

    /// Where the fleet keeps its state and its logs.
    pub fn state_directory(&self) -> &Path {
        &self.state_directory
    }

    /// Something to be done that has no answer but that it was.
    async fn order(&self, request: Request) -> Result<(), ControlError> {
        match self.ask(request).await? {
            Response::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Something that begins a deployment.
    async fn deploy(&self, request: Request) -> Result<Deployed, ControlError> {
        match self.ask(request).await? {
            Response::Deployed { deployed } => Ok(deployed),
            _ => Err(unexpected()),
        }
    }

    /// A question with one answer.
    async fn ask(&self, request: Request) -> Result<Response, ControlError> {
        let mut connection = open(&self.state_directory).await?;
        connection.send(request).await?;
        receive(&mut connection).await?.ok_or(ControlError::NothingRunning)
    }

    /// A question that is answered with a stream. A connection that breaks here means that the other process has ended, and its fleet with it.
    async fn listen(&self, request: Request, mut on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        let mut connection = open(&self.state_directory).await?;
        connection.send(request).await?;
        while let Some(response) = receive(&mut connection).await? {
            match response {
                Response::Progress { progress } => on_progress(progress),
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

async fn open(state_directory: &Path) -> Result<Connection, ControlError> {
    let connected = match short_path(state_directory) {
        Ok((_directory, path)) => UnixStream::connect(path).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(stream) => Ok(Connection::new(stream)),
        // A socket that nobody listens on was left by a run that was killed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Err(ControlError::NothingRunning)
        }
        Err(error) => Err(error.into()),
    }
}

/// The next message; a refusal is an error. `None` when the other process has gone.
async fn receive(connection: &mut Connection) -> Result<Option<Response>, ControlError> {
    match connection.receive().await {
        Ok(Some(Response::Refused { reason, hint })) => Err(ControlError::Refused { reason, hint }),
        Ok(response) => Ok(response),
        Err(MessageError::Io(error)) => Err(error.into()),
        Err(error) => Err(ControlError::Answer {
            reason: error.to_string(),
            hint: error.hint(),
        }),
    }
}

/// An answer to another question.
fn unexpected() -> ControlError {
    ControlError::Answer {
        reason: "it answers another question".to_owned(),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nothing_runs_there_is_a_hint() {
        let directory = tempfile::tempdir().unwrap();
        let check = async |path: &Path| {
            let error = Control::connect(path).await.unwrap_err();
            assert!(matches!(error, ControlError::NothingRunning), "{error}");
            assert!(error.hint().unwrap().contains("karma up"));
        };
        check(&directory.path().join("never")).await;
        check(directory.path()).await;
        drop(std::os::unix::net::UnixListener::bind(directory.path().join("control.sock")).unwrap());
        check(directory.path()).await;
    }
}
