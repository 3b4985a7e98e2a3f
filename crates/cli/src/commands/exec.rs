//! `karma exec TASK|SERVICE -- COMMAND…`

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::thread;

use clap::Args;
use karma_runtime::{ExecRequest, Frame, Observation, ServiceObservation, TaskId, TaskObservation, TaskStatus};
use serde_json::json;
use tokio::sync::mpsc;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::StackDirectory;
use crate::terminal::{RawMode, WindowChanges};
use crate::wiring::{self, Conversation, Interrupts};

/// So much of what is typed goes at once.
const PIECE: usize = 8 * 1024;

/// The exit code of a command that a signal to this program has ended: 128 and SIGINT's number.
const INTERRUPTED: i32 = 130;

/// Run a command in a task that runs here
///
/// The command has what the container's own program has: its variables with their secrets, its directory and its names. It sits at a terminal where
/// you do. It does not reach tasks on AWS, and as on AWS the service must allow it by `enable_execute_command`.
/// Exits with the command's own exit code.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma exec validator -- env")]
pub(crate) struct Arguments {
    /// A service, whose newest running task is meant, or the beginning of a task's id
    #[arg(value_name = "TASK|SERVICE")]
    target: String,

    /// The container, where the task has several
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,

    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn run(arguments: Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let task = find(&wiring::observe(&directory)?, &arguments.target)?;
    let changes = if json || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        None
    } else {
        WindowChanges::of_this_terminal()
    };
    let request = ExecRequest {
        task,
        container: arguments.container,
        command: arguments.command,
        terminal: changes.as_ref().map(WindowChanges::size),
    };
    let screen = if json {
        Screen::Collected(String::new(), String::new())
    } else {
        Screen::Direct(printer)
    };
    let (code, screen) = wiring::block_on(async {
        let conversation = wiring::exec(&directory, request).await?;
        converse(conversation, changes, screen).await
    })?;
    if let Screen::Collected(output, errors) = screen {
        printer.line(&json!({ "exit_code": code, "output": output, "errors": errors }).to_string())?;
    }
    Ok(ExitStatus::Command(code))
}

/// The task that is meant: the newest running one of a service, or the only one whose id begins so.
fn find(observation: &Observation, target: &str) -> Result<TaskId, Failure> {
    let is_meant = |service: &&ServiceObservation| service.label == target || service.service == target;
    if let Some(service) = observation.services.iter().find(is_meant) {
        return running(service)
            .next()
            .map(|task| task.task_id.clone())
            .ok_or_else(|| Failure::unable(format!("no task of `{target}` runs")).hint("`karma status` says why"));
    }
    let all = observation.services.iter().flat_map(running);
    let ids: Vec<_> = all
        .map(|task| &task.task_id)
        .filter(|id| id.as_str().starts_with(target))
        .collect();
    match ids[..] {
        [only] => Ok(only.clone()),
        [] => Err(
            Failure::unable(format!("no service `{target}`, and no running task whose id begins so"))
                .hint(format!("services: {}", labels(observation))),
        ),
        _ => Err(
            Failure::unable(format!("the ids of {} tasks begin with `{target}`", ids.len())).hint("give more of it"),
        ),
    }
}

/// Newest first.
fn running(service: &ServiceObservation) -> impl Iterator<Item = &TaskObservation> {
    service
        .tasks
        .iter()
        .filter(|task| task.last_status == TaskStatus::Running)
}

fn labels(observation: &Observation) -> String {
    let labels: Vec<_> = observation
        .services
        .iter()
        .map(|service| service.label.as_str())
        .collect();
    labels.join(", ")
}

/// Where what the command prints is shown.
enum Screen {
    Direct(Printer),
    Collected(String, String),
}

/// Talks with the command until it has ended. The terminal is as it was before when this returns.
async fn converse(
    (mut reader, mut writer): Conversation,
    mut changes: Option<WindowChanges>,
    mut screen: Screen,
) -> Result<(i32, Screen), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let _raw = changes.as_ref().map(|_| RawMode::enter()).transpose()?;
    let mut typed = read_typed();
    let broken = |error| Failure::caused_by("the conversation with the command broke", &error);
    loop {
        tokio::select! {
            frame = reader.next() => match frame.map_err(broken)? {
                Some(Frame::Exit(code)) => return Ok((code, screen)),
                Some(frame) => screen.show(&frame)?,
                None => return Err(Failure::unable("the fleet has stopped while the command ran")),
            },
            // A command that has just ended does not listen any more; its exit code is on the way.
            Some(frame) = typed.recv() => drop(writer.send(&frame).await),
            size = WindowChanges::next(&mut changes) => drop(writer.send(&Frame::Resize(size)).await),
            () = interrupts.next() => return Ok((INTERRUPTED, screen)),
        }
    }
}

impl Screen {
    fn show(&mut self, frame: &Frame) -> io::Result<()> {
        match (self, frame) {
            (Self::Direct(printer), Frame::Output(bytes)) => printer.bytes(bytes),
            (Self::Direct(printer), Frame::Errors(bytes)) => printer.error_bytes(bytes),
            (Self::Collected(output, _), Frame::Output(bytes)) => {
                output.push_str(&String::from_utf8_lossy(bytes));
                Ok(())
            }
            (Self::Collected(_, errors), Frame::Errors(bytes)) => {
                errors.push_str(&String::from_utf8_lossy(bytes));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Reads our standard input on a thread of its own, which nobody waits for: it may sit there until the next key.
fn read_typed() -> mpsc::Receiver<Frame> {
    let (sender, typed) = mpsc::channel(1);
    thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = io::stdin().read(&mut buffer) {
            if sender.blocking_send(Frame::Input(buffer[..read].to_vec())).is_err() {
                return;
            }
        }
        // An error means that the command has ended.
        let _ = sender.blocking_send(Frame::InputEnd);
    });
    typed
}
