//! `cargo xtask check` and `cargo xtask test`: quick to fail first, then slower and slower.

use std::process::{Command, ExitCode};

use crate::dependencies;
use crate::process::cargo;
use crate::python;
use crate::report::Report;

/// The inner loop: what a change breaks first.
pub(crate) fn check() -> ExitCode {
    let mut report = Report::default();
    quick(&mut report);
    report.finish()
}

/// All of it, as CI runs it.
pub(crate) fn everything() -> ExitCode {
    let mut report = Report::default();
    quick(&mut report);
    python::set_up(&mut report);
    report.tests("end to end", end_to_end_tests());
    report.check("docs", docs());
    dependencies::check(&mut report);
    report.finish()
}

fn quick(report: &mut Report) {
    report.check("format", cargo("fmt --all --check"));
    report.check(
        "lints",
        cargo("clippy --workspace --all-targets --locked -- -D warnings"),
    );
    report.tests("laws", cargo("test --package xtask --no-fail-fast"));
    report.tests("crates", crate_tests());
}

/// Units, golden files, snapshots and the examples in the docs.
pub(crate) fn crate_tests() -> Command {
    cargo("test --workspace --exclude xtask --exclude karma-e2e --no-fail-fast -- --show-output")
}

/// Real Terraform, and the fleet as a user runs it.
pub(crate) fn end_to_end_tests() -> Command {
    let mut command = cargo("test --package karma-e2e --no-fail-fast -- --show-output");
    // The crates' tests have built both programs; alone they would be built once more, with features of their own.
    command.env("KARMA_E2E_PROGRAMS_ARE_BUILT", "1");
    command
}

fn docs() -> Command {
    let mut command = cargo("doc --workspace --no-deps");
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
