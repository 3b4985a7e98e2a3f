//! What is wrong with the user's Terraform, as data.

use crate::Span;

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The stack can be used; something in it deserves a look.
    Warning,
    /// The stack cannot be used as it is written.
    Error,
}

/// One problem in the user's Terraform. It points at the source and says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Warning or error.
    pub severity: Severity,
    /// Fixed text without the user's names: `Invalid for_each argument`.
    pub summary: &'static str,
    /// Full sentences: what, why, and what is allowed.
    pub detail: String,
    /// Where, if it has a place in the source (a `-var` on the command line has none).
    pub span: Option<Span>,
    /// What to do next: "Did you mean `vpc_cidr`?".
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(summary: &'static str, detail: impl Into<String>, span: impl Into<Option<Span>>) -> Self {
        Self {
            severity: Severity::Error,
            summary,
            detail: detail.into(),
            span: span.into(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(summary: &'static str, detail: impl Into<String>, span: impl Into<Option<Span>>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail, span)
        }
    }

    /// The same with a hint on what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a hint, if there is one to give.
    #[must_use]
    pub(crate) fn with_suggestion(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.with_help(help),
            None => self,
        }
    }

    /// The same at a place.
    #[must_use]
    pub(crate) fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }
}

/// All problems found, in the order they were found. Nothing stops at the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, iter: I) {
        self.0.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
