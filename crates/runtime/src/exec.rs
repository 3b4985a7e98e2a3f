//! Running a command in a container of a task that runs: `karma exec`, as ECS Exec does.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html>
//!
//! The command gets what the container's own program has: its variables with their secrets, its directory, its files of `/etc` and its control
//! groups. Where the user sits at a terminal it has one too. It ends when the user goes away, and with the task.

mod frame;
mod session;
mod terminal;

use std::path::Path;
use std::process::Stdio;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::process::Child;

pub(crate) use frame::frames;
pub use frame::{Frame, FrameReader, FrameWriter};
pub use terminal::WindowSize;

use crate::launcher::Streams;
use crate::limits::register::{ContainerRecord, TaskRecord};
use crate::runner::{LocalRunner, ProcessRunner, container_name};
use crate::task::TaskId;
use session::Ends;
pub(crate) use session::Session;
use terminal::Terminal;

/// What is to be run, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRequest {
    /// In which task.
    pub task: TaskId,
    /// In which container of it; `None` where it has only one.
    pub container: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How large the user's terminal is, where he sits at one.
    pub terminal: Option<WindowSize>,
}

/// A command that is not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    #[error("no task {} runs", .0.short())]
    NoSuchTask(TaskId),
    /// As ECS says it.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec-troubleshooting.html>
    #[error(
        "the execute command failed because execute command was not enabled when the task was run; service {service} does not allow it"
    )]
    NotEnabled { service: String },
    #[error("task {} has several containers", task.short())]
    WhichContainer { task: TaskId, containers: Vec<String> },
    #[error("task {} has no container `{container}`", task.short())]
    NoSuchContainer {
        task: TaskId,
        container: String,
        containers: Vec<String>,
    },
    #[error("tasks of this fleet are containers of an engine, which `karma exec` does not enter")]
    InAnEngine { container: String },
    #[error("container `{0}` does not run")]
    NotRunning(String),
    #[error("there is no command to run")]
    NoCommand,
    #[error("the command cannot be started: {0}")]
    Start(#[from] std::io::Error),
}

impl ExecError {
    /// What the user can do, one line.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchTask(_) => Some("`karma status` lists the tasks that run".to_owned()),
            Self::NotEnabled { .. } => Some(
                "set `enable_execute_command = true` in its aws_ecs_service, which AWS wants too, and `karma up` again"
                    .to_owned(),
            ),
            Self::WhichContainer { containers, .. } | Self::NoSuchContainer { containers, .. } => {
                Some(format!("choose one with --container: {}", containers.join(", ")))
            }
            Self::InAnEngine { container } => Some(format!(
                "`docker exec -it {container} COMMAND` does, or the same with podman"
            )),
            Self::NotRunning(_) | Self::NoCommand | Self::Start(_) => None,
        }
    }
}

/// Starts the command.
pub(crate) async fn start(runner: &LocalRunner, request: &ExecRequest) -> Result<Session, ExecError> {
    let task = runner
        .register()
        .task(&request.task)
        .ok_or_else(|| ExecError::NoSuchTask(request.task.clone()))?;
    let container = choose(&task, request.container.as_deref())?;
    let LocalRunner::Process(runner) = runner else {
        let container = container_name(&request.task, &container.definition.name);
        return Err(ExecError::InAnEngine { container });
    };
    if container.pid.is_none() {
        return Err(ExecError::NotRunning(container.definition.name.to_string()));
    }
    let words: Vec<_> = request
        .command
        .iter()
        .map(|word| container.definition.image_program.map_word(word))
        .collect();
    let (program, args) = words.split_first().ok_or(ExecError::NoCommand)?;
    let (child, ends) = spawn(runner, &task, container, (Path::new(program), args), request.terminal).await?;
    let pid = child.id().expect("a child that nobody has waited for has an id");
    Ok(Session::new(child, Pid::from_raw(pid.cast_signed()), ends))
}

/// The container that is meant, if a command may be run in it.
fn choose<'t>(task: &'t TaskRecord, name: Option<&str>) -> Result<&'t ContainerRecord, ExecError> {
    if !task.service.enable_execute_command {
        return Err(ExecError::NotEnabled {
            service: task.service.name.clone(),
        });
    }
    let names = || {
        task.containers
            .iter()
            .map(|it| it.definition.name.to_string())
            .collect()
    };
    let id = || task.place.task.clone();
    let container = match (name, task.containers.as_slice()) {
        (Some(name), all) => {
            all.iter()
                .find(|it| *it.definition.name == *name)
                .ok_or_else(|| ExecError::NoSuchContainer {
                    task: id(),
                    container: name.to_owned(),
                    containers: names(),
                })?
        }
        (None, [only]) => only,
        (None, _) => {
            return Err(ExecError::WhichContainer {
                task: id(),
                containers: names(),
            });
        }
    };
    Ok(container)
}

async fn spawn(
    runner: &ProcessRunner,
    task: &TaskRecord,
    container: &ContainerRecord,
    run: (&Path, &[String]),
    size: Option<WindowSize>,
) -> std::io::Result<(Child, Ends)> {
    let streams = if size.is_some() {
        Streams::Terminal
    } else {
        Streams::Plain
    };
    let mut command = runner.command(&task.place, &container.definition, run, streams);
    let Some(size) = size else {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = runner.spawn_command(command).await?;
        let ends = Ends::Pipes {
            input: child.stdin.take(),
            output: child.stdout.take(),
            errors: child.stderr.take(),
        };
        return Ok((child, ends));
    };
    let (terminal, theirs) = Terminal::open(size)?;
    command
        .stdin(theirs.try_clone()?)
        .stdout(theirs.try_clone()?)
        .stderr(theirs);
    command.env("TERM", "xterm-256color");
    Ok((runner.spawn_command(command).await?, Ends::Terminal(terminal.into())))
}
