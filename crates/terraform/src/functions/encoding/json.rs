//! JSON byte for byte as Terraform writes it: sorted members, no spaces, and Go's escapes that are safe inside HTML.

use std::fmt::Write as _;

use crate::Value;

/// The value as JSON.
pub(in crate::functions) fn encoded(value: &Value) -> String {
    let mut output = String::new();
    write_value(&mut output, value);
    output
}

/// The text as a JSON string.
pub(in crate::functions) fn quoted(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 2);
    write_string(&mut output, text);
    output
}

/// The value a JSON document stands for, or why it is none.
pub(in crate::functions) fn decoded(text: &str) -> Result<Value, String> {
    let document: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        if text.trim().is_empty() {
            "EOF".to_owned()
        } else {
            error.to_string()
        }
    })?;
    Ok(Value::from_json(&document))
}

fn write_value(output: &mut String, value: &Value) {
    match value {
        Value::Null => output.push_str("null"),
        Value::Bool(truth) => output.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => output.push_str(&number.to_string()),
        Value::String(text) => write_string(output, text),
        Value::List(elements) | Value::Set(elements) => {
            output.push('[');
            for (position, element) in elements.iter().enumerate() {
                output.push_str(if position == 0 { "" } else { "," });
                write_value(output, element);
            }
            output.push(']');
        }
        Value::Object(members) => {
            output.push('{');
            for (position, (name, member)) in members.iter().enumerate() {
                output.push_str(if position == 0 { "" } else { "," });
                write_string(output, name);
                output.push(':');
                write_value(output, member);
            }
            output.push('}');
        }
        Value::Sensitive(_) | Value::Unknown(_) => unreachable!("functions that encode see plain data only"),
    }
}

fn write_string(output: &mut String, text: &str) {
    output.push('"');
    for character in text.chars() {
        match character {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(output, "\\u{:04x}", u32::from(character)).expect("writing to a string cannot fail");
            }
            plain => output.push(plain),
        }
    }
    output.push('"');
}
