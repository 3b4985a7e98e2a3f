//! The launcher: a small step between the orchestrator and a task's program.
//!
//! What a child must do to itself before it becomes another program cannot be done from outside without unsafe code. So the
//! orchestrator starts *this very binary* again, and `main` hands over to [`launch`] before it does anything else:
//!
//! ```text
//! karma __launch PARENT NAMESPACES ETC PROGRAM ARGUMENTS…
//! ```
//! It puts the files of the directory ETC over those of `/etc` in a mount namespace of its own, asks the kernel to be killed when the orchestrator dies, and becomes
//! the program. Without a program it only tells whether the kernel would let it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getgid, getuid};

/// The first argument that tells the binary to be the launcher.
pub const LAUNCH: &str = "__launch";

/// The exit code where the launcher itself failed, so that the program never started. `docker run` uses the same.
pub(crate) const LAUNCH_FAILED: u8 = 125;

/// What a task gets of its own from the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// A mount namespace; the orchestrator is privileged.
    Mount,
    /// A mount namespace, and a user namespace that gives the right to it.
    UserAndMount,
    /// Nothing.
    None,
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
pub(crate) fn arguments(namespaces: Namespaces, etc: &Path, program: Option<&Path>) -> Vec<OsString> {
    let parent = std::process::id().to_string();
    let mut arguments = vec![LAUNCH.into(), parent.into(), namespaces.as_str().into(), etc.into()];
    arguments.extend(program.map(Into::into));
    arguments
}

impl Namespaces {
    fn as_str(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::UserAndMount => "user",
            Self::None => "none",
        }
    }

    fn parse(text: &OsString) -> Option<Self> {
        [Self::Mount, Self::UserAndMount, Self::None]
            .into_iter()
            .find(|namespaces| text == namespaces.as_str())
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    let malformed = || io::Error::other("it is not meant to be called by hand");
    let parent: u32 = arguments
        .next()
        .and_then(|word| word.to_str()?.parse().ok())
        .ok_or_else(malformed)?;
    let namespaces = arguments
        .next()
        .as_ref()
        .and_then(Namespaces::parse)
        .ok_or_else(malformed)?;
    let etc = PathBuf::from(arguments.next().ok_or_else(malformed)?);
    enter(namespaces, &etc)?;
    die_with(parent)?;
    match arguments.next() {
        Some(program) => Err(Command::new(program).args(arguments).exec()),
        None => check(namespaces, &etc),
    }
}

fn enter(namespaces: Namespaces, etc: &Path) -> io::Result<()> {
    match namespaces {
        Namespaces::None => return Ok(()),
        Namespaces::Mount => unshare(CloneFlags::CLONE_NEWNS)?,
        Namespaces::UserAndMount => enter_user_namespace()?,
    }
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    for (own, theirs) in covers(etc)? {
        mount(Some(&own), &theirs, none, MsFlags::MS_BIND, none)?;
    }
    Ok(())
}

/// The user stays who he is; he may only mount now.
/// <https://man7.org/linux/man-pages/man7/user_namespaces.7.html>
fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
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

fn check(namespaces: Namespaces, etc: &Path) -> io::Result<()> {
    for (own, theirs) in covers(etc)? {
        if namespaces != Namespaces::None && fs::read(own)? != fs::read(theirs)? {
            return Err(io::Error::other("the mount is not to be seen"));
        }
    }
    Ok(())
}

/// The files of a directory, and those of `/etc` that they lie over.
fn covers(etc: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let cover =
        |entry: io::Result<fs::DirEntry>| entry.map(|file| (file.path(), Path::new("/etc").join(file.file_name())));
    fs::read_dir(etc)?.map(cover).collect()
}
