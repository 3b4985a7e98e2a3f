//! Text: `format`, `join`, `regex`, ...

mod format;
mod pattern;

use unicode_segmentation::UnicodeSegmentation as _;

use super::Shown::{Everywhere, Inside};
use super::{Answer, Call, Failure, Function, Parameter, any, number, string, strings};
use crate::{Unknown, Value};

const TEXT: &[Parameter] = &[string("str")];
const PATTERN: &[Parameter] = &[string("pattern"), string("string")];
const REPLACE: &[Parameter] = &[string("str"), string("substr"), string("replace")];
const SUBSTR: &[Parameter] = &[string("str"), number("offset"), number("length")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("chomp", TEXT, |call| text(call.text(0).trim_end_matches(['\r', '\n']))),
    Function::new("endswith", &[string("str"), string("suffix")], ends_with).unknowns(Everywhere),
    Function::new("format", &[string("format")], format::format).variadic(any("args").or_null()),
    Function::new("formatlist", &[string("format")], format::format_list)
        .variadic(any("args").or_null())
        .unknowns(Everywhere),
    Function::new("indent", &[number("spaces"), string("str")], indent),
    Function::new("join", &[string("separator")], join).variadic(strings("lists")),
    Function::new("lower", TEXT, |call| text(mapped(call.text(0), char::to_lowercase))),
    Function::new("regex", PATTERN, pattern::regex),
    Function::new("regexall", PATTERN, pattern::regex_all),
    Function::new("replace", REPLACE, pattern::replace),
    Function::new("split", &[string("separator"), string("str")], split),
    Function::new("startswith", &[string("str"), string("prefix")], starts_with).unknowns(Everywhere),
    Function::new("strcontains", &[string("str"), string("substr")], |call| {
        Ok(Value::Bool(call.text(0).contains(call.text(1))))
    }),
    Function::new("strrev", TEXT, |call| {
        text(call.text(0).graphemes(true).rev().collect::<String>())
    }),
    Function::new("substr", SUBSTR, substr),
    Function::new("templatestring", &[string("template"), any("vars")], template_string).unknowns(Inside),
    Function::new("title", TEXT, title),
    Function::new("trim", &[string("str"), string("cutset")], trim),
    Function::new("trimprefix", &[string("str"), string("prefix")], |call| {
        text(call.text(0).strip_prefix(call.text(1)).unwrap_or(call.text(0)))
    }),
    Function::new("trimspace", TEXT, |call| text(call.text(0).trim())),
    Function::new("trimsuffix", &[string("str"), string("suffix")], |call| {
        text(call.text(0).strip_suffix(call.text(1)).unwrap_or(call.text(0)))
    }),
    Function::new("upper", TEXT, |call| text(mapped(call.text(0), char::to_uppercase))),
];

fn text(text: impl Into<String>) -> Answer {
    Ok(Value::String(text.into()))
}

/// Character by character as in Go: where one would become several, it stays.
fn mapped<I: Iterator<Item = char>>(text: &str, convert: fn(char) -> I) -> String {
    let one = |character| {
        let mut converted = convert(character);
        match (converted.next(), converted.next()) {
            (Some(only), None) => only,
            // Go knows a single lower case for this one.
            _ if character == 'İ' => 'i',
            _ => character,
        }
    };
    text.chars().map(one).collect()
}

/// A template with a known beginning can already tell.
fn starts_with(call: &mut Call<'_>) -> Answer {
    let beginning = match call.arguments[0].as_unknown() {
        Some(Unknown::Template(parts)) => parts.first().and_then(Value::as_str),
        _ => None,
    };
    let verdict = match (call.arguments[0].as_str(), beginning, call.arguments[1].as_str()) {
        (Some(text), _, Some(prefix)) => Some(text.starts_with(prefix)),
        (None, Some(beginning), Some(prefix)) if beginning.starts_with(prefix) => Some(true),
        (None, Some(beginning), Some(prefix)) if !prefix.starts_with(beginning) => Some(false),
        _ => None,
    };
    Ok(verdict.map_or_else(|| call.unknown("startswith"), Value::Bool))
}

fn ends_with(call: &mut Call<'_>) -> Answer {
    let verdict = match (call.arguments[0].as_str(), call.arguments[1].as_str()) {
        (Some(text), Some(suffix)) => Some(text.ends_with(suffix)),
        _ => None,
    };
    Ok(verdict.map_or_else(|| call.unknown("endswith"), Value::Bool))
}

/// All lines but the first.
fn indent(call: &mut Call<'_>) -> Answer {
    const MOST: i64 = 100_000;
    let spaces = usize::try_from(call.whole(0)?.min(MOST));
    let spaces = spaces.map_err(|_| Failure::at(0, "the number of spaces must not be negative"))?;
    text(call.text(1).replace('\n', &format!("\n{}", " ".repeat(spaces))))
}

fn join(call: &mut Call<'_>) -> Answer {
    if call.arguments.len() < 2 {
        return Err(Failure::new("at least one list is required"));
    }
    let mut parts = Vec::new();
    for list in 1..call.arguments.len() {
        for (index, element) in call.elements(list).iter().enumerate() {
            let null = || Failure::at(list, format!("element {index} is null; cannot concatenate null values"));
            parts.push(element.as_str().ok_or_else(null)?);
        }
    }
    text(parts.join(call.text(0)))
}

fn split(call: &mut Call<'_>) -> Answer {
    let (separator, given) = (call.text(0), call.text(1));
    let parts: Vec<String> = match separator {
        "" => given.chars().map(String::from).collect(),
        _ => given.split(separator).map(str::to_owned).collect(),
    };
    Ok(Value::List(parts.into_iter().map(Value::String).collect()))
}

/// Counts what a reader sees as characters; a negative length is "to the end".
fn substr(call: &mut Call<'_>) -> Answer {
    let characters: Vec<&str> = call.text(0).graphemes(true).collect();
    let (offset, length) = (call.whole(1)?, call.whole(2)?);
    let count = i64::try_from(characters.len()).expect("no text is that long");
    let start = if offset < 0 {
        (count.saturating_add(offset)).max(0)
    } else {
        offset.min(count)
    };
    let end = if length < 0 {
        count
    } else {
        start.saturating_add(length).min(count)
    };
    let [start, end] = [start, end].map(|position| usize::try_from(position).expect("limited to the text"));
    text(characters[start..end].concat())
}

fn template_string(call: &mut Call<'_>) -> Answer {
    let Value::Object(variables) = call.take(1) else {
        return Err(Failure::at(1, "invalid vars value: must be a map"));
    };
    (call.environment.template)("<templatestring argument>", call.text(0), &variables).map_err(Failure::new)
}

/// The first letter of each word.
fn title(call: &mut Call<'_>) -> Answer {
    let mut inside_word = false;
    let one = |character: char| {
        let first = !inside_word;
        inside_word =
            character.is_alphanumeric() || character == '_' || (!character.is_ascii() && !character.is_whitespace());
        if first {
            mapped(&character.to_string(), char::to_uppercase)
        } else {
            character.to_string()
        }
    };
    text(call.text(0).chars().map(one).collect::<String>())
}

fn trim(call: &mut Call<'_>) -> Answer {
    text(call.text(0).trim_matches(|character| call.text(1).contains(character)))
}
