//! The end of the control socket that asks.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;

use super::{Connection, MessageError, Request, Response, short_path};
use crate::progress::Progress;
use karma_ops::Observation;

/// A connection to a fleet that runs in another process.
#[derive(Debug)]
pub struct Control(Connection);

/// A fleet cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is none.
    #[error("nothing is running here")]
    NothingRunning,
    /// The connection broke, or could not be made.
    #[error("the running karma cannot be reached")]
    Io(#[from] io::Error),
    /// The other process says something else than expected.
    #[error("the running karma does not answer: {0}")]
    Answer(String),
}

impl ControlError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingRunning => Some("start the stack with `karma up`".to_owned()),
            Self::Answer(_) => Some("stop it with Ctrl-C where it was started, and start it again".to_owned()),
            Self::Io(_) => None,
        }
    }
}

impl Control {
    /// Connects to the fleet of a state directory.
    pub async fn connect(state_directory: &Path) -> Result<Self, ControlError> {
        let connected = match short_path(state_directory) {
            Ok((_directory, path)) => UnixStream::connect(path).await,
            Err(error) => Err(error),
        };
        match connected {
            Ok(stream) => Ok(Self(Connection::new(stream))),
            // A socket that nobody listens on was left by a run that was killed.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                Err(ControlError::NothingRunning)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What runs now.
    pub async fn observe(&mut self) -> Result<Observation, ControlError> {
        self.0.send(Request::Observe).await?;
        match self.receive().await? {
            Some(Response::Observation { observation }) => Ok(*observation),
            _ => Err(ControlError::Answer("it says nothing about what runs".to_owned())),
        }
    }

    /// Stops the fleet. What happens meanwhile is told to `on_progress`.
    pub async fn stop(mut self, on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        self.0.send(Request::Stop).await?;
        self.listen(on_progress).await
    }

    /// Tells `on_progress` what happens, until the fleet has stopped. To end it before, drop the future.
    pub async fn watch(mut self, on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        self.0.send(Request::Watch).await?;
        self.listen(on_progress).await
    }

    /// A connection that breaks here means that the other process has ended, and its fleet with it.
    async fn listen(&mut self, mut on_progress: impl FnMut(Progress)) -> Result<(), ControlError> {
        while let Some(response) = self.receive().await? {
            match response {
                Response::Progress { progress } => on_progress(progress),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<Option<Response>, ControlError> {
        match self.0.receive().await {
            Ok(Some(Response::Refused { reason })) => Err(ControlError::Answer(reason)),
            Ok(response) => Ok(response),
            Err(MessageError::Io(error)) => Err(error.into()),
            Err(error) => Err(ControlError::Answer(error.to_string())),
        }
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
