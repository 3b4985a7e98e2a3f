//! Holds the dependencies against `deny.toml`, with [cargo-deny](https://embarkstudios.github.io/cargo-deny/).
//!
//! Licences, bans and sources follow from `Cargo.lock` and are part of every run. Advisories change by themselves, so a run
//! on the same commit could fail tomorrow: they are a job of their own in `.github/workflows/ci.yml`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process::cargo;
use crate::report::Report;
use crate::workspace;

const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources; installs cargo-deny below `target/` first, where there is none.
pub(crate) fn check(report: &mut Report) {
    match find().or_else(install) {
        None => report.skip("dependencies", "cargo-deny could not be installed"),
        Some(program) => {
            let mut command = Command::new(program);
            command
                .args(["check", "licenses", "bans", "sources"])
                .current_dir(workspace::root());
            report.check("dependencies", command);
        }
    }
}

fn install() -> Option<PathBuf> {
    println!("installing cargo-deny {VERSION}, once: a minute or two");
    // Unoptimised it is installed in a fraction of the time, and still done in seconds.
    let mut command = cargo("install cargo-deny --locked --debug --version");
    command.arg(VERSION).arg("--root").arg(tools());
    // Why it failed, cargo has said; whether it did, the next look tells.
    let _ = command.status();
    find()
}

fn find() -> Option<PathBuf> {
    let answers = |program: &PathBuf| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    [PathBuf::from("cargo-deny"), tools().join("bin/cargo-deny")]
        .into_iter()
        .find(answers)
}

/// Where programs go that a chore installs.
fn tools() -> PathBuf {
    workspace::target().join("tools")
}
