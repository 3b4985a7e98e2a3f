//! `container_definitions` of `aws_ecs_task_definition`: read into the API's shape, sorted, and written back.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/ecs_task_definition#container_definitions-1>

use karma_terraform::{Number, Object, Value};

use super::container_shape::{CONTAINER, Shape};
use crate::provider::go_json;

/// Rewrites the definitions where they are known. Where an image or a secret is not, the whole text is unknown and stays so.
pub(super) fn normalise(attributes: &mut Object) -> Result<(), String> {
    attributes.get_mut("container_definitions").map_or(Ok(()), rewrite)
}

fn rewrite(definitions: &mut Value) -> Result<(), String> {
    match definitions {
        Value::String(text) => {
            *text = normalised(text)
                .map_err(|reason| format!("container_definitions is not what ECS expects: {reason}."))?;
            Ok(())
        }
        Value::Sensitive(inner) => rewrite(inner),
        _ => Ok(()),
    }
}

fn normalised(text: &str) -> Result<String, String> {
    let written = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut definitions = read(&Value::from_json(&written), &Shape::List(&CONTAINER), "")?;
    if let Value::List(containers) = &mut definitions {
        sort_by_name(containers);
        containers.iter_mut().filter_map(as_members).for_each(tidy);
    }
    Ok(go_json::compact(&definitions.to_json()))
}

/// Variables and secrets are sorted, those without a name are lost, and no CPU reserved is nothing said about it.
fn tidy(container: &mut Object) {
    for list in ["environment", "secrets"] {
        if let Some(Value::List(entries)) = container.get_mut(list) {
            entries.retain(|entry| name(entry).is_some());
            sort_by_name(entries);
        }
    }
    if container.get("cpu").and_then(Value::as_number) == Some(Number::from(0)) {
        container.remove("cpu");
    }
}

fn sort_by_name(entries: &mut [Value]) {
    entries.sort_by(|a, b| name(a).cmp(&name(b)));
}

fn name(entry: &Value) -> Option<&str> {
    entry.as_object()?.get("name")?.as_str()
}

fn as_members(value: &mut Value) -> Option<&mut Object> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads what is written at `path` as `shape`; null is nothing said.
fn read(written: &Value, shape: &Shape, path: &str) -> Result<Value, String> {
    match (shape, written) {
        (_, Value::Null) | (Shape::Text, Value::String(_)) | (Shape::Truth, Value::Bool(_)) => Ok(written.clone()),
        (Shape::Integer, Value::Number(number))
            if number.as_i128().is_some_and(|whole| i32::try_from(whole).is_ok()) =>
        {
            Ok(written.clone())
        }
        (Shape::List(element), Value::List(elements)) => (0..)
            .zip(elements)
            .map(|(index, written)| read(written, element, &format!("{path}[{index}]")))
            .collect::<Result<_, String>>()
            .map(Value::List),
        (Shape::Texts, Value::Object(members)) => read_members(members, path, |name| Some((name, &Shape::Text))),
        (Shape::Structure(known), Value::Object(members)) => read_members(members, path, |name| member(known, name)),
        _ => Err(format!(
            "{} must be {}",
            if path.is_empty() { "it" } else { path },
            expected(shape)
        )),
    }
}

fn read_members<'a>(
    members: &'a Object,
    path: &str,
    known: impl Fn(&'a str) -> Option<(&'a str, &'a Shape)>,
) -> Result<Value, String> {
    let mut kept = Object::new();
    for (written_name, written) in members {
        let Some((name, shape)) = known(written_name) else {
            continue;
        };
        let value = read(written, shape, &format!("{path}.{name}"))?;
        if !value.is_null() {
            kept.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(kept))
}

/// Go's JSON reader does not mind upper and lower case in names.
fn member<'a>(known: &'static [(&'static str, Shape)], written: &str) -> Option<(&'a str, &'a Shape)> {
    known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(written))
        .map(|(name, shape)| (*name, shape))
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "a string",
        Shape::Integer => "a whole number",
        Shape::Truth => "true or false",
        Shape::Texts => "an object of strings",
        Shape::List(_) => "a list",
        Shape::Structure(_) => "an object",
    }
}
