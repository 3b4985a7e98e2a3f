//! Stacks in a few lines: resources as JSON, in which `"${aws_lb.main.arn}"` is an attribute not known before apply.

use std::sync::Arc;

use karma_fleet::Fleet;
use karma_terraform::{
    Address, AttributePath, Diagnostic, InstanceKey, Mode, Object, PathStep, ResourceInstance, Severity, Span, Stack,
    Unknown, Value,
};
use serde_json::Value as Json;

/// Reads a stack that has nothing to complain about.
pub(crate) fn fleet(resources: &[(&str, Json)]) -> Fleet {
    let (fleet, complaints) = read(resources);
    assert!(complaints.is_empty(), "{complaints:#?}");
    fleet
}

/// Reads a stack; the diagnostics come as `severity @argument: summary: detail`.
pub(crate) fn read(resources: &[(&str, Json)]) -> (Fleet, Vec<String>) {
    let (fleet, diagnostics) = Fleet::from_stack(&stack(resources));
    (fleet, diagnostics.iter().map(line).collect())
}

/// Asserts that the only complaint contains all of these words.
pub(crate) fn check_complaint(resources: &[(&str, Json)], words: &[&str]) {
    let (_, complaints) = read(resources);
    let [complaint] = complaints.as_slice() else {
        panic!("one complaint was expected: {complaints:#?}");
    };
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

pub(crate) fn address(text: &str) -> Address {
    let (text, mode) = match text.strip_prefix("data.") {
        Some(rest) => (rest, Mode::Data),
        None => (text, Mode::Managed),
    };
    let (kind, name) = text.split_once('.').expect("an address has a type and a name");
    let (name, key) = match name.split_once('[') {
        Some((name, key)) => (name, Some(instance_key(key.trim_end_matches(']')))),
        None => (name, None),
    };
    Address {
        module: Vec::new(),
        mode,
        kind: kind.to_owned(),
        name: name.to_owned(),
        key,
    }
}

fn stack(resources: &[(&str, Json)]) -> Stack {
    let instances = resources.iter().map(|(name, attributes)| {
        let address = address(name);
        (address.clone(), instance(address, attributes))
    });
    Stack {
        resources: instances.collect(),
        ..Stack::default()
    }
}

/// Each argument's span names it, so that a test can tell where a diagnostic points.
fn instance(address: Address, attributes: &Json) -> ResourceInstance {
    let Value::Object(attributes) = value(attributes) else {
        panic!("attributes are an object");
    };
    ResourceInstance {
        declared_at: span(&address.to_string()),
        argument_spans: attributes.keys().map(|name| (name.clone(), span(name))).collect(),
        address,
        attributes,
    }
}

fn span(file: &str) -> Span {
    Span {
        file: Arc::from(file),
        start: 0,
        end: 0,
    }
}

fn line(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = diagnostic.span.as_ref().map_or("", |span| &span.file);
    format!("{severity} @{place}: {}: {}", diagnostic.summary, diagnostic.detail)
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(number.as_i64().expect("whole numbers only").into()),
        Json::String(text) => template(text),
        Json::Array(elements) => Value::List(elements.iter().map(value).collect()),
        Json::Object(members) => object(members),
    }
}

/// `{"jsonencode": …}` and `{"sensitive": …}` are not objects but what their names say.
fn object(members: &serde_json::Map<String, Json>) -> Value {
    if let Some(argument) = members.get("jsonencode") {
        return unknown(Unknown::Call {
            function: "jsonencode",
            arguments: vec![value(argument)],
        });
    }
    match members.get("sensitive") {
        Some(secret) => value(secret).sensitive(),
        None => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), value(member)))
                .collect::<Object>(),
        ),
    }
}

fn template(text: &str) -> Value {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, behind) = after.split_once('}').expect("a closing brace");
        parts.extend((!before.is_empty()).then(|| Value::String(before.to_owned())));
        parts.push(attribute(reference));
        rest = behind;
    }
    if parts.is_empty() || !rest.is_empty() {
        parts.push(Value::String(rest.to_owned()));
    }
    match <[Value; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => unknown(Unknown::Template(parts)),
    }
}

fn attribute(reference: &str) -> Value {
    let (of, name) = reference.rsplit_once('.').expect("a reference ends with an attribute");
    let path = AttributePath(vec![PathStep::Attribute(name.to_owned())]);
    unknown(Unknown::Attribute { of: address(of), path })
}

fn unknown(unknown: Unknown) -> Value {
    Value::Unknown(Box::new(unknown))
}

fn instance_key(text: &str) -> InstanceKey {
    match text.parse() {
        Ok(index) => InstanceKey::Index(index),
        Err(_) => InstanceKey::Key(text.trim_matches('"').to_owned()),
    }
}
