//! Why a task stopped, for people.

use std::fmt::Write as _;

use karma_ops::TaskObservation;

/// `Essential container in task exited (exit code 3)`
pub(crate) fn reason(task: &TaskObservation) -> String {
    let reason = task.stopped_reason.as_deref().unwrap_or("no reason is known");
    match task.exit_code {
        Some(code) => format!("{reason} (exit code {code})"),
        None => reason.to_owned(),
    }
}

/// The reason, and below it the last lines that the task wrote.
pub(crate) fn account(task: &TaskObservation) -> String {
    let mut text = format!("  task {} stopped: {}\n", task.task_id.short(), reason(task));
    for line in &task.last_lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  │ {line}");
    }
    text
}
