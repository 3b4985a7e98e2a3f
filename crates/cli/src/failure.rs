//! Why a command could not do what it was asked.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use crate::exit::ExitStatus;

/// What went wrong, why, and what to do next. `main` prints it and exits with its status.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    message: String,
    hints: Vec<String>,
    closed_pipe: bool,
}

impl Failure {
    /// Could not answer: exit code 2.
    pub(crate) fn unable(message: impl Into<String>) -> Self {
        Self {
            status: ExitStatus::Unable,
            message: message.into(),
            hints: Vec::new(),
            closed_pipe: false,
        }
    }

    /// The answer is no: exit code 1.
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self {
            status: ExitStatus::No,
            ..Self::unable(message)
        }
    }

    /// The same as an answer: exit code 1.
    #[must_use]
    pub(crate) fn into_no(self) -> Self {
        Self {
            status: ExitStatus::No,
            ..self
        }
    }

    /// An error with everything it was caused by: exit code 2.
    pub(crate) fn caused_by(what: impl Into<String>, error: &dyn Error) -> Self {
        Self::unable(format!("{}: {}", what.into(), chain(error)))
    }

    /// An error as it is, with everything it was caused by: exit code 2.
    pub(crate) fn from_error(error: &dyn Error) -> Self {
        Self::unable(chain(error))
    }

    /// The same with the next command to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with hints from elsewhere.
    #[must_use]
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// What went wrong, without what to do about it.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The first thing to do about it.
    pub(crate) fn first_hint(&self) -> Option<&str> {
        self.hints.first().map(String::as_str)
    }

    /// What went wrong, and the first thing to do about it.
    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.hints.into_iter().next())
    }

    /// What to do about it.
    pub(crate) fn all_hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// Whether the reader of our data went away (`karma plan | head`): no reason to say anything.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    /// `error: …`, then a line for each hint.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for hint in &self.hints {
            // Writing to a string cannot fail.
            let _ = write!(text, "\nhint: {hint}");
        }
        text
    }
}

/// Only [`crate::printer::Printer`] fails this way: our data could not be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            closed_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            ..Self::unable(format!("cannot write to stdout: {error}"))
        }
    }
}

/// `what: because: because`
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
