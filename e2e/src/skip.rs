//! Tests that need a tool which may be missing.

use std::io::Write as _;

/// Says that a test did not run, and why, on a line of its own that no test harness swallows.
///
/// # Panics
///
/// Where the environment has `CI=true`: there everything is installed, and what is skipped is not tested.
pub fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} cannot be skipped here: {reason}"
    );
    writeln!(std::io::stdout().lock(), "SKIPPED {test}: {reason}").expect("standard output is open");
}

/// Says the same of a test that needs what a machine of CI need not have either. It goes to standard error, where nobody counts it.
pub fn skip_everywhere(test: &str, reason: &str) {
    writeln!(std::io::stderr().lock(), "SKIPPED {test}: {reason}").expect("standard error is open");
}
