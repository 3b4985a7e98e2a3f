//! A stack's resources as JSON in which nothing is hidden: what is not known before apply reads as it would be written, `${aws_lb.main.arn}`, and
//! a document that is being encoded is the document itself.

use std::collections::BTreeMap;

use karma_terraform::{Mode, Object, Stack, Unknown, Value};
use serde_json::{Map, Value as Json};

/// The resources of one type by address.
pub fn resources(stack: &Stack, kind: &str) -> BTreeMap<String, Json> {
    all(stack)
        .filter(|(address, _, _)| address.mode == Mode::Managed && address.kind == kind)
        .map(|(_, text, attributes)| (text, attributes))
        .collect()
}

/// Every managed resource and every data source by address.
pub fn everything(stack: &Stack) -> BTreeMap<String, Json> {
    all(stack).map(|(_, text, attributes)| (text, attributes)).collect()
}

/// The JSON document in an attribute, whether it was known or still being encoded.
pub fn document(value: &Json) -> Json {
    match value {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
        document => document.clone(),
    }
}

fn all(stack: &Stack) -> impl Iterator<Item = (&karma_terraform::Address, String, Json)> {
    stack.resources.values().map(|resource| {
        let attributes = object(&resource.attributes);
        (&resource.address, resource.address.to_string(), attributes)
    })
}

fn object(members: &Object) -> Json {
    let readable: Map<String, Json> = members
        .iter()
        .map(|(name, value)| (name.clone(), json(value)))
        .collect();
    Json::Object(readable)
}

fn json(value: &Value) -> Json {
    match value {
        Value::List(elements) | Value::Set(elements) => elements.iter().map(json).collect(),
        Value::Object(members) => object(members),
        Value::Sensitive(inner) => json(inner),
        Value::Unknown(unknown) => unknown_json(unknown),
        known => known.to_json().expect("it has no unknown in it"),
    }
}

fn unknown_json(unknown: &Unknown) -> Json {
    match unknown {
        Unknown::Attribute { of, path } => format!("${{{of}.{path}}}").into(),
        Unknown::Variable(name) => format!("${{var.{name}}}").into(),
        Unknown::Template(parts) => parts.iter().map(|part| text(&json(part))).collect::<String>().into(),
        Unknown::Call { function, arguments } => call(function, arguments),
    }
}

/// Encoded and converted values read as what they were before.
fn call(function: &str, arguments: &[Value]) -> Json {
    if let ("jsonencode" | "toset" | "tomap" | "tolist" | "tostring", [argument]) = (function, arguments) {
        return json(argument);
    }
    let arguments: Vec<String> = arguments.iter().map(|argument| text(&json(argument))).collect();
    format!("${{{function}({})}}", arguments.join(", ")).into()
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
