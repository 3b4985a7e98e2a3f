//! The attributes of a block by its schema: what is written, in the schema's type, and what stands where nothing is written.

use std::collections::BTreeMap;

use super::dynamic::produced_kind;
use super::expression::unknown;
use super::scope::{Poisoned, Scope};
use crate::module::{Argument, Block, Body};
use crate::parse::shape::{unsupported_argument, unsupported_block};
use crate::schema::{Attribute, Block as Schema, NestedBlock, Nesting};
use crate::types::{Type, convert};
use crate::{Address, AttributePath, Diagnostic, Object, PathStep, Span, Unknown, Value};

/// Reads the body of one resource instance.
pub(super) struct Decoder<'d> {
    pub(super) address: &'d Address,
    pub(super) declared_at: &'d Span,
}

/// The nested blocks of one type.
#[derive(Default)]
struct Occurrences {
    objects: Vec<(Option<String>, Value)>,
    /// What makes their number unknown.
    unknown: Option<Value>,
}

impl Decoder<'_> {
    /// All attributes and nested blocks of a block.
    pub(super) fn block(&self, scope: Scope<'_>, body: &Body, schema: &Schema, path: &AttributePath) -> Object {
        report_undeclared(&scope, body, schema);
        let mut attributes = Object::new();
        let mut nested = self.nested_blocks(scope, body, schema, path);
        for (name, attribute) in &schema.attributes {
            let path = step(path, PathStep::Attribute(name.clone()));
            let value = match (body.argument(name), nested.remove(name)) {
                (Some(argument), _) => self.argument(scope, argument, attribute, &path),
                (None, Some(blocks)) => self.blocks_as_attribute(scope, blocks, attribute, &path),
                (None, None) => self.unwritten(scope, name, attribute, &path),
            };
            attributes.insert(name.clone(), value);
        }
        for (kind, nested_schema) in &schema.blocks {
            let path = step(path, PathStep::Attribute(kind.clone()));
            let occurrences = nested.remove(kind).unwrap_or_default();
            attributes.insert(
                kind.clone(),
                self.combine(scope, kind, occurrences, nested_schema, &path),
            );
        }
        attributes
    }

    fn argument(&self, scope: Scope<'_>, argument: &Argument, attribute: &Attribute, path: &AttributePath) -> Value {
        if attribute.computed && !attribute.optional && !attribute.required {
            let detail = format!(
                "Can't configure a value for \"{}\": its value will be decided automatically based on the result of applying this configuration.",
                argument.name
            );
            let summary = "Value for unconfigurable attribute";
            scope
                .shared
                .report(Diagnostic::error(summary, detail, argument.name_span.clone()));
            return self.unknown_at(path);
        }
        let converted = scope
            .evaluate(&argument.value)
            .and_then(|value| suitable(scope, value, argument, attribute));
        match converted {
            Ok(value) if value.is_null() => self.unwritten(scope, &argument.name, attribute, path),
            Ok(value) => value,
            Err(Poisoned) => self.unknown_at(path),
        }
    }

    /// What stands where nothing is written, or null.
    fn unwritten(&self, scope: Scope<'_>, name: &str, attribute: &Attribute, path: &AttributePath) -> Value {
        if attribute.required {
            let detail = format!("The argument \"{name}\" is required, but no definition was found.");
            scope.shared.report(Diagnostic::error(
                "Missing required argument",
                detail,
                self.declared_at.clone(),
            ));
            return self.unknown_at(path);
        }
        match &attribute.default {
            Some(default) => {
                let default = Value::from_json(default);
                convert(default.clone(), &type_of(attribute)).unwrap_or(default)
            }
            None if attribute.computed => self.unknown_at(path),
            None => Value::Null,
        }
    }

    /// Some attributes that hold objects may be written as blocks too:
    /// <https://developer.hashicorp.com/terraform/language/attr-as-blocks>.
    fn blocks_as_attribute(
        &self,
        scope: Scope<'_>,
        blocks: Occurrences,
        attribute: &Attribute,
        path: &AttributePath,
    ) -> Value {
        if let Some(cause) = blocks.unknown {
            return unknown("dynamic", vec![cause]);
        }
        let objects = Value::List(blocks.objects.into_iter().map(|(_, object)| object).collect());
        convert(objects, &type_of(attribute)).unwrap_or_else(|message| {
            let detail = format!("Inappropriate value for attribute \"{path}\": {message}.");
            scope.shared.report(Diagnostic::error(
                "Incorrect attribute value type",
                detail,
                self.declared_at.clone(),
            ));
            self.unknown_at(path)
        })
    }

    fn nested_blocks(
        &self,
        scope: Scope<'_>,
        body: &Body,
        schema: &Schema,
        path: &AttributePath,
    ) -> BTreeMap<String, Occurrences> {
        let mut found: BTreeMap<String, Occurrences> = BTreeMap::new();
        for block in &body.blocks {
            let kind = produced_kind(block);
            if let Some(nested) = schema.blocks.get(kind) {
                let occurrences = found.entry(kind.to_owned()).or_default();
                self.occurrences(scope, block, Inside::Block(nested), path, occurrences);
            } else if let Some(members) = schema.attributes.get(kind).and_then(object_members) {
                let occurrences = found.entry(kind.to_owned()).or_default();
                self.occurrences(scope, block, Inside::Attribute(&members), path, occurrences);
            }
        }
        found
    }

    fn occurrences(
        &self,
        scope: Scope<'_>,
        block: &Block,
        inside: Inside<'_>,
        path: &AttributePath,
        found: &mut Occurrences,
    ) {
        let kind = step(path, PathStep::Attribute(produced_kind(block).to_owned()));
        let outcome = scope.each_block(block, &mut |scope, body, label| {
            let object = match inside {
                Inside::Block(nested) => {
                    let path = match nested.nesting {
                        Nesting::Single => kind.clone(),
                        Nesting::Map => step(&kind, PathStep::Key(label.clone().unwrap_or_default())),
                        Nesting::List | Nesting::Set => step(&kind, PathStep::Index(found.objects.len())),
                    };
                    self.block(scope, body, &nested.block, &path)
                }
                Inside::Attribute(members) => members_of(scope, body, members),
            };
            found.objects.push((label, Value::Object(object)));
        });
        if let Err(cause) = outcome {
            found.unknown = Some(cause.unwrap_or_else(|| self.unknown_at(&kind)));
        }
    }

    /// The nested blocks of one type as the value of an attribute.
    fn combine(
        &self,
        scope: Scope<'_>,
        kind: &str,
        found: Occurrences,
        nested: &NestedBlock,
        path: &AttributePath,
    ) -> Value {
        if let Some(cause) = found.unknown {
            return unknown("dynamic", vec![cause]);
        }
        self.check_number(scope, kind, found.objects.len(), nested);
        if found.objects.is_empty() && nested.computed {
            return self.unknown_at(path);
        }
        let mut values = found.objects.into_iter();
        match nested.nesting {
            Nesting::Single => values.next().map_or(Value::Null, |(_, value)| value),
            Nesting::List => Value::List(values.map(|(_, value)| value).collect()),
            Nesting::Set => Value::set(values.map(|(_, value)| value)),
            Nesting::Map => Value::Object(
                values
                    .map(|(label, value)| (label.unwrap_or_default(), value))
                    .collect(),
            ),
        }
    }

    fn check_number(&self, scope: Scope<'_>, kind: &str, number: usize, nested: &NestedBlock) {
        let most = if nested.nesting == Nesting::Single {
            1
        } else {
            nested.max_items
        };
        let (summary, detail) = if number < nested.min_items {
            (
                "Insufficient blocks",
                format!("At least {} \"{kind}\" blocks are required.", nested.min_items),
            )
        } else if most > 0 && number > most {
            (
                "Too many blocks",
                format!("No more than {most} \"{kind}\" blocks are allowed."),
            )
        } else {
            return;
        };
        scope
            .shared
            .report(Diagnostic::error(summary, detail, self.declared_at.clone()));
    }

    fn unknown_at(&self, path: &AttributePath) -> Value {
        Value::Unknown(Box::new(Unknown::Attribute {
            of: self.address.clone(),
            path: path.clone(),
        }))
    }
}

/// A value in the attribute's type.
fn suitable(scope: Scope<'_>, value: Value, argument: &Argument, attribute: &Attribute) -> Result<Value, Poisoned> {
    convert(value, &type_of(attribute)).map_err(|message| {
        let detail = format!("Inappropriate value for attribute \"{}\": {message}.", argument.name);
        scope.shared.report(Diagnostic::error(
            "Incorrect attribute value type",
            detail,
            argument.value.span(),
        ))
    })
}

/// What a nested block holds.
#[derive(Clone, Copy)]
enum Inside<'s> {
    Block(&'s NestedBlock),
    /// The members of an attribute's objects.
    Attribute(&'s [String]),
}

/// An object of an attribute that is written as a block: what is not written is null.
fn members_of(scope: Scope<'_>, body: &Body, members: &[String]) -> Object {
    for argument in body
        .arguments
        .iter()
        .filter(|argument| !members.contains(&argument.name))
    {
        let diagnostic = unsupported_argument(&argument.name, members.iter().map(String::as_str));
        scope.shared.report(diagnostic.at(&argument.name_span));
    }
    let value = |name: &String| {
        body.argument(name)
            .and_then(|argument| scope.evaluate(&argument.value).ok())
    };
    members
        .iter()
        .map(|name| (name.clone(), value(name).unwrap_or(Value::Null)))
        .collect()
}

/// The members of an attribute's objects, where it is a list or a set of objects.
fn object_members(attribute: &Attribute) -> Option<Vec<String>> {
    match type_of(attribute) {
        Type::List(element) | Type::Set(element) => match *element {
            Type::Object(members) => Some(members.into_keys().collect()),
            _ => None,
        },
        _ => None,
    }
}

fn report_undeclared(scope: &Scope<'_>, body: &Body, schema: &Schema) {
    for argument in body
        .arguments
        .iter()
        .filter(|argument| !schema.attributes.contains_key(&argument.name))
    {
        let diagnostic = unsupported_argument(&argument.name, schema.attributes.keys().map(String::as_str));
        let diagnostic = if schema.blocks.contains_key(&argument.name) {
            diagnostic.with_help(format!("Did you mean to define a block of type \"{}\"?", argument.name))
        } else {
            diagnostic
        };
        scope.shared.report(diagnostic.at(&argument.name_span));
    }
    for block in &body.blocks {
        let kind = produced_kind(block);
        let as_attribute = schema.attributes.get(kind);
        if schema.blocks.contains_key(kind) || as_attribute.and_then(object_members).is_some() {
            continue;
        }
        let diagnostic = unsupported_block(kind, schema.blocks.keys().map(String::as_str));
        let diagnostic = if as_attribute.is_some() {
            diagnostic.with_help(format!(
                "Did you mean to define argument \"{kind}\"? If so, use the equals sign to assign it a value."
            ))
        } else {
            diagnostic
        };
        scope.shared.report(diagnostic.at(&block.header));
    }
}

/// The attribute's type; one the schema spells wrongly accepts anything.
fn type_of(attribute: &Attribute) -> Type {
    Type::from_json(&attribute.ty).unwrap_or(Type::Any)
}

fn step(path: &AttributePath, step: PathStep) -> AttributePath {
    let mut steps = path.0.clone();
    steps.push(step);
    AttributePath(steps)
}
