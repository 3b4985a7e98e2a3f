//! What a name at the start of a reference means.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::TraversalOperator;

use super::expand::Repetition;
use super::expression::unknown;
use super::scope::{Names, Poisoned, Scope, Surroundings};
use crate::module::{Config, Repeat, ResourceKey};
use crate::references::{Operator, attribute_name};
use crate::{Diagnostic, Mode, Number, Object, Value, suggest};

/// What a reference means, and how many operators were needed to tell.
type Resolved<'v> = Result<(Cow<'v, Value>, usize), Poisoned>;

/// A reference under examination.
struct Reference<'r> {
    root: &'r str,
    operators: &'r [Operator],
    range: Range<usize>,
}

impl<'s> Scope<'s> {
    pub(super) fn resolve(&self, root: &str, operators: &[Operator], range: Range<usize>) -> Resolved<'s> {
        if let Some(value) = self.bound.and_then(|bound| bound.find(root)) {
            return Ok((Cow::Borrowed(value), 0));
        }
        let reference = Reference { root, operators, range };
        match self.names {
            Names::Module(surroundings) => self.resolve_in_module(&surroundings, &reference),
            Names::Constant => Err(self.fail(
                "Variables not allowed",
                "Variables may not be used here.",
                reference.range,
            )),
            Names::Template(variables) => match variables.get(root) {
                Some(value) => Ok((Cow::Borrowed(value), 0)),
                None => Err(self.unknown_template_variable(&reference, variables)),
            },
        }
    }

    fn unknown_template_variable(&self, reference: &Reference<'_>, variables: &Object) -> Poisoned {
        let name = reference.root;
        let detail = format!("The template refers to \"{name}\", which is not among the variables it is given.");
        let diagnostic = Diagnostic::error(
            "Unknown template variable",
            detail,
            self.file.span(reference.range.clone()),
        );
        let known = variables.keys().map(String::as_str);
        self.shared
            .report(diagnostic.with_suggestion(suggest::question(name, known)))
    }

    fn resolve_in_module(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        match reference.root {
            "var" => self.variable(around, reference),
            "local" => self.local(around, reference),
            "module" => self.module_call(around, reference),
            "data" => self.resource(around, reference, Mode::Data),
            "each" => self.each(around, reference),
            "count" => self.count(around, reference),
            "path" => self.path(around, reference),
            "terraform" => self.terraform(reference),
            "self" => self.this(around, reference),
            _ => self.resource(around, reference, Mode::Managed),
        }
    }

    fn variable(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let name = self.name(reference, 0, "an input variable's name")?;
        let instance = around.walk.instance(around.instance);
        if let Some(value) = instance.variables.get(name) {
            return found(value, 1);
        }
        let config = around.walk.config(around.instance);
        let known = config.variables.keys().map(String::as_str);
        let detail = format!("An input variable with the name {name:?} has not been declared.");
        let help = format!("It can be declared with a variable {name:?} {{}} block.");
        Err(self.undeclared(
            config,
            "Reference to undeclared input variable",
            detail,
            Some(help),
            name,
            known,
            reference,
        ))
    }

    fn local(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let name = self.name(reference, 0, "a local value's name")?;
        if let Some(value) = around.walk.instance(around.instance).locals.get(name) {
            return found(value, 1);
        }
        let config = around.walk.config(around.instance);
        let known = config.locals.keys().map(String::as_str);
        let detail = format!("A local value with the name {name:?} has not been declared.");
        Err(self.undeclared(
            config,
            "Reference to undeclared local value",
            detail,
            None,
            name,
            known,
            reference,
        ))
    }

    fn resource(&self, around: &Surroundings<'s>, reference: &Reference<'_>, mode: Mode) -> Resolved<'s> {
        let first = usize::from(mode == Mode::Data);
        let (kind, name) = match mode {
            Mode::Data => (
                self.name(reference, 0, "a data source's type")?,
                self.name(reference, 1, "its name")?,
            ),
            Mode::Managed => (reference.root, self.resource_name(around, reference)?),
        };
        let key = ResourceKey {
            mode,
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        if let Some(value) = around.walk.instance(around.instance).resources.get(&key) {
            self.check_instance_key(around, reference, &key, first + 1)?;
            return found(value, first + 1);
        }
        let config = around.walk.config(around.instance);
        let same_kind = config
            .resources
            .keys()
            .filter(|known| known.mode == mode && known.kind == kind);
        let of_any_kind = config
            .resources
            .keys()
            .filter(|known| known.mode == mode)
            .map(|known| known.kind.as_str());
        let suggestion = suggest::question(name, same_kind.map(|known| known.name.as_str()))
            .or_else(|| suggest::question(kind, of_any_kind));
        let word = if mode == Mode::Data { "data" } else { "managed" };
        let place = around.walk.place(around.instance);
        let detail = format!("A {word} resource {kind:?} {name:?} has not been declared in {place}.");
        let end = reference.operators[first]
            .value_span()
            .map_or(reference.range.end, |range| range.end);
        let span = self.file.span(reference.range.start..end);
        let diagnostic = Diagnostic::error("Reference to undeclared resource", detail, span);
        Err(self.unless_incomplete(config, diagnostic.with_suggestion(suggestion)))
    }

    /// Of a block that stands for several instances only whole instances can be asked for attributes.
    fn check_instance_key(
        &self,
        around: &Surroundings<'s>,
        reference: &Reference<'_>,
        key: &ResourceKey,
        position: usize,
    ) -> Result<(), Poisoned> {
        let Some(operator) = reference
            .operators
            .get(position)
            .filter(|next| attribute_name(next).is_some())
        else {
            return Ok(());
        };
        let resource = &around.walk.config(around.instance).resources[key];
        let (meta, example) = match resource.repetition {
            Repeat::Once => return Ok(()),
            Repeat::Count(_) => ("count", "[count.index]"),
            Repeat::ForEach(_) => ("for_each", "[each.key]"),
        };
        let address = key.address(&[], None);
        let detail =
            format!("Because {address} has \"{meta}\" set, its attributes must be accessed on specific instances.");
        let span = self
            .file
            .span(reference.range.start..operator.value_span().unwrap_or_default().end);
        let diagnostic = Diagnostic::error("Missing resource instance key", detail, span);
        Err(self
            .shared
            .report(diagnostic.with_help(format!("For example, {address}{example} or {address}[*]."))))
    }

    /// A lone name is no reference to anything: it may be a misspelt keyword or a string without its quotes.
    fn resource_name<'r>(&self, around: &Surroundings<'s>, reference: &Reference<'r>) -> Result<&'r str, Poisoned> {
        if let Some(name) = reference.operators.first().and_then(attribute_name) {
            return Ok(name);
        }
        let root = reference.root;
        let detail = "A reference to a resource type must be followed by at least one attribute access, specifying the resource name.";
        let diagnostic = Diagnostic::error("Invalid reference", detail, self.file.span(reference.range.clone()));
        let config = around.walk.config(around.instance);
        let help = if config.variables.contains_key(root) {
            format!("Did you mean \"var.{root}\"?")
        } else if config.locals.contains_key(root) {
            format!("Did you mean \"local.{root}\"?")
        } else {
            format!("If it is meant as text, put it in quotes: \"{root}\".")
        };
        Err(self.shared.report(diagnostic.with_help(help)))
    }

    fn module_call(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let name = self.name(reference, 0, "a module call's name")?;
        let walk = around.walk;
        if let Some(calls) = walk.instance(around.instance).calls.get(name) {
            let calls = calls.as_ref().map_err(|poisoned| *poisoned)?;
            // The usual case, an output of the only instance, is looked up without building the object of all outputs.
            let output = reference.operators.get(1).and_then(attribute_name);
            if let (Some(only), Some(output)) = (calls.only(), output)
                && let Some(value) = walk.instance(only).outputs.get(output)
            {
                return found(value, 2);
            }
            return Ok((Cow::Owned(walk.outputs_of(calls)?), 1));
        }
        let config = walk.config(around.instance);
        let known = config.calls.keys().map(String::as_str);
        let detail = format!(
            "No module call named {name:?} is declared in {}.",
            walk.place(around.instance)
        );
        Err(self.undeclared(
            config,
            "Reference to undeclared module",
            detail,
            None,
            name,
            known,
            reference,
        ))
    }

    fn each(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let Repetition::Each { key, value } = around.repetition else {
            let detail = "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" argument is set.";
            return Err(self.fail(
                "Reference to \"each\" in context without for_each",
                detail,
                reference.range.clone(),
            ));
        };
        match self.name(reference, 0, "either \"key\" or \"value\"")? {
            "key" => Ok((Cow::Owned(Value::String(key.clone())), 1)),
            "value" => Ok((Cow::Borrowed(value), 1)),
            other => Err(self.no_such(reference, "each", other, &["key", "value"])),
        }
    }

    fn count(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let Repetition::Count(index) = around.repetition else {
            let detail = "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and only when the \"count\" argument is set.";
            return Err(self.fail(
                "Reference to \"count\" in non-counted context",
                detail,
                reference.range.clone(),
            ));
        };
        match self.name(reference, 0, "\"index\"")? {
            "index" => Ok((Cow::Owned(Value::Number(Number::from(*index as u64))), 1)),
            other => Err(self.no_such(reference, "count", other, &["index"])),
        }
    }

    fn path(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        let directory = &around.walk.config(around.instance).directory;
        let text = match self.name(reference, 0, "one of \"module\", \"root\" and \"cwd\"")? {
            "module" if directory.is_empty() => ".",
            "module" => directory,
            "root" => ".",
            // Where Terraform will be started is not part of the stack.
            "cwd" => return Ok((Cow::Owned(unknown("path.cwd", Vec::new())), 1)),
            other => return Err(self.no_such(reference, "path", other, &["module", "root", "cwd"])),
        };
        Ok((Cow::Owned(Value::String(text.to_owned())), 1))
    }

    fn terraform(&self, reference: &Reference<'_>) -> Resolved<'s> {
        match self.name(reference, 0, "\"workspace\"")? {
            "workspace" => Ok((Cow::Owned(Value::String(self.shared.workspace.to_owned())), 1)),
            other => Err(self.no_such(reference, "terraform", other, &["workspace"])),
        }
    }

    fn this(&self, around: &Surroundings<'s>, reference: &Reference<'_>) -> Resolved<'s> {
        around.this.map(|this| (Cow::Borrowed(this), 0)).ok_or_else(|| {
            let detail = "The \"self\" object is not available in this context. It stands for the resource in its own conditions.";
            self.fail("Invalid \"self\" reference", detail, reference.range.clone())
        })
    }

    /// The name an operator asks for; without one the reference is incomplete.
    fn name<'r>(&self, reference: &Reference<'r>, position: usize, wanted: &str) -> Result<&'r str, Poisoned> {
        reference
            .operators
            .get(position)
            .and_then(attribute_name)
            .ok_or_else(|| {
                let root = reference.root;
                let detail = format!(
                    "The {root:?} object cannot be accessed directly. Instead, follow it with a dot and {wanted}."
                );
                self.fail("Invalid reference", detail, reference.range.clone())
            })
    }

    fn no_such(&self, reference: &Reference<'_>, object: &str, name: &str, known: &[&str]) -> Poisoned {
        let detail = format!("The {object:?} object does not have an attribute named {name:?}.");
        let span = self.file.span(reference.range.clone());
        let diagnostic = Diagnostic::error("Invalid reference", detail, span);
        self.shared
            .report(diagnostic.with_help(format!("It has {}.", known.join(", "))))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one diagnostic")]
    fn undeclared<'n>(
        &self,
        config: &Config,
        summary: &'static str,
        detail: String,
        help: Option<String>,
        name: &str,
        known: impl Iterator<Item = &'n str>,
        reference: &Reference<'_>,
    ) -> Poisoned {
        let end = reference.operators[0]
            .value_span()
            .map_or(reference.range.end, |range| range.end);
        let diagnostic = Diagnostic::error(summary, detail, self.file.span(reference.range.start..end));
        self.unless_incomplete(
            config,
            diagnostic.with_suggestion(suggest::question(name, known).or(help)),
        )
    }

    /// What seems undeclared may stand in a file that could not be parsed, which was reported already.
    fn unless_incomplete(&self, config: &Config, diagnostic: Diagnostic) -> Poisoned {
        if config.incomplete {
            return Poisoned;
        }
        self.shared.report(diagnostic)
    }
}

/// A value that was looked up, unless its own evaluation failed.
fn found(value: &Result<Value, Poisoned>, consumed: usize) -> Resolved<'_> {
    value
        .as_ref()
        .map(|value| (Cow::Borrowed(value), consumed))
        .map_err(|poisoned| *poisoned)
}

trait ValueSpan {
    /// Where the name after the dot stands.
    fn value_span(&self) -> Option<Range<usize>>;
}

impl ValueSpan for Operator {
    fn value_span(&self) -> Option<Range<usize>> {
        match self.value() {
            TraversalOperator::GetAttr(name) => name.span(),
            _ => self.span(),
        }
    }
}
