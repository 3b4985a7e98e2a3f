//! `format` and `formatlist`: <https://developer.hashicorp.com/terraform/language/functions/format>.

mod number;
mod specification;

use unicode_segmentation::UnicodeSegmentation as _;

use self::specification::{Piece, Specification};
use super::{Answer, Call, Failure};
use crate::Value;
use crate::functions::call::unknown_call;
use crate::functions::encoding::json;
use crate::types::{Type, convert};

pub(super) fn format(call: &mut Call<'_>) -> Answer {
    formatted(call.text(0), &call.arguments[1..]).map(Value::String)
}

/// One text for each element of the lists; what is no list is the same for all.
pub(super) fn format_list(call: &mut Call<'_>) -> Answer {
    let Some(length) = iterations(call)? else {
        return Ok(call.unknown("formatlist"));
    };
    let one = |index: usize| {
        let argument = |argument: &Value| match argument.as_elements() {
            Some(elements) => elements[index].clone(),
            None => argument.clone(),
        };
        let arguments: Vec<Value> = call.arguments.iter().map(argument).collect();
        if arguments.iter().any(Value::contains_unknown) {
            return Ok(unknown_call("format", arguments));
        }
        let text = formatted(call.text(0), &arguments[1..]);
        text.map(Value::String)
            .map_err(|failure| failure.within(&format!("error on format iteration {index}")))
    };
    Ok(Value::List((0..length).map(one).collect::<Result<_, _>>()?))
}

/// How many texts there will be; `None` where that is not known.
fn iterations(call: &Call<'_>) -> Result<Option<usize>, Failure> {
    let mut first: Option<(usize, usize)> = None;
    let mut unknown = call.arguments[0].is_unknown();
    for (position, argument) in call.arguments.iter().enumerate().skip(1) {
        unknown |= matches!(argument, Value::Set(_)) && argument.contains_unknown();
        let Some(length) = argument.as_elements().map(<[Value]>::len) else {
            continue;
        };
        match first {
            Some((earlier, expected)) if expected != length => {
                let phrase = format!(
                    "argument {position} has length {length}, which is inconsistent with argument {earlier} of length {expected}"
                );
                return Err(Failure::at(position, phrase));
            }
            _ => first = first.or(Some((position, length))),
        }
    }
    // What is unknown may be a list; beside a known list it is taken for a single value.
    unknown |= first.is_none() && call.arguments.iter().any(Value::is_unknown);
    Ok((!unknown).then(|| first.map_or(1, |(_, length)| length)))
}

fn formatted(format: &str, arguments: &[Value]) -> Result<String, Failure> {
    let mut output = String::new();
    let (mut next, mut highest) = (0, 0);
    for piece in specification::pieces(format) {
        let specification = match piece.map_err(Failure::new)? {
            Piece::Text(text) => {
                output.push_str(text);
                continue;
            }
            Piece::Verb(specification) => specification,
        };
        let index = specification.argument.unwrap_or(next + 1);
        let missing = || {
            let (text, offset, total) = (specification.text, specification.offset, arguments.len());
            Failure::new(format!(
                "not enough arguments for {text:?} at {offset}: need index {index} but have {total} total"
            ))
        };
        let argument = arguments.get(index - 1).ok_or_else(missing)?;
        output.push_str(&rendered(&specification, argument)?);
        next = index;
        highest = highest.max(index);
    }
    if highest < arguments.len() {
        return Err(too_many(highest));
    }
    Ok(output)
}

fn too_many(used: usize) -> Failure {
    Failure::at(
        used + 1,
        match used {
            0 => "too many arguments; no verbs in format string".into(),
            _ => format!("too many arguments; only {used} used by format string"),
        },
    )
}

fn rendered(specification: &Specification<'_>, argument: &Value) -> Result<String, Failure> {
    let (text, offset) = (specification.text, specification.offset);
    let unsupported = |phrase: String| Failure::new(format!("unsupported value for {text:?} at {offset}: {phrase}"));
    match specification.verb {
        'v' => Ok(any_value(specification, argument)),
        't' | 'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' | 's' | 'q' if argument.is_null() => {
            Err(unsupported("null value cannot be formatted".into()))
        }
        't' => Ok(converted(argument, &Type::Bool).map_err(unsupported)?.to_string()),
        verb @ ('b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G') => {
            let number = converted(argument, &Type::Number).map_err(unsupported)?;
            let number = number.as_number().expect("converted to a number");
            match verb {
                'e' | 'E' | 'f' | 'g' | 'G' => Ok(number::float(specification, &number)),
                _ => {
                    number::integer(specification, &number).ok_or_else(|| unsupported("an integer is required".into()))
                }
            }
        }
        verb @ ('s' | 'q') => {
            let string = converted(argument, &Type::String).map_err(unsupported)?;
            let string = cut(string.as_str().expect("converted to a string"), specification.precision);
            Ok(specification.padded(if verb == 'q' { json::quoted(&string) } else { string }))
        }
        verb => Err(Failure::new(format!(
            "unsupported format verb '{verb}' in {text:?} at offset {offset}"
        ))),
    }
}

fn converted(argument: &Value, ty: &Type) -> Result<Value, String> {
    convert(argument.clone(), ty)
}

/// `%v` in the way most natural to the type, `%#v` always as JSON.
fn any_value(specification: &Specification<'_>, argument: &Value) -> String {
    match argument {
        Value::String(text) if !specification.sharp => specification.padded(text.clone()),
        Value::Number(number) if !specification.sharp => number::shortest(specification, number),
        other => specification.padded(json::encoded(other)),
    }
}

/// At most so many characters, as a reader counts them.
fn cut(text: &str, most: Option<usize>) -> String {
    text.graphemes(true).take(most.unwrap_or(usize::MAX)).collect()
}
