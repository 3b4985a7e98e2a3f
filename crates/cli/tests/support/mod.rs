//! Runs the real binary on a stack of a few lines and shows its whole answer.

#![expect(clippy::unwrap_used, reason = "a support that fails is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A directory with some files.
pub(crate) fn stack(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// Exit code, stdout and stderr of `karma`, run in a directory with an environment that tells it nothing.
pub(crate) fn karma(directory: &Path, arguments: &[&str]) -> String {
    karma_with(directory, arguments, &[])
}

/// The same with some environment variables.
pub(crate) fn karma_with(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_karma"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let code = output
        .status
        .code()
        .map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    format!(
        "exit: {code}\n--- stdout\n{}--- stderr\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
