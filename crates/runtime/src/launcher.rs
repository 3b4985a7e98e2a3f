//! The launcher: a small step between the orchestrator and a task's program.
//!
//! What a child must do to itself before it becomes another program cannot be done from outside without unsafe code. So the
//! orchestrator starts *this very binary* again, and `main` hands over to [`launch`] before it does anything else:
//!
//! ```text
//! karma __launch PARENT NAMESPACES ETC PREPARATION PROGRAM ARGUMENTS…
//! ```
//! It joins its control groups, puts the files of the directory ETC over those of `/etc` in a mount namespace of its own, takes its limits,
//! asks the kernel to be killed when the orchestrator dies, and becomes the program. PREPARATION is the JSON of a [`Preparation`]. Without a
//! program it only tells whether the kernel would let it.

mod namespaces;
mod terminal;
mod ulimits;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

pub(crate) use namespaces::Namespaces;
pub(crate) use ulimits::{Limit, limit};

/// The first argument that tells the binary to be the launcher.
pub const LAUNCH: &str = "__launch";

/// The exit code where the launcher itself failed, so that the program never started. `docker run` uses the same.
pub(crate) const LAUNCH_FAILED: u8 = 125;

/// What a child does to itself before it becomes the program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Preparation {
    /// The control groups that it joins, as directories.
    pub(crate) control_groups: Vec<String>,
    /// The limits of the kernel's on each process.
    pub(crate) ulimits: Vec<Limit>,
    /// What it may do to the files of the machine.
    pub(crate) files: Files,
    /// Directories that it may write to all the same.
    pub(crate) writable: Vec<PathBuf>,
    /// What its standard streams are.
    pub(crate) streams: Streams,
}

/// What a program may do to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Files {
    /// Whatever the user may.
    #[default]
    ReadAndWrite,
    /// Only read them: `readonlyRootFilesystem`.
    ReadOnly,
}

/// What a program's standard streams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Streams {
    /// Pipes and files; its process group is made by whoever starts it.
    #[default]
    Plain,
    /// A terminal, which becomes its own: Ctrl-C is a signal to it.
    Terminal,
}

/// Whether this process was started to be the launcher.
pub fn is_launch() -> bool {
    env::args_os().nth(1).is_some_and(|argument| argument == LAUNCH)
}

/// Becomes the program that the arguments of this process name. Returns only where that failed, or where there was no program.
///
/// To be called by `main` where [`is_launch`], before any thread is started: a process with threads cannot enter a user namespace.
pub fn launch() -> ExitCode {
    match run(env::args_os().skip(2)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the task's log; if that is gone too, there is nobody left to tell.
            let _ = writeln!(io::stderr(), "cannot start the program: {error}");
            ExitCode::from(LAUNCH_FAILED)
        }
    }
}

/// The arguments that make this binary launch a program; without one it only tries.
pub(crate) fn arguments(
    namespaces: Namespaces,
    etc: &Path,
    preparation: &Preparation,
    program: Option<&Path>,
) -> Vec<OsString> {
    let parent = std::process::id().to_string();
    let preparation = serde_json::to_string(preparation).expect("texts and numbers are JSON");
    let mut arguments = vec![
        LAUNCH.into(),
        parent.into(),
        namespaces.as_str().into(),
        etc.into(),
        preparation.into(),
    ];
    arguments.extend(program.map(Into::into));
    arguments
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    let malformed = || io::Error::other("it is not meant to be called by hand");
    let mut word = || arguments.next().ok_or_else(malformed);
    let text = |word: OsString| word.into_string().map_err(|_| malformed());
    let parent: u32 = text(word()?)?.parse().map_err(|_| malformed())?;
    let namespaces = Namespaces::parse(&text(word()?)?).ok_or_else(malformed)?;
    let etc = PathBuf::from(word()?);
    let preparation: Preparation = serde_json::from_str(&text(word()?)?)?;
    prepare(namespaces, &etc, &preparation)?;
    die_with(parent)?;
    match arguments.next() {
        Some(program) => Err(Command::new(program).args(arguments).exec()),
        None => namespaces::check(namespaces, &etc),
    }
}

/// The groups come first: from inside the namespaces they may not be seen any more.
fn prepare(namespaces: Namespaces, etc: &Path, preparation: &Preparation) -> io::Result<()> {
    for group in &preparation.control_groups {
        // Zero stands for whoever writes it.
        fs::write(Path::new(group).join("cgroup.procs"), "0")?;
    }
    if preparation.streams == Streams::Terminal {
        terminal::take()?;
    }
    namespaces::enter(namespaces, etc, preparation.files, &preparation.writable)?;
    ulimits::set(&preparation.ulimits)?;
    // As process 1 of a container does, it adopts whom its children leave behind.
    Ok(set_child_subreaper(true)?)
}

/// Asks the kernel for SIGKILL when the parent dies. After the namespaces: to enter one takes the wish back.
fn die_with(parent: u32) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if parent_id() == parent {
        Ok(())
    } else {
        Err(io::Error::other("the orchestrator is gone"))
    }
}
