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
    as_typed_in(&mut command);
    command
}

/// Takes away what cargo tells this program of its own package. ring is built anew where that changes, and all that stands on it:
/// a build from here and one from a shell would undo each other's work.
pub(crate) fn as_typed_in(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let is_of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_of_package) {
            command.env_remove(&name);
        }
    }
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
