//! [`Check`]: one thing that a deploy needs.

use serde::Serialize;

/// One thing that a deploy needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// `credentials`
    pub(crate) name: String,
    /// Whether it is there.
    pub(crate) verdict: Verdict,
    /// What was found, or what is not.
    pub(crate) finding: String,
    /// The command, or the change, that mends it.
    pub(crate) mend: Option<String>,
}

/// Whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verdict {
    /// It is.
    Ok,
    /// It is not, and a deploy would fail.
    Missing,
    /// It cannot be told from here, or a deploy makes it itself.
    Skipped,
}

impl Check {
    pub(crate) fn ok(name: impl Into<String>, finding: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, finding)
    }

    pub(crate) fn missing(name: impl Into<String>, finding: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            mend: Some(mend.into()),
            ..Self::new(name, Verdict::Missing, finding)
        }
    }

    pub(crate) fn skipped(name: impl Into<String>, finding: impl Into<String>) -> Self {
        Self::new(name, Verdict::Skipped, finding)
    }

    /// The same with the command that tells more.
    pub(crate) fn see(self, mend: impl Into<String>) -> Self {
        Self {
            mend: Some(mend.into()),
            ..self
        }
    }

    fn new(name: impl Into<String>, verdict: Verdict, finding: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict,
            finding: finding.into(),
            mend: None,
        }
    }

    /// Whether a deploy would fail without it.
    pub(crate) fn is_missing(&self) -> bool {
        self.verdict == Verdict::Missing
    }
}

impl Verdict {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Missing => "MISSING",
            Self::Skipped => "SKIPPED",
        }
    }
}
