//! Where an expression is evaluated: which names it sees, and where what is wrong with it is reported.

use std::cell::RefCell;
use std::ops::Range;

use crate::module::{Expression, File};
use crate::{Diagnostic, Object, Sources, Value};

use super::expand::Repetition;
use super::walk::{InstanceId, Walk};

/// An evaluation that failed; why is in the diagnostics already. What depends on it fails in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Poisoned;

/// A value, or nothing where the diagnostics say why.
pub(crate) type Evaluated = Result<Value, Poisoned>;

/// What all expressions of a stack have in common.
#[derive(Debug)]
pub(crate) struct Shared<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) now: Option<jiff::Timestamp>,
    pub(crate) workspace: &'s str,
    pub(crate) diagnostics: RefCell<Vec<Diagnostic>>,
}

/// Where one expression is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) shared: &'s Shared<'s>,
    pub(crate) names: Names<'s>,
    pub(crate) file: &'s File,
    pub(crate) bound: Option<&'s Bound<'s>>,
}

/// The names that are in scope everywhere in an expression.
#[derive(Clone, Copy)]
pub(crate) enum Names<'s> {
    /// None, and no functions either: the expression is a constant.
    Constant,
    /// The variables a template file is given.
    Template(&'s Object),
    /// Those of a module.
    Module(Surroundings<'s>),
}

/// The module instance and the block around an expression.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'s> {
    pub(crate) walk: &'s Walk<'s>,
    pub(crate) instance: InstanceId,
    pub(crate) repetition: &'s Repetition,
    /// What `self` means.
    pub(crate) this: Option<&'s Value>,
}

/// A name bound by `for` or by a `dynamic` block, and those bound around it.
pub(crate) struct Bound<'s> {
    pub(crate) name: &'s str,
    pub(crate) value: Value,
    pub(crate) outer: Option<&'s Bound<'s>>,
}

impl<'s> Shared<'s> {
    /// What surrounds the expressions of these sources.
    pub(crate) fn new(sources: &'s Sources, workspace: &'s str, now: Option<jiff::Timestamp>) -> Self {
        Self {
            sources,
            now,
            workspace,
            diagnostics: RefCell::default(),
        }
    }

    /// Reports a problem.
    pub(crate) fn report(&self, diagnostic: Diagnostic) -> Poisoned {
        self.diagnostics.borrow_mut().push(diagnostic);
        Poisoned
    }

    /// Does something whose problems are nobody's business.
    pub(crate) fn quietly<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.diagnostics.borrow().len();
        let result = act();
        self.diagnostics.borrow_mut().truncate(before);
        result
    }

    /// How many problems there are so far.
    pub(crate) fn reported(&self) -> usize {
        self.diagnostics.borrow().len()
    }
}

impl<'s> Scope<'s> {
    /// The value of a whole expression, which may stand in another file than the scope was made for.
    pub(crate) fn evaluate(&self, expression: &Expression) -> Evaluated {
        Scope {
            file: &expression.file,
            ..*self
        }
        .value(&expression.syntax)
    }

    /// The same scope inside something that binds a name.
    pub(crate) fn inside<'b>(&self, bound: &'b Bound<'b>) -> Scope<'b>
    where
        's: 'b,
    {
        Scope {
            bound: Some(bound),
            ..*self
        }
    }

    /// Reports an error at a place in the scope's file.
    pub(crate) fn fail(&self, summary: &'static str, detail: impl Into<String>, range: Range<usize>) -> Poisoned {
        self.shared
            .report(Diagnostic::error(summary, detail, self.file.span(range)))
    }
}

impl<'s> Bound<'s> {
    /// The value bound to a name, by the innermost that binds it.
    pub(crate) fn find(&'s self, name: &str) -> Option<&'s Value> {
        let mut next = Some(self);
        while let Some(bound) = next {
            if bound.name == name {
                return Some(&bound.value);
            }
            next = bound.outer;
        }
        None
    }
}
