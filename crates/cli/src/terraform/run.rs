//! [`Runner`]: one run of Terraform after the other.
//!
//! What Terraform says goes into files, and we read along. Through a pipe it would be killed by its next word as soon as we are, in the middle of what
//! it does and with a state that knows only half of it; so it comes to its end, and the next run waits for the state's lock.
//!
//! For the same reason it is in a process group of its own: a terminal sends Ctrl-C to everybody in its group, we hand it on, and the second one makes
//! Terraform stop at once. <https://developer.hashicorp.com/terraform/cli/commands/apply>

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::failed::failed;
use super::waiting::Waiting;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::wiring::Interrupts;

/// How often a look is taken at what Terraform has said.
const LOOK: Duration = Duration::from_millis(200);

/// Runs Terraform in a stack's directory.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) program: PathBuf,
    pub(super) stack: PathBuf,
    pub(super) logs: PathBuf,
    pub(super) environment: Vec<(&'static str, String)>,
    pub(super) printer: Printer,
}

/// Whether it was asked to stop.
#[derive(Debug, PartialEq, Eq)]
enum Stopped {
    /// Nobody did.
    No,
    /// By Ctrl-C.
    ByUser,
    /// Because it waited for these services for too long.
    OutOfPatience(Vec<String>),
}

/// A directory that only its owner can look into.
pub(super) fn private_directory(path: &Path) -> Result<PathBuf, Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| fs::canonicalize(path))
        .map_err(|error| Failure::caused_by(format!("cannot make {}", path.display()), &error))
}

impl Runner {
    pub(super) fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Runs it for what it does. With `-v` everything it says is passed on; else a line for each thing that it has done. So long it may wait for a
    /// service, where it waits for services; then it is asked to stop.
    pub(super) async fn talk(&self, arguments: &[OsString], patience: Option<Duration>) -> Result<(), Failure> {
        let verb = verb(arguments);
        let (mut said, complained) = (self.log(&verb, "log")?, self.log(&verb, "err")?);
        let child = self
            .command(arguments)
            .stdout(said.writer)
            .stderr(complained.writer)
            .spawn();
        let mut child = child.map_err(|error| self.cannot_run(&error))?;
        let mut interrupts = Interrupts::listen()?;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut waiting = Waiting::new(patience);
        let mut stopped = Stopped::No;
        let status = loop {
            let until = waiting.until().filter(|_| stopped == Stopped::No);
            tokio::select! {
                status = child.wait() => break status.map_err(|error| self.cannot_run(&error))?,
                _ = looks.tick() => self.pass_on(&said.reader.lines(), &mut waiting),
                () = interrupts.next() => {
                    stopped = Stopped::ByUser;
                    self.interrupt(&child);
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    stopped = Stopped::OutOfPatience(waiting.addresses().map(str::to_owned).collect());
                    self.interrupt(&child);
                }
            }
        };
        self.pass_on(&said.reader.lines(), &mut waiting);
        self.judge(&verb, status, &complained.reader.rest(), &stopped)
    }

    /// Runs it for its answer.
    pub(super) async fn answer(&self, arguments: &[OsString]) -> Result<String, Failure> {
        let output = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output();
        let output = output.await.map_err(|error| self.cannot_run(&error))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        self.judge(&verb(arguments), output.status, &complaint, &Stopped::No)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, arguments: &[OsString]) -> Command {
        let mut stack = OsString::from("-chdir=");
        stack.push(&self.stack);
        let mut command = Command::new(&self.program);
        command
            .arg(stack)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TF_IN_AUTOMATION", "1")
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    fn interrupt(&self, child: &Child) {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // One that has just ended needs no signal.
        let _ = id.map(|id| kill_process(id, Signal::INT));
        self.printer.error(&format!(
            "{} was asked to stop: it ends what it has begun and keeps its state; Ctrl-C again makes it stop at once",
            self.name()
        ));
    }

    fn pass_on(&self, lines: &[String], waiting: &mut Waiting) {
        for line in lines {
            waiting.read(line, Instant::now());
            if self.printer.is_verbose() {
                self.printer.detail(line);
            } else if is_news(line) {
                self.printer
                    .talk(&self.printer.paint_talk(Style::Dim, &format!("      {line}")));
            }
        }
    }

    fn judge(&self, verb: &str, status: ExitStatus, complaint: &str, stopped: &Stopped) -> Result<(), Failure> {
        match (status.success(), stopped) {
            // It may have come to its end all the same.
            (true, Stopped::No | Stopped::OutOfPatience(_)) => Ok(()),
            // What an interrupted Terraform complains about is the interruption.
            (_, Stopped::ByUser) => Err(Failure::unable("interrupted")
                .hint("run it again: it goes on where it stopped")
                .hint(format!("what {} said is in {}", self.name(), self.logs.display()))),
            (false, Stopped::OutOfPatience(services)) => Err(Failure::no(format!(
                "{} has waited long enough: {} does not run what it should yet",
                self.name(),
                services.join(", ")
            ))
            .hint("wait longer: --timeout DURATION")),
            (false, Stopped::No) => Err(failed(
                &format!("{} {verb}", self.name()),
                &self.stack,
                status,
                complaint,
            )),
        }
    }

    fn cannot_run(&self, error: &io::Error) -> Failure {
        Failure::caused_by(format!("cannot run {}", self.program.display()), error)
    }

    fn log(&self, verb: &str, ending: &str) -> Result<Log, Failure> {
        let path = self.logs.join(format!("{verb}.{ending}"));
        Log::create(&path).map_err(|error| Failure::caused_by(format!("cannot write {}", path.display()), &error))
    }
}

/// A file that another process writes and we read.
struct Log {
    writer: File,
    reader: LogReader,
}

struct LogReader {
    file: File,
    /// The beginning of a line whose end has not been written yet.
    pending: Vec<u8>,
}

impl Log {
    /// A new file, so that one that an earlier run still writes stays as it is.
    fn create(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            writer: OpenOptions::new()
                .append(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?,
            reader: LogReader {
                file: File::open(path)?,
                pending: Vec::new(),
            },
        })
    }
}

impl LogReader {
    /// The lines that were ended since the last call.
    fn lines(&mut self) -> Vec<String> {
        // What cannot be read is not shown, and Terraform goes on.
        let _ = self.file.read_to_end(&mut self.pending);
        let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.pending.split_off(end + 1);
        let ended = std::mem::replace(&mut self.pending, rest);
        String::from_utf8_lossy(&ended).lines().map(str::to_owned).collect()
    }

    /// All that was written.
    fn rest(mut self) -> String {
        // What cannot be read is not shown, and the failure is told all the same.
        let _ = self.file.read_to_end(&mut self.pending);
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// `plan`
fn verb(arguments: &[OsString]) -> String {
    let verb = arguments.first().map_or(OsStr::new(""), OsString::as_os_str);
    verb.to_string_lossy().into_owned()
}

/// What has been done; that something is being done is no news.
fn is_news(line: &str) -> bool {
    const DONE: [&str; 4] = [
        ": Creation complete",
        ": Modifications complete",
        ": Destruction complete",
        "Acquiring state lock",
    ];
    DONE.iter().any(|done| line.contains(done))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_is_passed_on_when_it_has_ended() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::create(&directory.path().join("apply.log")).unwrap();
        log.writer.write_all(b"one\ntw").unwrap();
        assert_eq!(log.reader.lines(), ["one"]);
        assert!(log.reader.lines().is_empty());
        log.writer.write_all(b"o\n\nthree").unwrap();
        assert_eq!(log.reader.lines(), ["two", ""]);
        assert_eq!(log.reader.rest(), "three");
    }

    #[test]
    fn only_what_was_done_is_news() {
        assert!(is_news("aws_lb.main: Creation complete after 2s [id=arn]"));
        assert!(!is_news("aws_lb.main: Still creating... [10s elapsed]"));
        assert!(!is_news("aws_lb.main: Refreshing state... [id=arn]"));
    }
}
