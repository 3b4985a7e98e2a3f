//! `count` and `for_each`: how many instances a block stands for.

use super::scope::{Poisoned, Scope};
use crate::module::{Expression, Repeat};
use crate::types::{Type, convert};
use crate::{Diagnostic, InstanceKey, Unknown, Value};

/// What `count` and `each` mean inside one instance.
#[derive(Debug, Clone)]
pub(crate) enum Repetition {
    Once,
    /// `count.index`
    Count(usize),
    /// `each.key` and `each.value`
    Each {
        key: String,
        value: Value,
    },
}

/// How the instances of a block are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Numbered,
    Keyed,
}

/// The instances of a block, before they are evaluated.
pub(crate) struct Expansion {
    pub(crate) shape: Shape,
    pub(crate) repetitions: Vec<Repetition>,
}

/// More instances than anybody wants; a slip of the finger should not eat the memory.
const MOST_INSTANCES: usize = 10_000;

impl Repetition {
    /// The key of the instance.
    pub(crate) fn key(&self) -> Option<InstanceKey> {
        match self {
            Self::Once => None,
            Self::Count(index) => Some(InstanceKey::Index(*index)),
            Self::Each { key, .. } => Some(InstanceKey::Key(key.clone())),
        }
    }
}

impl Shape {
    /// The values of all instances as a reference to the block sees them: one value, a list or a map.
    pub(crate) fn combine(self, values: Vec<(Option<InstanceKey>, Value)>) -> Value {
        match self {
            Self::One => values.into_iter().next().map_or(Value::Null, |(_, value)| value),
            Self::Numbered => Value::List(values.into_iter().map(|(_, value)| value).collect()),
            Self::Keyed => {
                let members = values.into_iter().filter_map(|(key, value)| match key {
                    Some(InstanceKey::Key(key)) => Some((key, value)),
                    _ => None,
                });
                Value::Object(members.collect())
            }
        }
    }
}

impl Scope<'_> {
    /// How many instances a block stands for.
    pub(super) fn expand(&self, repeat: &Repeat) -> Result<Expansion, Poisoned> {
        match repeat {
            Repeat::Once => Ok(Expansion {
                shape: Shape::One,
                repetitions: vec![Repetition::Once],
            }),
            Repeat::Count(expression) => self.count_argument(expression),
            Repeat::ForEach(expression) => self.for_each_argument(expression),
        }
    }

    fn count_argument(&self, expression: &Expression) -> Result<Expansion, Poisoned> {
        const SUMMARY: &str = "Invalid count argument";
        let value = self.evaluate(expression)?;
        let fail = |detail: String| {
            self.shared
                .report(Diagnostic::error(SUMMARY, detail, expression.span()))
        };
        if value.contains_sensitive() {
            return Err(fail("Sensitive values, or values derived from sensitive values, cannot be used as count arguments. If used, the sensitive value could be exposed as a resource instance key.".into()));
        }
        if value.is_null() {
            return Err(fail(
                "The given \"count\" argument value is null. An integer is required.".into(),
            ));
        }
        if let Some(unknown) = value.as_unknown() {
            let detail = format!(
                "The \"count\" value depends on resource attributes that cannot be determined until apply{}, so nobody can predict how many instances will be created.",
                blame(unknown)
            );
            return Err(fail(detail));
        }
        let unsuitable = |reason: &str| fail(format!("The given \"count\" argument value is unsuitable: {reason}."));
        let number = convert(value, &Type::Number).map_err(|message| unsuitable(&message))?;
        let whole = number.as_number().and_then(|number| number.as_i128());
        let whole = whole.ok_or_else(|| unsuitable("it must be a whole number"))?;
        let count = usize::try_from(whole).map_err(|_| unsuitable("it must be greater than or equal to zero"))?;
        if count > MOST_INSTANCES {
            return Err(unsuitable(&format!(
                "{count} instances are more than are evaluated here ({MOST_INSTANCES})"
            )));
        }
        Ok(Expansion {
            shape: Shape::Numbered,
            repetitions: (0..count).map(Repetition::Count).collect(),
        })
    }

    fn for_each_argument(&self, expression: &Expression) -> Result<Expansion, Poisoned> {
        let value = self.evaluate(expression)?;
        let fail = |detail: String| {
            self.shared.report(Diagnostic::error(
                "Invalid for_each argument",
                detail,
                expression.span(),
            ))
        };
        if value.is_sensitive() {
            return Err(fail("Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, the sensitive value could be exposed as a resource instance key.".into()));
        }
        let repetitions = match value {
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| Repetition::Each { key, value })
                .collect(),
            Value::Set(elements) => self.set_elements(elements, expression)?,
            Value::Unknown(unknown) => return Err(fail(undetermined(&unknown))),
            Value::Null => {
                return Err(fail(
                    "The given \"for_each\" argument value is null. A map, or set of strings is allowed.".into(),
                ));
            }
            // `toset([])` and `[]` look alike, and so do `{}` and an empty object.
            other => {
                let detail = format!(
                    "The given \"for_each\" argument value is unsuitable: the \"for_each\" argument must be a map, or set of strings, and you have provided a value of type {}.",
                    other.type_name()
                );
                let diagnostic = Diagnostic::error("Invalid for_each argument", detail, expression.span());
                let help =
                    matches!(other, Value::List(_)).then(|| "A list of strings becomes a set with toset().".to_owned());
                return Err(self.shared.report(diagnostic.with_suggestion(help)));
            }
        };
        Ok(Expansion {
            shape: Shape::Keyed,
            repetitions,
        })
    }

    fn set_elements(&self, elements: Vec<Value>, expression: &Expression) -> Result<Vec<Repetition>, Poisoned> {
        let element = |value: Value| match value.as_unknown() {
            Some(unknown) => Err(self.shared.report(Diagnostic::error(
                "Invalid for_each argument",
                undetermined(unknown),
                expression.span(),
            ))),
            None => match value {
                Value::String(text) => Ok(Repetition::Each {
                    key: text.clone(),
                    value: Value::String(text),
                }),
                Value::Null => Err(self.unsuitable_element("null", expression)),
                other => Err(self.unsuitable_element(&other.type_name(), expression)),
            },
        };
        elements.into_iter().map(element).collect()
    }

    fn unsuitable_element(&self, ty: &str, expression: &Expression) -> Poisoned {
        let detail = format!(
            "The given \"for_each\" argument value is unsuitable: \"for_each\" supports maps and sets of strings, but you have provided a set containing type {ty}."
        );
        self.shared.report(Diagnostic::error(
            "Invalid for_each set argument",
            detail,
            expression.span(),
        ))
    }
}

fn undetermined(unknown: &Unknown) -> String {
    format!(
        "The \"for_each\" value includes keys derived from resource attributes that cannot be determined until apply{}, and so the full set of keys that will identify the instances cannot be determined.",
        blame(unknown)
    )
}

/// The first resource attribute an unknown comes from, to be put into a sentence: ` (aws_lb.main.arn)`.
fn blame(unknown: &Unknown) -> String {
    source_of(unknown)
        .map(|source| format!(" ({source})"))
        .unwrap_or_default()
}

fn source_of(unknown: &Unknown) -> Option<String> {
    match unknown {
        Unknown::Attribute { of, path } => Some(format!("{of}.{path}")),
        Unknown::Variable(name) => Some(format!("var.{name}")),
        Unknown::Template(parts) => parts.iter().find_map(source_in),
        Unknown::Call { arguments, .. } => arguments.iter().find_map(source_in),
    }
}

fn source_in(value: &Value) -> Option<String> {
    match value {
        Value::Unknown(unknown) => source_of(unknown),
        Value::Sensitive(inner) => source_in(inner),
        Value::List(elements) | Value::Set(elements) => elements.iter().find_map(source_in),
        Value::Object(members) => members.values().find_map(source_in),
        _ => None,
    }
}
