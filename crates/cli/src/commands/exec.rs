//! `karma exec TASK|SERVICE -- COMMAND…`

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::thread;

use clap::Args;
use karma_runtime::{Observation, ServiceObservation, TaskId, TaskObservation, TaskStatus};
use serde_json::json;
use tokio::sync::mpsc;

use crate::conversation::{Ears, Heard, Interrupted, Mouth, Said, WantedCommand};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::printer::Printer;
use crate::settings::StackDirectory;
use crate::terminal::{RawMode, WindowChanges};
use crate::wiring::{self, Interrupts};

/// So much of what is typed goes at once.
const PIECE: usize = 8 * 1024;

/// The exit code of a command that a signal to this program has ended: 128 and SIGINT's number.
const INTERRUPTED: i32 = 130;

/// What a command on AWS ends with where nobody tells its exit code, as with AWS's own client.
const UNTOLD: i32 = 0;

/// Run a command in a running task
///
/// Of the fleet that runs here, or with --on aws of the one on ECS, without AWS's plug-in. The command has what the container's own program has: its
/// variables with their secrets, its directory and its names. It sits at a terminal where you do; on AWS always. The service must allow it by
/// `enable_execute_command`. Exits with the command's own exit code; AWS does not tell that one, then it is 0.
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

    #[command(flatten)]
    on: OnArguments,

    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn run(arguments: Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let changes = if json || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        None
    } else {
        WindowChanges::of_this_terminal()
    };
    let wanted = WantedCommand {
        target: arguments.target,
        container: arguments.container,
        command: arguments.command,
        terminal: changes.as_ref().map(WindowChanges::size),
    };
    let screen = if json {
        Screen::Collected(printer, String::new(), String::new())
    } else {
        Screen::Direct(printer)
    };
    let (code, screen) = wiring::block_on(async {
        let conversation = wiring::exec(&directory, &arguments.on, wanted, find, printer).await?;
        converse(conversation, changes, screen).await
    })?;
    if let Screen::Collected(_, output, errors) = screen {
        printer.line(&json!({ "exit_code": code, "output": output, "errors": errors }).to_string())?;
    }
    if code.is_none() {
        printer.detail("note: AWS does not tell the exit code of a command at a terminal");
    }
    Ok(ExitStatus::Command(code.unwrap_or(UNTOLD)))
}

/// The task that is meant, and its service: the newest running one of a service, or the only one whose id begins so.
fn find(observation: &Observation, target: &str) -> Result<(String, TaskId), Failure> {
    let is_meant = |service: &&ServiceObservation| service.label == target || service.service == target;
    if let Some(service) = observation.services.iter().find(is_meant) {
        return running(service)
            .next()
            .map(|task| (service.label.clone(), task.task_id.clone()))
            .ok_or_else(|| Failure::unable(format!("no task of `{target}` runs")).hint("`karma status` says why"));
    }
    let of_service = |service| running(service).map(|task: &TaskObservation| (&service.label, &task.task_id));
    let all = observation.services.iter().flat_map(of_service);
    let meant: Vec<_> = all.filter(|(_, id)| id.as_str().starts_with(target)).collect();
    match meant[..] {
        [(service, only)] => Ok((service.clone(), only.clone())),
        [] => Err(
            Failure::unable(format!("no service `{target}`, and no running task whose id begins so"))
                .hint(format!("services: {}", labels(observation))),
        ),
        _ => Err(
            Failure::unable(format!("the ids of {} tasks begin with `{target}`", meant.len())).hint("give more of it"),
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
    Collected(Printer, String, String),
}

/// Talks with the command until it has ended; the answer is its exit code. The terminal is as it was before when this returns.
async fn converse(
    (mut ears, mut mouth): (Ears, Mouth),
    mut changes: Option<WindowChanges>,
    mut screen: Screen,
) -> Result<(Option<i32>, Screen), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let _raw = changes.as_ref().map(|_| RawMode::enter()).transpose()?;
    let mut typed = read_typed();
    let mut was_told = false;
    loop {
        tokio::select! {
            heard = ears.next() => match heard? {
                Heard::Ended(code) => return Ok((code, screen)),
                heard => screen.show(heard)?,
            },
            Some(said) = typed.recv() => mouth.say(said).await,
            size = WindowChanges::next(&mut changes) => mouth.say(Said::Resize(size)).await,
            () = interrupts.next() => {
                if was_told || mouth.interrupt().await == Interrupted::EndsAlone {
                    return Ok((Some(INTERRUPTED), screen));
                }
                was_told = true;
            }
        }
    }
}

impl Screen {
    fn show(&mut self, heard: Heard) -> io::Result<()> {
        match (self, heard) {
            (Self::Direct(printer), Heard::Output(bytes)) => printer.bytes(&bytes),
            (Self::Direct(printer), Heard::Errors(bytes)) => printer.error_bytes(&bytes),
            (Self::Collected(_, output, _), Heard::Output(bytes)) => {
                output.push_str(&String::from_utf8_lossy(&bytes));
                Ok(())
            }
            (Self::Collected(_, _, errors), Heard::Errors(bytes)) => {
                errors.push_str(&String::from_utf8_lossy(&bytes));
                Ok(())
            }
            (Self::Direct(printer) | Self::Collected(printer, ..), Heard::Notice(text)) => {
                printer.talk(&text);
                Ok(())
            }
            (_, Heard::Ended(_)) => Ok(()),
        }
    }
}

/// Reads our standard input on a thread of its own, which nobody waits for: it may sit there until the next key.
fn read_typed() -> mpsc::Receiver<Said> {
    let (sender, typed) = mpsc::channel(1);
    thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = io::stdin().read(&mut buffer) {
            if sender.blocking_send(Said::Bytes(buffer[..read].to_vec())).is_err() {
                return;
            }
        }
        // An error means that the command has ended.
        let _ = sender.blocking_send(Said::End);
    });
    typed
}
