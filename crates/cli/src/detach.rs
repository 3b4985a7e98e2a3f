//! `karma up --detach`: the same command again in the background, and the way it says that it is ready.
//!
//! The one in the background writes its talk to `.karma/karma.log`, which the one in front shows while it waits, and a line to its stdout, a pipe, once the
//! fleet is healthy. If the pipe closes without that line, it has failed, and its exit code is the answer.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;

/// Tells the one in the background what it is.
const ROLE: &str = "KARMA_DETACHED";

const READY: &str = "ready";

/// How often new talk is shown.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Whether this is the one in the background.
pub(crate) fn is_background() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Says, in the background, that the fleet is ready. Elsewhere there is nobody to tell.
pub(crate) fn say_ready() {
    if is_background() {
        // The one in front may have been interrupted; the fleet goes on.
        let _ = writeln!(io::stdout(), "{READY}");
    }
}

/// Starts the one in the background and waits until it is ready. `Err` is its exit status; what it said has been shown.
pub(crate) fn start(state: &Path, printer: Printer) -> Result<Result<PathBuf, ExitStatus>, Failure> {
    let (log, file) = create_log(state)?;
    let mut child = spawn(file).map_err(|error| Failure::caused_by("cannot start karma in the background", &error))?;
    let ready = ready_line(&mut child);
    let mut talk =
        File::open(&log).map_err(|error| Failure::caused_by(format!("cannot read {}", log.display()), &error))?;
    let outcome = loop {
        let answer = ready.recv_timeout(LOOK_AGAIN);
        show(&mut talk, printer);
        match answer {
            Ok(()) => break Ok(log),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Err(exit_status(&mut child)),
        }
    };
    Ok(outcome)
}

fn create_log(state: &Path) -> Result<(PathBuf, File), Failure> {
    let log = state.join("karma.log");
    let file = fs::create_dir_all(state)
        .and_then(|()| File::create(&log))
        .map_err(|error| Failure::caused_by(format!("cannot write {}", log.display()), &error))?;
    Ok((log, file))
}

/// In a process group of its own, so that a Ctrl-C in this terminal is not meant for it.
fn spawn(log: File) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(ROLE, "1")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
}

/// Receives once when the line comes; is disconnected when the pipe closes without it.
fn ready_line(child: &mut Child) -> Receiver<()> {
    let stdout = child.stdout.take().expect("stdout was asked for");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        if lines.any(|line| line == READY) {
            // Nobody waits any more only if this process is ending.
            let _ = sender.send(());
        }
    });
    receiver
}

fn show(talk: &mut File, printer: Printer) {
    let mut text = Vec::new();
    if talk.read_to_end(&mut text).is_ok_and(|read| read > 0) {
        printer.error(String::from_utf8_lossy(&text).trim_end_matches('\n'));
    }
}

fn exit_status(child: &mut Child) -> ExitStatus {
    match child.wait().ok().and_then(|status| status.code()) {
        Some(0) => ExitStatus::Yes,
        Some(1) => ExitStatus::No,
        _ => ExitStatus::Unable,
    }
}
