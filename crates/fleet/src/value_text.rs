//! Values in words, for diagnostics and for people. A sensitive value never shows.

use std::borrow::Cow;

use karma_terraform::{Unknown, Value};

const SENSITIVE: &str = "(sensitive value)";

/// What a value is, as a diagnostic names it: `"abc"`, `a list`, `aws_lb.main.arn`.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("`{number}`"),
        Value::String(text) => format!("{:?}", shortened(text)),
        Value::List(_) | Value::Set(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Unknown(unknown) => format!("`{}`", unknown_text(unknown)),
        Value::Sensitive(_) => SENSITIVE.to_owned(),
    }
}

/// The beginning of a text, so that a diagnostic stays one: a whole JSON document can stand here.
fn shortened(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// What a value is made of, as one would write it in a template: `http://${aws_lb.main.dns_name}/x`; an unknown that stands alone is
/// `aws_lb.main.dns_name`.
pub(crate) fn made_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::List(_) | Value::Set(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::Unknown(unknown) => unknown_text(unknown),
        Value::Sensitive(_) => SENSITIVE.to_owned(),
    }
}

fn unknown_text(unknown: &Unknown) -> String {
    match unknown {
        Unknown::Attribute { of, path } => format!("{of}.{path}"),
        Unknown::Template(parts) => parts.iter().map(part_text).collect(),
        Unknown::Call { function, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(made_of).collect();
            format!("{function}({})", arguments.join(", "))
        }
        Unknown::Variable(name) => format!("var.{name}"),
    }
}

fn part_text(part: &Value) -> String {
    match part {
        Value::Unknown(_) => format!("${{{}}}", made_of(part)),
        known => made_of(known),
    }
}
