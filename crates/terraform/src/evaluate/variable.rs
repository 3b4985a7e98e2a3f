//! The value of a variable: what was given, or its default, in the variable's type.

use super::expand::Repetition;
use super::scope::{Evaluated, Poisoned};
use super::walk::{InstanceId, Walk};
use crate::inputs::Given;
use crate::module::{Nullable, Variable};
use crate::types::convert;
use crate::{Diagnostic, Span, Unknown, Value};

impl Walk<'_> {
    pub(super) fn variable(&self, id: InstanceId, name: &str) -> Evaluated {
        let variable = &self.config(id).variables[name];
        let value = match self.given_value(id, name)? {
            Some(given) => self.suitable(id, name, variable, given)?,
            None => match &variable.default {
                Some(default) => default.clone(),
                None => self.missing(id, name, variable)?,
            },
        };
        Ok(if variable.sensitive { value.sensitive() } else { value })
    }

    /// A value that the variable's `validation` blocks let pass.
    pub(super) fn validated(&self, id: InstanceId, name: &str) -> Result<(), Poisoned> {
        let variable = &self.config(id).variables[name];
        let value = self.instance(id).variables.get(name).ok_or(Poisoned)?;
        value.as_ref().map_err(|poisoned| *poisoned)?;
        let scope = self.scope(id, &Repetition::Once);
        scope.check_rules_at(
            &variable.validations,
            "Invalid value for variable",
            &variable.declared_at,
        )
    }

    /// What is given from outside to the root module, or by the caller to another.
    fn given_value(&self, id: InstanceId, name: &str) -> Result<Option<Given>, Poisoned> {
        let instance = self.instance(id);
        let (Some(parent), Some((_, call))) = (instance.parent, self.tree.parent(instance.module)) else {
            return Ok(self.given.get(name).cloned());
        };
        let Some(argument) = self.config(parent).calls[call].arguments.get(name) else {
            return Ok(None);
        };
        let value = self.scope(parent, &instance.repetition).evaluate(&argument.value)?;
        Ok(Some(Given {
            value,
            span: Some(argument.value.span()),
        }))
    }

    fn suitable(&self, id: InstanceId, name: &str, variable: &Variable, given: Given) -> Evaluated {
        let span = given.span.unwrap_or_else(|| variable.declared_at.clone());
        if given.value.is_null() && variable.nullable == Nullable::No {
            return match &variable.default {
                Some(default) => Ok(default.clone()),
                None => Err(self.null_refused(name, span)),
            };
        }
        convert(given.value, &variable.ty).map_err(|message| {
            let file = &variable.declared_at.file;
            let (summary, subject) = match self.instance(id).parent {
                None => (
                    "Invalid value for input variable",
                    format!("var.{name} declared in {file}"),
                ),
                Some(_) => (
                    "Invalid value for module argument",
                    format!("the child module variable \"{name}\" declared in {file}"),
                ),
            };
            let detail = format!("The given value is not suitable for {subject}: {message}.");
            self.shared.report(Diagnostic::error(summary, detail, span))
        })
    }

    fn null_refused(&self, name: &str, span: Span) -> Poisoned {
        let detail =
            format!("The given value is not suitable for var.{name}: a required variable may not be set to null.");
        self.shared
            .report(Diagnostic::error("Required variable not set", detail, span))
    }

    /// A caller that leaves something out was told so at the call.
    fn missing(&self, id: InstanceId, name: &str, variable: &Variable) -> Evaluated {
        if self.instance(id).parent.is_some() {
            return Err(Poisoned);
        }
        let detail = format!("The root module input variable \"{name}\" is not set, and has no default value.");
        let diagnostic = Diagnostic::error("No value for required variable", detail, variable.declared_at.clone());
        self.shared.report(
            diagnostic.with_help("Use a -var or -var-file command line argument to provide a value for this variable."),
        );
        Ok(Value::Unknown(Box::new(Unknown::Variable(name.to_owned()))))
    }
}
