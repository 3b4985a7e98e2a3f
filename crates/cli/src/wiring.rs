//! Where the commands meet the orchestrator: starting a fleet here, and asking one that runs.

use std::path::Path;

use karma_fleet::Fleet;
use karma_ops::{AlarmAnswer, MetricAnswer, MetricQuery, TraceAnswer, TraceQuery};
use karma_runtime::{
    Control, ControlError, ExecRequest, FrameReader, FrameWriter, LocalOrchestrator, LocalSecrets, LogFile,
    MissingSecrets, Observation, Options, Programs, Progress, Run, log_files,
};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::local_secrets;
use crate::settings::StackDirectory;

/// All that a fleet needs to run here.
pub(crate) struct Prepared {
    pub(crate) fleet: Fleet,
    pub(crate) programs: Programs,
    pub(crate) port: u16,
    pub(crate) region: Option<String>,
    pub(crate) missing_secrets: MissingSecrets,
}

/// Starts a fleet in this process.
pub(crate) async fn start(directory: &StackDirectory, prepared: Prepared) -> Result<LocalOrchestrator, Failure> {
    let secrets = LocalSecrets::new(local_secrets::read(directory.path())?).or_environment(environment());
    let options = Options {
        port: prepared.port,
        region: prepared.region,
        missing_secrets: prepared.missing_secrets,
        ..Options::new(directory.path())
    };
    LocalOrchestrator::start(&prepared.fleet, &prepared.programs, &secrets, options)
        .await
        .map_err(|error| Failure::from_error(&error).hints(error.hint()))
}

/// The variables of this process that are text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// What runs here, as the `karma up` of this stack sees it.
pub(crate) fn observe(directory: &StackDirectory) -> Result<Observation, Failure> {
    let state = directory.state();
    block_on(async {
        connect(&state)
            .await?
            .observe()
            .await
            .map_err(|error| unreachable_fleet(&error))
    })
}

/// What CloudWatch would show of what runs here.
pub(crate) fn metrics(directory: &StackDirectory, query: MetricQuery) -> Result<MetricAnswer, Failure> {
    let state = directory.state();
    block_on(async {
        let answered = connect(&state).await?.metrics(query).await;
        answered.map_err(|error| unreachable_fleet(&error))
    })
}

/// How the alarms of what runs here stand.
pub(crate) fn alarms(directory: &StackDirectory) -> Result<AlarmAnswer, Failure> {
    let state = directory.state();
    block_on(async {
        let answered = connect(&state).await?.alarms().await;
        answered.map_err(|error| unreachable_fleet(&error))
    })
}

/// What X-Ray would show of what runs here.
pub(crate) fn traces(directory: &StackDirectory, query: TraceQuery) -> Result<TraceAnswer, Failure> {
    let state = directory.state();
    block_on(async {
        let answered = connect(&state).await?.traces(query).await;
        answered.map_err(|error| unreachable_fleet(&error))
    })
}

/// Stops what runs here, and returns when all is down.
pub(crate) fn stop(directory: &StackDirectory, on_progress: impl FnMut(Progress)) -> Result<(), Failure> {
    let state = directory.state();
    block_on(async {
        connect(&state)
            .await?
            .stop(on_progress)
            .await
            .map_err(|error| unreachable_fleet(&error))
    })
}

/// The logs that a run of this stack has written.
pub(crate) fn log_files_of(directory: &StackDirectory, run: Run) -> Result<Vec<LogFile>, Failure> {
    let state = directory.state();
    log_files(&state, run).map_err(|error| Failure::caused_by(format!("cannot read {}", state.display()), &error))
}

async fn connect(state: &Path) -> Result<Control, Failure> {
    Control::connect(state).await.map_err(|error| unreachable_fleet(&error))
}

fn unreachable_fleet(error: &ControlError) -> Failure {
    let failure = match error {
        ControlError::NothingRunning => Failure::no(error.to_string()),
        ControlError::Refused { .. } | ControlError::Io(_) | ControlError::Answer { .. } => Failure::from_error(error),
    };
    failure.hints(error.hint())
}

/// The conversation with a command that runs in a task.
pub(crate) type Conversation = (FrameReader<BufReader<UnixStream>>, FrameWriter<BufReader<UnixStream>>);

/// Runs a command in a task.
pub(crate) async fn exec(directory: &StackDirectory, request: ExecRequest) -> Result<Conversation, Failure> {
    let control = connect(&directory.state()).await?;
    control.exec(request).await.map_err(|error| unreachable_fleet(&error))
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Runtime::new()
        .map_err(|error| Failure::caused_by("cannot start the async runtime", &error))?
        .block_on(future)
}

/// Ctrl-C, and what service managers and closing terminals send.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Interrupts {
    /// From now on these signals no longer end the process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::caused_by("cannot listen for signals", &error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
