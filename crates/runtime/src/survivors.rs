//! Processes of tasks that outlived their orchestrator, or their container's program. Each carries a variable that tells whose it is.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid, getpgrp};

use crate::logs;
use crate::task::TaskId;

/// The variable: `KARMA_TASK=<state directory>/<task id>/<container>`.
pub(crate) const MARKER: &str = "KARMA_TASK";

/// So often it is looked again for processes that were just being started, or that die slowly.
const ROUNDS: usize = 200;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How the variable begins in the processes of a task.
pub(crate) fn mark(state_directory: &Path, task: &TaskId) -> PathBuf {
    state_directory.join(task.as_str())
}

/// What the variable says in the processes of a container.
pub(crate) fn container_mark(state_directory: &Path, task: &TaskId, container: &str) -> PathBuf {
    mark(state_directory, task).join(logs::file_name(container))
}

/// Kills every process of a container, of a task, or of all tasks of a state directory, and waits until they are gone. Returns how many there were.
pub(crate) fn kill_all(mark: &Path) -> usize {
    let mut killed = BTreeSet::new();
    for _ in 0..ROUNDS {
        let survivors = find(mark);
        if survivors.is_empty() {
            break;
        }
        for pid in survivors {
            kill_with_group(pid);
            killed.insert(pid);
        }
        thread::sleep(PAUSE);
    }
    killed.len()
}

/// The processes that carry the mark. A zombie has no environment any more, so it is not among them.
fn find(mark: &Path) -> Vec<Pid> {
    let mark = [MARKER.as_bytes(), b"=", mark.as_os_str().as_bytes()].concat();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .filter(|pid| fs::read(format!("/proc/{pid}/environ")).is_ok_and(|variables| has(&variables, &mark)))
        .map(Pid::from_raw)
        .collect()
}

/// Whether there is the mark itself, or one of a task or a container below it.
fn has(variables: &[u8], mark: &[u8]) -> bool {
    let mut rests = variables
        .split(|&byte| byte == 0)
        .filter_map(|variable| variable.strip_prefix(mark));
    rests.any(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A process that has cleared its environment is still in the group. Errors mean that it is gone.
fn kill_with_group(pid: Pid) {
    if let Ok(group) = getpgid(Some(pid))
        && group != getpgrp()
    {
        let _ = killpg(group, Signal::SIGKILL);
    }
    let _ = kill(pid, Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command;

    use super::*;

    #[test]
    fn processes_with_the_mark_are_killed_and_others_are_not() {
        let start = |mark: &str| {
            Command::new("sleep")
                .arg("600")
                .env(MARKER, mark)
                .process_group(0)
                .spawn()
                .unwrap()
        };
        let state = Path::new("/nowhere/survivors/.karma");
        let mut ours = start("/nowhere/survivors/.karma/1");
        let mut other = start("/nowhere/survivors/.karma2/1");
        // `spawn` returns when the program has been started, so the mark is to be seen.
        assert_eq!(kill_all(state), 1);
        assert_eq!(ours.wait().unwrap().signal(), Some(9));
        assert_eq!(other.try_wait().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
