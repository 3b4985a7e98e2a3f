//! Regular expressions in Go's dialect: <https://github.com/google/re2/wiki/Syntax>.

use regex::{Captures, Regex, RegexBuilder};

use super::{Answer, Call, Failure, text};
use crate::{Object, Value};

pub(super) fn regex(call: &mut Call<'_>) -> Answer {
    let pattern = compile(call.text(0)).map_err(|phrase| Failure::at(0, phrase))?;
    let found = pattern.captures(call.text(1));
    let found = found.ok_or_else(|| Failure::new("pattern did not match any part of the given string"))?;
    Ok(captured(&pattern, &found))
}

pub(super) fn regex_all(call: &mut Call<'_>) -> Answer {
    let pattern = compile(call.text(0)).map_err(|phrase| Failure::at(0, phrase))?;
    let found = pattern.captures_iter(call.text(1));
    Ok(Value::List(found.map(|found| captured(&pattern, &found)).collect()))
}

/// What is sought is a regular expression if it stands between slashes.
pub(super) fn replace(call: &mut Call<'_>) -> Answer {
    let (given, sought, replacement) = (call.text(0), call.text(1), call.text(2));
    match sought.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(pattern) => {
            let pattern = build(pattern).map_err(|phrase| Failure::new(format!("error parsing regexp: {phrase}")))?;
            text(pattern.replace_all(given, replacement))
        }
        None => text(given.replace(sought, replacement)),
    }
}

/// The groups by name or in order, the whole match where there are none.
fn captured(pattern: &Regex, found: &Captures<'_>) -> Value {
    let group = |index: usize| {
        found
            .get(index)
            .map_or(Value::Null, |text| Value::String(text.as_str().to_owned()))
    };
    if pattern.captures_len() == 1 {
        return group(0);
    }
    let names: Option<Vec<&str>> = pattern.capture_names().skip(1).collect();
    match names {
        Some(names) => {
            let member = |(index, name): (usize, &str)| (name.to_owned(), group(index + 1));
            Value::Object(names.into_iter().enumerate().map(member).collect::<Object>())
        }
        None => Value::List((1..pattern.captures_len()).map(group).collect()),
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let compiled = build(pattern).map_err(|phrase| format!("invalid regexp pattern: {phrase}"))?;
    let named = compiled.capture_names().skip(1).flatten().count();
    if named != 0 && named != compiled.captures_len() - 1 {
        return Err("invalid regexp pattern: cannot mix both named and unnamed capture groups".into());
    }
    Ok(compiled)
}

fn build(pattern: &str) -> Result<Regex, String> {
    const LARGEST: usize = 1 << 20;
    let built = RegexBuilder::new(&translated(pattern)).size_limit(LARGEST).build();
    built.map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        reason.trim().trim_start_matches("error: ").to_owned()
    })
}

/// The pattern in the dialect of the `regex` crate: in Go, `\d`, `\w`, `\s` and `\b` mean ASCII, and a class has no inner classes or operators.
fn translated(pattern: &str) -> String {
    let mut output = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => output.push_str(&escape(characters.next(), in_class)),
            '[' if !in_class => {
                in_class = true;
                output.push('[');
                // A closing bracket right at the beginning is an ordinary character in both dialects.
                if characters.next_if_eq(&'^').is_some() {
                    output.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    output.push_str("\\]");
                }
            }
            '[' if characters.peek() != Some(&':') => output.push_str("\\["),
            '[' => {
                output.push('[');
                posix_class(&mut characters, &mut output);
            }
            ']' if in_class => {
                in_class = false;
                output.push(']');
            }
            '&' | '~' if in_class => output.extend(['\\', character]),
            plain => output.push(plain),
        }
    }
    output
}

/// `:alpha:]`
fn posix_class(characters: &mut impl Iterator<Item = char>, output: &mut String) {
    for character in characters {
        output.push(character);
        if character == ']' {
            return;
        }
    }
}

fn escape(escaped: Option<char>, in_class: bool) -> String {
    match escaped {
        Some('d') => "[0-9]".into(),
        Some('D') => "[^0-9]".into(),
        Some('w') => "[0-9A-Za-z_]".into(),
        Some('W') => "[^0-9A-Za-z_]".into(),
        Some('s') => "[\\t\\n\\f\\r ]".into(),
        Some('S') => "[^\\t\\n\\f\\r ]".into(),
        Some('b') if !in_class => "(?-u:\\b)".into(),
        Some(other) => format!("\\{other}"),
        None => "\\".into(),
    }
}
