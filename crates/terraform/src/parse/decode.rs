//! From blocks to what they declare.

mod resource;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::shape;
use crate::module::{
    Argument, Block, Body, Config, Expression, Notation, Nullable, OutputBlock, ProviderBlock, ResourceKey, Rule,
    Variable, Written,
};
use crate::types::{Type, convert};
use crate::{Diagnostic, Diagnostics, Mode, Sources, Span, Value, evaluate};

const BLOCK_TYPES: [&str; 13] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Adds what the blocks of one directory declare.
pub(super) fn fill(config: &mut Config, sources: &Sources, blocks: Vec<Block>, diagnostics: &mut Diagnostics) {
    for block in blocks {
        match block.kind.as_str() {
            "variable" => variable(config, block, diagnostics),
            "locals" => locals(config, block, diagnostics),
            "resource" => resource::resource(config, Mode::Managed, block, diagnostics),
            "data" => resource::resource(config, Mode::Data, block, diagnostics),
            "module" => resource::call(config, sources, block, diagnostics),
            "output" => output(config, block, diagnostics),
            "provider" => provider(config, block, diagnostics),
            "terraform" => {
                shape::check(&block.body, &shape::TERRAFORM, diagnostics);
                config.settings.read(&block);
            }
            // What these do happens to a state, which a first plan does not have, or after it.
            "moved" | "removed" | "import" | "check" => {}
            _ => unknown(&block, diagnostics),
        }
    }
}

fn unknown(block: &Block, diagnostics: &mut Diagnostics) {
    if block.kind == "ephemeral" {
        let detail = "Ephemeral resources exist only while Terraform runs; their values cannot be known offline.";
        diagnostics.push(Diagnostic::error(
            "Unsupported block type",
            detail,
            block.header.clone(),
        ));
        return;
    }
    diagnostics.push(shape::unsupported_block(&block.kind, BLOCK_TYPES).at(&block.header));
}

fn variable(config: &mut Config, mut block: Block, diagnostics: &mut Diagnostics) {
    let Some([name]) = shape::labels(&block, ["name"], diagnostics) else {
        return;
    };
    shape::check(&block.body, &shape::VARIABLE, diagnostics);
    reserved_name(&name, &block, diagnostics);
    let body = &mut block.body;
    let written = Written {
        ty: body.take("type").map(|argument| argument.value),
        default: body.take("default").map(|argument| argument.value),
    };
    let constraint = written.ty.as_ref().map(|ty| type_constraint(ty, diagnostics));
    let notation = match &constraint {
        None | Some(Type::Bool | Type::Number | Type::String) => Notation::Literal,
        Some(_) => Notation::Expression,
    };
    let ty = constraint.unwrap_or(Type::Any);
    let default = written
        .default
        .as_ref()
        .map(|default| default_value(default, &ty, diagnostics));
    let variable = Variable {
        description: description(body, diagnostics),
        written,
        ty,
        default,
        notation,
        nullable: if flag(body, "nullable", true, diagnostics) {
            Nullable::Yes
        } else {
            Nullable::No
        },
        sensitive: flag(body, "sensitive", false, diagnostics),
        validations: rules(body, "validation", diagnostics),
        declared_at: block.header.clone(),
    };
    let existing = config.variables.get(&name).map(|existing| existing.declared_at.clone());
    if let Some(existing) = existing {
        let summary = "Duplicate variable declaration";
        diagnostics.push(duplicate(
            summary,
            &format!("A variable named \"{name}\""),
            &existing,
            &block.header,
        ));
        return;
    }
    config.variables.insert(name, variable);
}

/// Names that mean something else inside a module call.
fn reserved_name(name: &str, block: &Block, diagnostics: &mut Diagnostics) {
    const RESERVED: [&str; 8] = [
        "count",
        "depends_on",
        "for_each",
        "lifecycle",
        "locals",
        "providers",
        "source",
        "version",
    ];
    if RESERVED.contains(&name) {
        let detail =
            format!("The variable name \"{name}\" is reserved due to its special meaning inside module blocks.");
        diagnostics.push(Diagnostic::error(
            "Invalid variable name",
            detail,
            block.labels[0].span.clone(),
        ));
    }
}

fn type_constraint(expression: &Expression, diagnostics: &mut Diagnostics) -> Type {
    let constant = |syntax: &hcl_edit::expr::Expression| {
        let expression = Expression {
            file: expression.file.clone(),
            syntax: syntax.clone(),
        };
        evaluate::constant(&expression).map_err(|diagnostic| diagnostic.detail)
    };
    Type::from_expression(&expression.syntax, &constant).unwrap_or_else(|(message, range)| {
        let span = range.map_or_else(|| expression.span(), |range| expression.file.span(range));
        diagnostics.push(Diagnostic::error("Invalid type specification", message, span));
        Type::Any
    })
}

/// A default that is no constant of the variable's type is reported, and null.
fn default_value(expression: &Expression, ty: &Type, diagnostics: &mut Diagnostics) -> Value {
    let value = match evaluate::constant(expression) {
        Ok(value) => value,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return Value::Null;
        }
    };
    match convert(value, ty) {
        Ok(value) => value,
        Err(message) => {
            let detail =
                format!("This default value is not compatible with the variable's type constraint: {message}.");
            diagnostics.push(Diagnostic::error(
                "Invalid default value for variable",
                detail,
                expression.span(),
            ));
            Value::Null
        }
    }
}

fn locals(config: &mut Config, block: Block, diagnostics: &mut Diagnostics) {
    if shape::labels(&block, [], diagnostics).is_none() {
        return;
    }
    for nested in &block.body.blocks {
        diagnostics.push(shape::unsupported_block(&nested.kind, []).at(&nested.header));
    }
    for argument in block.body.arguments {
        let name_span = argument.name_span.clone();
        match config.locals.entry(argument.name.clone()) {
            Entry::Vacant(place) => drop(place.insert(argument)),
            Entry::Occupied(existing) => {
                let what = format!("A local value named \"{}\"", argument.name);
                let summary = "Duplicate local value definition";
                diagnostics.push(duplicate(summary, &what, &existing.get().name_span, &name_span));
            }
        }
    }
}

fn output(config: &mut Config, mut block: Block, diagnostics: &mut Diagnostics) {
    let Some([name]) = shape::labels(&block, ["name"], diagnostics) else {
        return;
    };
    shape::check(&block.body, &shape::OUTPUT, diagnostics);
    let Some(value) = required(&mut block.body, "value", &block.header, diagnostics) else {
        return;
    };
    let output = OutputBlock {
        description: description(&mut block.body, diagnostics),
        value: value.value,
        sensitive: flag(&mut block.body, "sensitive", false, diagnostics),
        preconditions: rules(&mut block.body, "precondition", diagnostics),
        depends_on: resource::depends_on(&mut block.body, diagnostics),
        declared_at: block.header.clone(),
    };
    let existing = config.outputs.get(&name).map(|existing| existing.declared_at.clone());
    if let Some(existing) = existing {
        let what = format!("An output named \"{name}\"");
        diagnostics.push(duplicate(
            "Duplicate output definition",
            &what,
            &existing,
            &block.header,
        ));
        return;
    }
    config.outputs.insert(name, output);
}

fn provider(config: &mut Config, mut block: Block, diagnostics: &mut Diagnostics) {
    let Some([name]) = shape::labels(&block, ["name"], diagnostics) else {
        return;
    };
    block.body.take("version");
    let alias = block
        .body
        .take("alias")
        .and_then(|alias| literal(&alias.value, diagnostics));
    let key = alias.map_or_else(|| name.clone(), |alias| format!("{name}.{alias}"));
    let existing = config.providers.get(&key).map(|existing| existing.body.span.clone());
    if let Some(existing) = existing {
        let what = format!("A provider configuration for \"{key}\"");
        diagnostics.push(duplicate(
            "Duplicate provider configuration",
            &what,
            &existing,
            &block.header,
        ));
        return;
    }
    config.providers.insert(key, ProviderBlock { body: block.body });
}

/// The `validation`, `precondition` or `postcondition` blocks of a block.
fn rules(body: &mut Body, kind: &str, diagnostics: &mut Diagnostics) -> Vec<Rule> {
    body.take_blocks(kind)
        .into_iter()
        .filter_map(|block| rule(block, diagnostics))
        .collect()
}

fn rule(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Rule> {
    shape::check(&block.body, &shape::RULE, diagnostics);
    let condition = required(&mut block.body, "condition", &block.header, diagnostics);
    let error_message = required(&mut block.body, "error_message", &block.header, diagnostics);
    Some(Rule {
        condition: condition?.value,
        error_message: error_message?.value,
    })
}

/// Takes an argument that has to be there.
fn required(body: &mut Body, name: &str, header: &Span, diagnostics: &mut Diagnostics) -> Option<Argument> {
    let argument = body.take(name);
    if argument.is_none() {
        let detail = format!("The argument \"{name}\" is required, but no definition was found.");
        diagnostics.push(Diagnostic::error("Missing required argument", detail, header.clone()));
    }
    argument
}

/// Takes an argument that is written as `true` or `false`.
fn flag(body: &mut Body, name: &str, default: bool, diagnostics: &mut Diagnostics) -> bool {
    let Some(argument) = body.take(name) else {
        return default;
    };
    let value = evaluate::constant(&argument.value)
        .ok()
        .and_then(|value| convert(value, &Type::Bool).ok());
    value.and_then(|value| value.as_bool()).unwrap_or_else(|| {
        let detail = format!("The argument \"{name}\" has to be written as true or false.");
        diagnostics.push(Diagnostic::error(
            "Unsuitable value type",
            detail,
            argument.value.span(),
        ));
        default
    })
}

/// Takes the description, which has to be a constant string.
fn description(body: &mut Body, diagnostics: &mut Diagnostics) -> Option<String> {
    let argument = body.take("description")?;
    let text = evaluate::constant(&argument.value).map(|value| convert(value, &Type::String).ok());
    match text {
        Ok(text) => text?.as_str().map(str::to_owned),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    }
}

/// The text of an expression that has to be a literal string.
fn literal(expression: &Expression, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = expression.syntax.as_str().map(str::to_owned);
    if text.is_none() {
        let detail = "A literal string is required here: Terraform reads it before it evaluates anything.";
        diagnostics.push(Diagnostic::error("Unsuitable value type", detail, expression.span()));
    }
    text
}

fn duplicate(summary: &'static str, what: &str, existing: &Span, span: &Span) -> Diagnostic {
    let detail = format!(
        "{what} was already declared in {}. Names must be unique within a module.",
        existing.file
    );
    Diagnostic::error(summary, detail, span.clone())
}

/// `aws` for `aws_lb`: the provider whose types begin with its name.
fn implied_provider(kind: &str) -> &str {
    kind.split_once('_').map_or(kind, |(provider, _)| provider)
}
