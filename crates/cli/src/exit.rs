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

impl ExitStatus {
    /// The number that the caller sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Unable => 2,
            Self::Usage => 64,
            // As the system does: only the low byte counts.
            Self::Command(code) => code.to_le_bytes()[0],
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
