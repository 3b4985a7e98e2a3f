//! The exit codes, documented in `karma --help` and the same for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// 0: yes, done.
    Yes,
    /// 1: the answer is no (not running, not healthy).
    No,
    /// 2: could not answer (bad Terraform, a port that is taken).
    Unable,
    /// 64: the command line is wrong.
    Usage,
    /// The exit code of a command that was run in a task.
    Command(i32),
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Yes => 0,
            ExitStatus::No => 1,
            ExitStatus::Unable => 2,
            ExitStatus::Usage => 64,
            // As the system does: only the low byte counts.
            ExitStatus::Command(code) => code.to_le_bytes()[0],
        })
    }
}
