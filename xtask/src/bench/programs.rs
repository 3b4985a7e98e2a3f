//! Programs under test, on cores of their own.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Result;

/// A program that is ended when this is dropped.
pub(super) struct Running(Child);

/// Half of the machine's cores are for what is tested, the others for load and whatever else is needed, as `taskset` takes them.
pub(super) struct Cores {
    pub(super) tested: String,
    pub(super) others: String,
    pub(super) of_tested: usize,
}

const PATIENCE: Duration = Duration::from_secs(10);

/// The first of these programs that is not installed.
pub(super) fn missing<'a>(programs: &[&'a str]) -> Option<&'a str> {
    let directories: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .collect();
    let is_there = |program: &&&str| directories.iter().any(|directory| directory.join(program).is_file());
    programs.iter().find(|program| !is_there(program)).copied()
}

/// Waits until somebody listens there.
pub(super) fn wait_for(port: u16) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err(format!("nobody listens on port {port} after {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

impl Running {
    /// Starts it. What it prints is not looked at.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// Its process, and those it has started.
    pub(super) fn processes(&self) -> Vec<u32> {
        let first = self.0.id();
        let children = format!("/proc/{first}/task/{first}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(first).chain(children).collect()
    }

    /// Bytes resident, of all its processes.
    pub(super) fn memory(&self) -> u64 {
        let of_process =
            |pid: u32| super::fleet::resident(&fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default());
        self.processes().into_iter().filter_map(of_process).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to end, and not when it is killed.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        if asked.is_err() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

impl Cores {
    pub(super) fn of_this_machine() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let half = (cores / 2).max(1);
        let range = |first: usize, last: usize| format!("{first}-{last}");
        Self {
            tested: range(0, half - 1),
            others: range(half.min(cores - 1), cores - 1),
            of_tested: half,
        }
    }

    /// With room for many connections. `exec` twice over: the process is the program itself.
    pub(super) fn command(cores: &str, program: &[String]) -> Command {
        let mut command = Command::new("sh");
        let script = format!("PATH=$PATH:/usr/sbin; ulimit -n $(ulimit -Hn); exec taskset -c {cores} \"$@\"");
        command.args(["-c", &script, "sh"]).args(program).stdin(Stdio::null());
        command
    }
}
