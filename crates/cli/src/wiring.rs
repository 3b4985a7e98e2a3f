//! Where the commands meet the orchestrator: starting a fleet here, and asking one that runs.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use karma_aws::{EcsOrchestrator, ExecError, ExecuteCommand, Session};
use karma_fleet::Fleet;
use karma_ops::{
    AlarmAnswer, Answer, LogQuery, LogReader, MetricAnswer, MetricQuery, Observation, Orchestrator, OrchestratorError,
    TraceAnswer, TraceQuery, UsageTotals,
};
use karma_runtime::{
    Applied, Control, Drill, DrillError, DrillEvent, DrillReport, ExecRequest, LocalOrchestrator, LocalSecrets,
    LogFile, LogFiles, MissingSecrets, NewDefinition, Options, Programs, Progress, Refusal, Reload, Run, RunnerKind,
    TaskId, log_files,
};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::chain::Variables;
use crate::conversation::{Ears, Mouth, WantedCommand};
use crate::failure::Failure;
use crate::local_secrets;
use crate::on::{OnArguments, Place};
use crate::printer::{Printer, Style};
use crate::programs;
use crate::settings::StackDirectory;
use crate::stack::{self, Given};

/// All that a fleet needs to run here.
pub(crate) struct Prepared {
    pub(crate) fleet: Fleet,
    pub(crate) runner: RunnerKind,
    /// For processes.
    pub(crate) programs: Programs,
    pub(crate) port: u16,
    pub(crate) speed: NonZeroU32,
    pub(crate) region: Option<String>,
    pub(crate) missing_secrets: MissingSecrets,
    /// What this run adds to containers.
    pub(crate) variables: Variables,
}

/// Starts a fleet in this process.
pub(crate) async fn start(directory: &StackDirectory, prepared: Prepared) -> Result<LocalOrchestrator, Failure> {
    let secrets = secrets(directory, &prepared.variables)?;
    let (again, variables) = (directory.clone(), prepared.variables);
    let options = Options {
        speed: prepared.speed,
        reload: Some(Reload::new(move |given| {
            Ok(definition(&again, prepared.runner, &variables, given)?)
        })),
        port: prepared.port,
        runner: prepared.runner,
        region: prepared.region,
        missing_secrets: prepared.missing_secrets,
        ..Options::new(directory.path())
    };
    LocalOrchestrator::start(&prepared.fleet, &prepared.programs, &secrets, options)
        .await
        .map_err(|error| Failure::from_error(&error).hints(error.hint()))
}

/// The definition as the files have it now, with what another process was given on its command line.
fn definition(
    directory: &StackDirectory,
    runner: RunnerKind,
    variables: &Variables,
    given: serde_json::Value,
) -> Result<NewDefinition, Failure> {
    let given: Given = serde_json::from_value(given)
        .map_err(|error| Failure::caused_by("it was asked by another version of karma", &error))?;
    let mut fleet = stack::load_quietly(directory, given)?;
    Ok(NewDefinition {
        programs: match runner {
            RunnerKind::Process => programs::read(directory.path(), &mut fleet)?,
            RunnerKind::Container => Programs::new(),
        },
        secrets: secrets(directory, variables)?,
        fleet,
    })
}

fn secrets(directory: &StackDirectory, variables: &Variables) -> Result<LocalSecrets, Failure> {
    let secrets = LocalSecrets::new(local_secrets::read(directory.path())?).or_environment(environment());
    Ok(secrets.and_for_containers(variables.clone()))
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let (reason, hint) = failure.into_parts();
        Self { reason, hint }
    }
}

/// Has the fleet that runs read its definition anew. The answer is what becomes of each service.
pub(crate) async fn apply(directory: &StackDirectory, given: &Given) -> Result<Vec<Applied>, Failure> {
    let given = serde_json::to_value(given).expect("what was given is plain data");
    let applied = control(directory).await?.apply(given).await;
    applied.map_err(|error| failure(&error.into()))
}

/// The variables of this process that are text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The fleet of this stack that is meant: the one on this machine, or the one on AWS, which is said.
pub(crate) async fn orchestrator(
    directory: &StackDirectory,
    on: &OnArguments,
    printer: Printer,
) -> Result<Arc<dyn Orchestrator>, Failure> {
    match on.on {
        Place::Local => local(directory).await,
        Place::Aws => Ok(Arc::new(on_aws(directory, on, printer).await?.1)),
    }
}

/// The fleet of this stack that runs on AWS, and who asks there, which is said.
async fn on_aws(
    directory: &StackDirectory,
    on: &OnArguments,
    printer: Printer,
) -> Result<(Session, EcsOrchestrator), Failure> {
    let (stack, fleet) = stack::evaluate_quietly(directory, Given::variables(&on.variables)?)?;
    let session = on.aws.session(stack::region(&stack), printer).await?;
    printer.talk(&printer.paint_talk(Style::Dim, &format!("on AWS, {}", session.region())));
    let orchestrator = EcsOrchestrator::connect(&session, directory.path(), &fleet);
    Ok((session, orchestrator))
}

/// The fleet of this stack that runs on this machine.
pub(crate) async fn local(directory: &StackDirectory) -> Result<Arc<dyn Orchestrator>, Failure> {
    Ok(Arc::new(control(directory).await?))
}

/// An orchestrator, for whoever has nothing to do until it answers.
pub(crate) struct Asked {
    runtime: Runtime,
    orchestrator: Arc<dyn Orchestrator>,
}

/// Finds the fleet of this stack that is meant.
pub(crate) fn ask(directory: &StackDirectory, on: &OnArguments, printer: Printer) -> Result<Asked, Failure> {
    let runtime = runtime()?;
    let orchestrator = runtime.block_on(orchestrator(directory, on, printer))?;
    Ok(Asked { runtime, orchestrator })
}

impl Asked {
    /// What runs.
    pub(crate) fn observe(&self) -> Result<Observation, Failure> {
        self.answer(self.orchestrator.observe())
    }

    /// What has been measured.
    pub(crate) fn metrics(&self, query: MetricQuery) -> Result<MetricAnswer, Failure> {
        self.answer(self.orchestrator.metrics(query))
    }

    /// How the alarms stand.
    pub(crate) fn alarms(&self) -> Result<AlarmAnswer, Failure> {
        self.answer(self.orchestrator.alarms())
    }

    fn answer<T>(&self, answer: Answer<'_, T>) -> Result<T, Failure> {
        self.runtime.block_on(answer).map_err(|error| failure(&error))
    }
}

/// What runs here, as the `karma up` of this stack sees it.
pub(crate) fn observe(directory: &StackDirectory) -> Result<Observation, Failure> {
    block_on(async {
        let orchestrator = local(directory).await?;
        orchestrator.observe().await.map_err(|error| failure(&error))
    })
}

/// Whether anything runs here that can be asked.
pub(crate) async fn is_running(directory: &StackDirectory) -> bool {
    control(directory).await.is_ok()
}

/// What the run of this stack has used since it began.
pub(crate) fn usage(directory: &StackDirectory) -> Result<UsageTotals, Failure> {
    let minute = Duration::from_mins(1);
    let query = MetricQuery {
        metrics: Vec::new(),
        namespace: None,
        service: None,
        since: minute,
        period: minute,
    };
    let answered = block_on(async {
        let answered = local(directory).await?.metrics(query).await;
        answered.map_err(|error| failure(&error))
    })?;
    answered
        .usage
        .ok_or_else(|| Failure::unable("what runs here does not say what it has used"))
}

/// What X-Ray would show of what runs here.
pub(crate) fn traces(directory: &StackDirectory, query: TraceQuery) -> Result<TraceAnswer, Failure> {
    block_on(async {
        let answered = control(directory).await?.traces(query).await;
        answered.map_err(|error| failure(&error.into()))
    })
}

/// Breaks a service of what runs here under load. Ctrl-C ends that early, with what was seen by then.
pub(crate) fn drill(
    directory: &StackDirectory,
    drill: &Drill,
    tell: impl FnMut(&DrillEvent),
) -> Result<DrillReport, Failure> {
    block_on(async {
        let (control, mut interrupts) = (control(directory).await?, Interrupts::listen()?);
        let report = karma_runtime::drill(&control, drill, interrupts.next(), tell).await;
        report.map_err(|error| match error {
            DrillError::Control(error) => failure(&error.into()),
            error => Failure::from_error(&error).hints(error.hint()),
        })
    })
}

/// Stops what runs here, and returns when all is down.
pub(crate) fn stop(directory: &StackDirectory, on_progress: impl FnMut(Progress)) -> Result<(), Failure> {
    block_on(async {
        let stopped = control(directory).await?.stop(on_progress).await;
        stopped.map_err(|error| failure(&error.into()))
    })
}

/// What the tasks of this stack write here; where nothing runs, what those of the last run wrote.
pub(crate) async fn log_reader(directory: &StackDirectory, query: LogQuery) -> Result<Box<dyn LogReader>, Failure> {
    match control(directory).await {
        Ok(running) => running.logs(query).await.map_err(|error| failure(&error)),
        Err(_) => Ok(Box::new(LogFiles::new(&directory.state(), query, BTreeSet::new()))),
    }
}

/// The logs that a run of this stack has written.
pub(crate) fn log_files_of(directory: &StackDirectory, run: Run) -> Result<Vec<LogFile>, Failure> {
    let state = directory.state();
    log_files(&state, run).map_err(|error| Failure::caused_by(format!("cannot read {}", state.display()), &error))
}

/// The fleet of this stack that runs on this machine, with all that only a fleet here can be asked.
pub(crate) async fn control(directory: &StackDirectory) -> Result<Control, Failure> {
    let connected = Control::connect(&directory.state()).await;
    connected.map_err(|error| failure(&error.into()))
}

/// Why an orchestrator did not do what it was asked. That nothing runs is an answer: no.
pub(crate) fn failure(error: &OrchestratorError) -> Failure {
    let failure = match error {
        OrchestratorError::NothingRunning | OrchestratorError::NotThere { .. } => Failure::no(error.to_string()),
        OrchestratorError::Refused { .. } | OrchestratorError::Unreachable { .. } => Failure::from_error(error),
    };
    failure.hints(error.hint())
}

/// Where nobody sits at a terminal AWS gives a command one all the same; AWS's own client says it is this large.
const NOBODYS_TERMINAL: (u16, u16) = (300, 100);

/// Runs a command in the task that is meant; `find` finds it, and its service, in what runs.
pub(crate) async fn exec(
    directory: &StackDirectory,
    on: &OnArguments,
    wanted: WantedCommand,
    find: impl FnOnce(&Observation, &str) -> Result<(String, TaskId), Failure>,
    printer: Printer,
) -> Result<(Ears, Mouth), Failure> {
    match on.on {
        Place::Local => exec_here(&control(directory).await?, wanted, find).await,
        Place::Aws => {
            let (session, orchestrator) = on_aws(directory, on, printer).await?;
            exec_on_aws(&session, &orchestrator, wanted, find).await
        }
    }
}

async fn exec_here(
    control: &Control,
    wanted: WantedCommand,
    find: impl FnOnce(&Observation, &str) -> Result<(String, TaskId), Failure>,
) -> Result<(Ears, Mouth), Failure> {
    let observation = Orchestrator::observe(control).await.map_err(|error| failure(&error))?;
    let (_, task) = find(&observation, &wanted.target)?;
    let request = ExecRequest {
        task,
        container: wanted.container,
        command: wanted.command,
        terminal: wanted.terminal,
    };
    let conversation = control.exec(request).await;
    let (reader, writer) = conversation.map_err(|error| failure(&error.into()))?;
    Ok((Ears::Local(reader), Mouth::Local(writer)))
}

async fn exec_on_aws(
    session: &Session,
    orchestrator: &EcsOrchestrator,
    wanted: WantedCommand,
    find: impl FnOnce(&Observation, &str) -> Result<(String, TaskId), Failure>,
) -> Result<(Ears, Mouth), Failure> {
    let observation = orchestrator.observe().await.map_err(|error| failure(&error))?;
    let (service, task) = find(&observation, &wanted.target)?;
    let cluster = orchestrator
        .cluster_of(&service)
        .expect("it was found among the stack's services");
    let command = ExecuteCommand {
        cluster: cluster.to_owned(),
        task: task.as_str().to_owned(),
        container: wanted.container,
        command: wanted.command,
        terminal: wanted
            .terminal
            .map_or(NOBODYS_TERMINAL, |size| (size.columns, size.rows)),
    };
    let conversation = session.execute_command(&command).await?;
    let keyboard = conversation.keyboard();
    Ok((Ears::Aws(conversation), Mouth::Aws(keyboard)))
}

/// What is missing for a command on AWS, or the end of what is heard of it: exit code 2.
impl From<ExecError> for Failure {
    fn from(error: ExecError) -> Self {
        Self::from_error(&error).hints(error.hint())
    }
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(future)
}

fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::caused_by("cannot start the async runtime", &error))
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
