//! `cargo xtask bless`: real Terraform and the tests write down what they see as what is right. The diff is to be read, then
//! committed.

mod plans;

use std::process::{Command, ExitCode};

use crate::report::Report;
use crate::test;

/// Remakes the plans of the language's cases, then runs every test once with leave to rewrite.
pub(crate) fn run() -> ExitCode {
    if let Err(error) = plans::remake() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let mut report = Report::default();
    report.tests("crates", blessing(test::crate_tests()));
    report.tests("end to end", blessing(test::end_to_end_tests()));
    report.finish()
}

/// `BLESS` is our own golden files' variable, the others [insta's](https://insta.rs/docs/advanced/).
fn blessing(mut command: Command) -> Command {
    command
        .env("BLESS", "1")
        .env("INSTA_UPDATE", "always")
        .env("INSTA_FORCE_PASS", "1");
    command
}
