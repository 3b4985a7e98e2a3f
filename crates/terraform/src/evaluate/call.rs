//! Function calls, and the two that are no functions because they look at their arguments before these are evaluated: `try` and `can`.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression as Syntax, FuncArgs, FuncCall};

use super::expression::unknown;
use super::scope::{Evaluated, Names, Poisoned, Scope};
use crate::functions::{self, Environment, FunctionError};
use crate::module::{File, range_of};
use crate::{Diagnostic, Object, Value, suggest};

const LAZY: [&str; 2] = ["can", "try"];

/// The functions that render templates; one that called another might never end.
const RENDERING: [&str; 4] = [
    "templatefile",
    "core::templatefile",
    "templatestring",
    "core::templatestring",
];

impl Scope<'_> {
    pub(super) fn call(&self, call: &FuncCall) -> Evaluated {
        if matches!(self.names, Names::Constant) {
            let range = call.name.name.span().unwrap_or_default();
            return Err(self.fail("Function calls not allowed", "Functions may not be called here.", range));
        }
        match full_name(call).as_str() {
            "try" | "core::try" => self.first_that_works(call),
            "can" | "core::can" => self.works(call),
            name => self.function(name, call),
        }
    }

    fn function(&self, name: &str, call: &FuncCall) -> Evaluated {
        if matches!(self.names, Names::Template(_)) && RENDERING.contains(&name) {
            let detail = format!("A template cannot call \"{name}\": templates do not nest.");
            return Err(self.fail(
                "Error in function call",
                detail,
                call.name.name.span().unwrap_or_default(),
            ));
        }
        let arguments = match self.arguments(&call.args, name)? {
            Arguments::Known(arguments) => arguments,
            Arguments::UnknownNumber(value) => return Ok(value),
        };
        let template = |file: &str, text: &str, variables: &Object| self.render(file, text, variables);
        let shared = self.shared;
        let environment = Environment {
            sources: shared.sources,
            now: shared.now,
            template: &template,
        };
        functions::call(name, arguments, &environment).map_err(|error| self.explain(name, error, call))
    }

    fn explain(&self, name: &str, error: FunctionError, call: &FuncCall) -> Poisoned {
        let whole = call.span().or_else(|| call.name.name.span()).unwrap_or_default();
        let range = error
            .argument
            .and_then(|position| call.args.get(position))
            .map_or(whole, range_of);
        let diagnostic = Diagnostic::error(error.summary, error.message, self.file.span(range));
        let suggestion = match error.summary {
            "Call to unknown function" => suggest::question(name, functions::names().chain(LAZY)),
            _ => None,
        };
        self.shared.report(diagnostic.with_suggestion(suggestion))
    }

    fn arguments(&self, syntax: &FuncArgs, name: &str) -> Result<Arguments, Poisoned> {
        let mut arguments = self.values(syntax.iter())?;
        if !syntax.expand_final() {
            return Ok(Arguments::Known(arguments));
        }
        let Some(last) = arguments.pop() else {
            return Ok(Arguments::Known(arguments));
        };
        let marked = last.is_sensitive();
        let mark = |value: Value| if marked { value.sensitive() } else { value };
        match last.into_unmarked() {
            Value::List(elements) | Value::Set(elements) => {
                arguments.extend(elements.into_iter().map(mark));
                Ok(Arguments::Known(arguments))
            }
            last @ Value::Unknown(_) => {
                arguments.push(last);
                let function = functions::names().find(|known| *known == name).unwrap_or("function");
                Ok(Arguments::UnknownNumber(mark(unknown(function, arguments))))
            }
            other => {
                let detail = format!(
                    "The expanding argument (indicated by ...) must be of a tuple, list, or set type, not {}.",
                    other.type_name()
                );
                let range = syntax.iter().last().map(range_of).unwrap_or_default();
                Err(self.fail("Invalid expanding argument value", detail, range))
            }
        }
    }

    /// `try(a, b, ...)`
    fn first_that_works(&self, call: &FuncCall) -> Evaluated {
        if call.args.is_empty() {
            let detail = "Function \"try\" expects at least one argument.";
            return Err(self.fail(
                "Not enough function arguments",
                detail,
                call.name.name.span().unwrap_or_default(),
            ));
        }
        for argument in &call.args {
            match self.attempt(argument) {
                // What is not wholly known may still fail once it is, so Terraform promises nothing about it.
                Attempt::Worked(value) if value.contains_unknown() && !value.is_unknown() => {
                    return Ok(unknown("try", vec![value]));
                }
                Attempt::Worked(value) => return Ok(value),
                Attempt::Poisoned => return Err(Poisoned),
                Attempt::Failed => {}
            }
        }
        let detail = "Call to function \"try\" failed: no expression succeeded. At least one expression must produce a successful result.";
        Err(self.fail("Error in function call", detail, call.span().unwrap_or_default()))
    }

    /// `can(a)`
    fn works(&self, call: &FuncCall) -> Evaluated {
        let Some(argument) = call.args.iter().next().filter(|_| call.args.len() == 1) else {
            let detail = "Function \"can\" expects exactly one argument.";
            return Err(self.fail(
                "Wrong number of function arguments",
                detail,
                call.name.name.span().unwrap_or_default(),
            ));
        };
        match self.attempt(argument) {
            Attempt::Poisoned => Err(Poisoned),
            Attempt::Worked(value) if value.contains_unknown() => Ok(unknown("can", vec![value])),
            Attempt::Worked(_) => Ok(Value::Bool(true)),
            Attempt::Failed => Ok(Value::Bool(false)),
        }
    }

    /// Evaluates something that may fail. What fails without a problem of its own was poisoned elsewhere, and no `try` mends that.
    fn attempt(&self, syntax: &Syntax) -> Attempt {
        self.shared.quietly(|| {
            let before = self.shared.reported();
            match self.value(syntax) {
                Ok(value) => Attempt::Worked(value),
                Err(Poisoned) if self.shared.reported() == before => Attempt::Poisoned,
                Err(Poisoned) => Attempt::Failed,
            }
        })
    }

    /// Renders a template that stands in a file of its own.
    fn render(&self, file: &str, text: &str, variables: &Object) -> Result<Value, String> {
        let file = File {
            path: file.into(),
            text: text.into(),
        };
        let template = hcl_edit::parser::parse_template(text).map_err(|error| {
            let place = error.location();
            format!("{}:{},{}: {}", file.path, place.line(), place.column(), error.message())
        })?;
        self.shared.quietly(|| {
            let before = self.shared.reported();
            let scope = Scope {
                names: Names::Template(variables),
                bound: None,
                file: &file,
                ..*self
            };
            scope.template_file(&template).map_err(|Poisoned| {
                let reported = self.shared.diagnostics.borrow();
                reported
                    .get(before)
                    .map_or_else(|| "the template failed".to_owned(), |first| located(first, text))
            })
        })
    }
}

enum Arguments {
    Known(Vec<Value>),
    /// The last argument expands to nobody knows how many: this is what the call yields.
    UnknownNumber(Value),
}

enum Attempt {
    Worked(Value),
    Failed,
    Poisoned,
}

/// `provider::aws::arn_parse`, `max`
fn full_name(call: &FuncCall) -> String {
    let mut name = String::new();
    for step in &call.name.namespace {
        name.push_str(step.as_str());
        name.push_str("::");
    }
    name.push_str(call.name.name.as_str());
    name
}

/// A problem inside a template as part of a sentence about the call that renders it.
fn located(diagnostic: &Diagnostic, text: &str) -> String {
    let Some(span) = &diagnostic.span else {
        return diagnostic.detail.clone();
    };
    let line = text
        .get(..span.start)
        .map_or(1, |before| before.matches('\n').count() + 1);
    format!(
        "{}:{line}: {}: {}",
        span.file,
        diagnostic.summary,
        diagnostic.detail.trim_end_matches('.')
    )
}
