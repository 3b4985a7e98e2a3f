//! Lists to lists: `concat`, `flatten`, `sort`, ...

use super::super::call::unknown_call;
use super::{Answer, Call, Failure, into_elements, size};
use crate::Value;
use crate::types::{convert, unify};
use crate::value::Number;

pub(super) fn chunk_list(call: &mut Call<'_>) -> Answer {
    let size = usize::try_from(call.whole(1)?).map_err(|_| Failure::new("the size argument must be positive"))?;
    let elements = call.elements(0);
    if elements.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    let size = if size == 0 { elements.len() } else { size };
    Ok(Value::List(
        elements.chunks(size).map(|chunk| Value::List(chunk.to_vec())).collect(),
    ))
}

pub(super) fn compact(call: &mut Call<'_>) -> Answer {
    let elements = into_elements(call.take(0)).expect("converted to a list");
    Ok(Value::List(
        elements
            .into_iter()
            .filter(|element| element.as_str().is_some_and(|text| !text.is_empty()))
            .collect(),
    ))
}

pub(super) fn concat(call: &mut Call<'_>) -> Answer {
    if call.arguments.is_empty() {
        return Err(Failure::new("at least one argument is required"));
    }
    let mut joined = Vec::new();
    for position in 0..call.arguments.len() {
        match call.take(position) {
            Value::List(elements) => joined.extend(elements),
            other => {
                let phrase = format!("all arguments must be lists or tuples; got {}", other.type_name());
                return Err(Failure::at(position, phrase));
            }
        }
    }
    Ok(Value::List(joined))
}

pub(super) fn distinct(call: &mut Call<'_>) -> Answer {
    let mut seen: Vec<Value> = Vec::new();
    for element in call.elements(0) {
        if !seen.contains(element) {
            seen.push(element.clone());
        }
    }
    Ok(Value::List(seen))
}

/// Looks through lists, sets and marks at any depth; a mark on an inner list marks the whole result.
pub(super) fn flatten(call: &mut Call<'_>) -> Answer {
    let elements =
        into_elements(call.take(0)).ok_or_else(|| Failure::new("can only flatten lists, sets and tuples"))?;
    let mut flat = Vec::new();
    let marked = flatten_into(elements, &mut flat);
    let flat = Value::List(flat);
    Ok(if marked { flat.sensitive() } else { flat })
}

fn flatten_into(elements: Vec<Value>, flat: &mut Vec<Value>) -> bool {
    let mut marked = false;
    for element in elements {
        if element.as_elements().is_some() {
            marked |= element.is_sensitive();
            let inner = into_elements(element.into_unmarked()).expect("seen to have elements");
            marked |= flatten_into(inner, flat);
        } else {
            flat.push(element);
        }
    }
    marked
}

pub(super) fn match_keys(call: &mut Call<'_>) -> Answer {
    let (values, keys, wanted) = (call.elements(0), call.elements(1), call.elements(2));
    if values.len() != keys.len() {
        return Err(Failure::new("length of keys and values should be equal"));
    }
    let common = unify(keys.iter().chain(wanted));
    let common = common.ok_or_else(|| Failure::new("keys and searchset must be of the same type"))?;
    let same_type = |values: &[Value]| -> Result<Vec<Value>, Failure> {
        values
            .iter()
            .map(|value| convert(value.clone(), &common).map_err(Failure::new))
            .collect()
    };
    let (keys, wanted) = (same_type(keys)?, same_type(wanted)?);
    let matches = values.iter().zip(&keys).filter(|(_, key)| wanted.contains(key));
    Ok(Value::List(matches.map(|(value, _)| value.clone()).collect()))
}

pub(super) fn range(call: &mut Call<'_>) -> Answer {
    const MOST: usize = 1024;
    let (start, end, step) = range_bounds(call)?;
    let down = step.is_negative();
    if down && end > start {
        return Err(Failure::at(0, "end must be less than start when step is negative"));
    }
    if !down && end < start {
        return Err(Failure::at(0, "end must be greater than start when step is positive"));
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while if down { next > end } else { next < end } {
        if numbers.len() == MOST {
            return Err(Failure::new(
                "more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
            ));
        }
        numbers.push(Value::Number(next.clone()));
        next = next.add(&step);
    }
    Ok(Value::List(numbers))
}

/// Start, end and step; left out, the step goes from start towards end.
fn range_bounds(call: &Call<'_>) -> Result<(Number, Number, Number), Failure> {
    let towards = |start: &Number, end: &Number| Number::from(if end < start { -1 } else { 1 });
    match call.arguments.len() {
        1 => {
            let (start, end) = (Number::from(0), call.number(0));
            let step = towards(&start, &end);
            Ok((start, end, step))
        }
        2 => {
            let (start, end) = (call.number(0), call.number(1));
            let step = towards(&start, &end);
            Ok((start, end, step))
        }
        3 => Ok((call.number(0), call.number(1), call.number(2))),
        _ => Err(Failure::new("must have one, two, or three arguments")),
    }
}

pub(super) fn reverse(call: &mut Call<'_>) -> Answer {
    let given = call.take(0);
    let refusal = format!("can only reverse list or tuple values, not {}", given.type_name());
    let mut elements = into_elements(given).ok_or_else(|| Failure::at(0, refusal))?;
    elements.reverse();
    Ok(Value::List(elements))
}

pub(super) fn slice(call: &mut Call<'_>) -> Answer {
    let elements = match call.take(0) {
        Value::List(elements) => elements,
        Value::Set(_) => {
            return Err(Failure::at(
                0,
                "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important",
            ));
        }
        _ => return Err(Failure::at(0, "must be a list or tuple value")),
    };
    let start = size(call, 1, "start index must not be less than zero")?;
    let end = size(call, 2, "end index must not be less than zero")?;
    if end > elements.len() {
        return Err(Failure::at(
            2,
            "end index must not be greater than the length of the list",
        ));
    }
    if start > end {
        return Err(Failure::at(1, "start index must not be greater than end index"));
    }
    Ok(Value::List(elements[start..end].to_vec()))
}

/// With an unknown inside, the length is all that is known.
pub(super) fn sort(call: &mut Call<'_>) -> Answer {
    let elements = call.elements(0);
    if let Some(position) = elements.iter().position(Value::is_null) {
        let phrase = format!("given list element {position} is null; a null string cannot be sorted");
        return Err(Failure::new(phrase));
    }
    let (mut sorted, length) = (elements.to_vec(), elements.len());
    if elements.iter().any(Value::is_unknown) {
        let whole = call.unknown("sort");
        let at = |index: usize| Value::Number(i64::try_from(index).expect("no list is that long").into());
        let nth = |index| unknown_call("element", vec![whole.clone(), at(index)]);
        return Ok(Value::List((0..length).map(nth).collect()));
    }
    sorted.sort_by(Value::total_order);
    Ok(Value::List(sorted))
}

pub(super) fn sum(call: &mut Call<'_>) -> Answer {
    let elements = call.arguments[0]
        .as_elements()
        .ok_or_else(|| Failure::at(0, "cannot sum noniterable"))?;
    if elements.is_empty() {
        return Err(Failure::at(0, "cannot sum an empty list"));
    }
    let number = |element: &Value| match element {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => Number::parse(text),
        _ => None,
    };
    let numbers: Option<Vec<Number>> = elements.iter().map(number).collect();
    let refusal = "argument must be list, set, or tuple of number values";
    let sum = numbers
        .ok_or_else(|| Failure::at(0, refusal))?
        .iter()
        .fold(Number::from(0), |sum, next| sum.add(next));
    Ok(Value::Number(sum))
}
