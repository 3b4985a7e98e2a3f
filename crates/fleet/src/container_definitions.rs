//! `container_definitions` of a task definition: a JSON text in one argument, whatever way it was put together.
//!
//! Terraform knows the text only where it knows all of it; one repository URL makes it unknown as a whole. What it is made of is still
//! there, so three forms are read: known text, `jsonencode(…)` around a list with unknowns in it, and a template around unknowns.

use std::borrow::Cow;

use karma_terraform::{Object, Unknown, Value};

use crate::attributes::{Attributes, Read, Reported};
use crate::value_text::describe;

/// The argument's name.
pub(crate) const ARGUMENT: &str = "container_definitions";

/// Reads each definition with `read`. Each is tried, so that all that is wrong is reported.
pub(crate) fn read<T>(from: &Attributes<'_>, read: impl Fn(&Attributes<'_>) -> Read<T>) -> Read<Vec<T>> {
    let value = from.value_of(ARGUMENT)?;
    let definitions = definitions(value);
    let elements = definitions.as_deref().and_then(Value::as_elements);
    let elements = elements.ok_or_else(|| {
        invalid(
            from,
            &format!("a JSON list is expected, but there is {}", describe(value)),
        )
    })?;
    let read_one = |(index, element): (usize, &Value)| match element.as_object() {
        Some(members) => read(&from.within(ARGUMENT, index, members)),
        None => Err(invalid(
            from,
            &format!("an object is expected at {index}, but there is {}", describe(element)),
        )),
    };
    let containers: Vec<Read<T>> = elements.iter().enumerate().map(read_one).collect();
    containers.into_iter().collect()
}

/// Reports what is wrong with the definitions.
pub(crate) fn invalid(from: &Attributes<'_>, problem: &str) -> Reported {
    let detail = format!("In {}, {problem}.", from.called(ARGUMENT));
    from.error(ARGUMENT, "Invalid container definitions", detail)
}

/// The definitions that a value of the argument stands for.
pub(crate) fn definitions(value: &Value) -> Option<Cow<'_, Value>> {
    if let Some(encoded) = encoded(value) {
        return Some(Cow::Borrowed(encoded));
    }
    let parsed = match value.unmarked() {
        Value::String(text) => parse(text)?,
        Value::Unknown(unknown) => match unknown.as_ref() {
            Unknown::Template(parts) => from_template(parts)?,
            _ => return None,
        },
        _ => return None,
    };
    Some(Cow::Owned(if value.contains_sensitive() {
        all_sensitive(parsed)
    } else {
        parsed
    }))
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(|json| Value::from_json(&json))
}

/// The argument of `jsonencode`.
fn encoded(value: &Value) -> Option<&Value> {
    match value.as_unknown()? {
        Unknown::Call {
            function: "jsonencode",
            arguments,
        } => arguments.first(),
        _ => None,
    }
}

/// Marks each text in a value, so that no part of a secret definition shows in a diagnostic.
fn all_sensitive(value: Value) -> Value {
    map_texts(value, &|text| Value::String(text).sensitive())
}

/// Encloses the number of an unknown part while the text around it is parsed; JSON from a human hand has no private-use characters.
const MARK: char = '\u{F8FF}';

/// Parses `[{"image": "${…}:1.0"}]` with a mark in place of each unknown part, and puts the parts back.
fn from_template(parts: &[Value]) -> Option<Value> {
    let text: String = parts
        .iter()
        .enumerate()
        .map(|(index, part)| marked_text(index, part))
        .collect();
    Some(map_texts(parse(&text)?, &|text| unmark(&text, parts)))
}

/// `jsonencode(…)` stands for a whole JSON value, anything else for a part of a text.
fn marked_text(index: usize, part: &Value) -> String {
    match part.as_str() {
        Some(known) => known.to_owned(),
        None if encoded(part).is_some() => format!("\"{MARK}{index}{MARK}\""),
        None => format!("{MARK}{index}{MARK}"),
    }
}

fn unmark(text: &str, parts: &[Value]) -> Value {
    let pieces: Vec<Value> = text
        .split(MARK)
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(position, piece)| {
            let part = if position % 2 == 1 {
                piece.parse().ok().and_then(|index: usize| parts.get(index))
            } else {
                None
            };
            part.map_or_else(
                || Value::String(piece.to_owned()),
                |part| encoded(part).unwrap_or(part).clone(),
            )
        })
        .collect();
    match <[Value; 1]>::try_from(pieces) {
        Ok([whole]) => whole,
        Err(none) if none.is_empty() => Value::String(String::new()),
        Err(pieces) => Value::Unknown(Box::new(Unknown::Template(pieces))),
    }
}

fn map_texts(value: Value, change: &impl Fn(String) -> Value) -> Value {
    match value {
        Value::String(text) => change(text),
        Value::List(elements) => Value::List(elements.into_iter().map(|element| map_texts(element, change)).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, member)| (name, map_texts(member, change)))
                .collect::<Object>(),
        ),
        other => other,
    }
}
