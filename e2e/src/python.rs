//! The Python environments that `cargo xtask test` sets up below `target/`.

use std::path::PathBuf;

use crate::karma::target_directory;

/// A program of the environment of this name, or the reason why there is none.
pub fn program(environment: &str, name: &str) -> Result<PathBuf, String> {
    let program = target_directory()
        .join("python")
        .join(environment)
        .join("bin")
        .join(name);
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("{environment} is not installed: cargo xtask test does it"))
    }
}
