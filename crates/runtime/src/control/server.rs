//! The end of the control socket that answers.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{Connection, MessageError, Request, Response, SOCKET, short_path};
use crate::exec::ExecRequest;
use crate::operation::{Applied, Deployed, OperationError};
use crate::orchestrator::{LocalOrchestrator, Shutdown};
use crate::reload::Refusal;
use crate::state::StateError;

/// So long a client may take to hear that all is down.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Answers until the fleet is down.
#[derive(Debug)]
pub(crate) struct ControlServer(JoinHandle<()>);

impl ControlServer {
    pub(crate) fn start(state_directory: &Path, orchestrator: LocalOrchestrator) -> Result<Self, StateError> {
        let socket = listen(state_directory).map_err(|source| StateError::Io {
            action: "listen on",
            path: state_directory.join(SOCKET),
            source,
        })?;
        Ok(Self(tokio::spawn(serve(socket, orchestrator))))
    }

    /// Waits until whoever asked to stop has heard that all is down.
    pub(crate) async fn stop(self) {
        let _ = timeout(LAST_WORDS, self.0).await;
    }
}

/// Only the user may connect.
fn listen(state_directory: &Path) -> io::Result<UnixListener> {
    let (_directory, path) = short_path(state_directory)?;
    let socket = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(socket)
}

async fn serve(socket: UnixListener, orchestrator: LocalOrchestrator) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that fails to be accepted is the client's to try again.
            accepted = socket.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(converse(stream, orchestrator.clone()));
            },
            () = orchestrator.wait_for(Shutdown::Down) => break,
        }
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

/// Answers one client; an error means that he has gone.
async fn converse(stream: UnixStream, orchestrator: LocalOrchestrator) {
    let mut connection = Connection::new(stream);
    loop {
        let request = tokio::select! {
            request = connection.receive() => request,
            () = orchestrator.wait_for(Shutdown::Down) => return,
        };
        let answered = match request {
            Ok(Some(request)) => answer(&mut connection, &orchestrator, request).await,
            Ok(None) | Err(MessageError::Io(_)) => return,
            Err(error) => connection.send(Response::from(&error)).await,
        };
        if answered.is_err() {
            return;
        }
    }
}

/// Answers one request: with one message, or with a stream of them.
async fn answer(connection: &mut Connection, orchestrator: &LocalOrchestrator, request: Request) -> io::Result<()> {
    match request {
        Request::Observe => {
            let observation = Box::new(orchestrator.observe().await);
            connection.send(Response::Observation { observation }).await
        }
        Request::Watch => report_until_down(connection, orchestrator).await,
        Request::Stop => {
            orchestrator.ask_to_stop();
            report_until_down(connection, orchestrator).await
        }
        Request::Exec(request) => exec(connection, orchestrator, &request).await,
        Request::Scale { service, desired_count } => {
            let count = usize::try_from(desired_count).unwrap_or(usize::MAX);
            let scaled = orchestrator.scale(&service, count).await;
            connection.send(done(scaled)).await
        }
        Request::StopTask { task, reason } => {
            let stopped = orchestrator.stop_task(task, reason).await;
            connection.send(done(stopped)).await
        }
        Request::Restart { service } => {
            let restarted = orchestrator.restart(&service).await;
            connection.send(deployed(restarted)).await
        }
        Request::Rollback { service, to } => {
            let rolled_back = orchestrator.rollback(&service, to).await;
            connection.send(deployed(rolled_back)).await
        }
        Request::Apply { given } => {
            let applied = orchestrator.reload(given).await;
            connection.send(Response::from(applied)).await
        }
        Request::Metrics { query } => {
            let answer = Box::new(orchestrator.metrics(query).await);
            connection.send(Response::Metrics { answer }).await
        }
        Request::Alarms => {
            let answer = Box::new(orchestrator.alarms());
            connection.send(Response::Alarms { answer }).await
        }
        Request::Traces { query } => {
            let answer = Box::new(orchestrator.traces(query).await);
            connection.send(Response::Traces { answer }).await
        }
        Request::Inject { fault } => {
            let injected = orchestrator.inject(fault).await;
            connection.send(done(injected)).await
        }
        Request::Autoscaling { service, change } => {
            let changed = orchestrator.change_autoscaling(&service, change);
            connection.send(done(changed)).await
        }
    }
}

/// Runs a command. The connection ends with it.
async fn exec(connection: &mut Connection, orchestrator: &LocalOrchestrator, request: &ExecRequest) -> io::Result<()> {
    match orchestrator.exec(request).await {
        Ok(session) => {
            connection.send(Response::ExecBegun).await?;
            session.converse(connection.stream()).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Err(error) => {
            let (reason, hint) = (error.to_string(), error.hint());
            connection.send(Response::Refused { reason, hint }).await
        }
    }
}

fn done(outcome: Result<(), OperationError>) -> Response {
    outcome.map_or_else(|error| refused(&error), |()| Response::Done)
}

fn deployed(outcome: Result<Deployed, OperationError>) -> Response {
    outcome.map_or_else(|error| refused(&error), |deployed| Response::Deployed { deployed })
}

fn refused(error: &OperationError) -> Response {
    Response::Refused {
        reason: error.to_string(),
        hint: error.hint(),
    }
}

async fn report_until_down(connection: &mut Connection, orchestrator: &LocalOrchestrator) -> io::Result<()> {
    let mut events = orchestrator.events();
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Ok(progress) => connection.send(Response::Progress { progress }).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            },
            () = orchestrator.wait_for(Shutdown::Down) => break,
        }
    }
    connection.send(Response::Stopped).await
}

impl From<Result<Vec<Applied>, Refusal>> for Response {
    fn from(outcome: Result<Vec<Applied>, Refusal>) -> Self {
        match outcome {
            Ok(services) => Self::Applied { services },
            Err(Refusal { reason, hint }) => Self::Refused { reason, hint },
        }
    }
}

impl From<&MessageError> for Response {
    fn from(error: &MessageError) -> Self {
        Self::Refused {
            reason: error.to_string(),
            hint: error.hint(),
        }
    }
}
