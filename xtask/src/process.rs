//! Commands as this program starts them: from the workspace's root, without standard input.

use std::process::{Command, Stdio};

use crate::workspace;

/// The cargo that runs this program, with these words as arguments.
pub(crate) fn cargo(words: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(words.split_whitespace())
        .current_dir(workspace::root())
        .stdin(Stdio::null());
    command
}

/// What the command would look like typed in: for error messages and the log.
pub(crate) fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Whether this run must prove everything: then what could not be tested counts as failed.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
