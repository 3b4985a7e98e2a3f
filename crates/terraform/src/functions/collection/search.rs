//! Looking into collections: `contains`, `element`, `length`, ...

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Answer, Call, Failure, into_elements};
use crate::Value;
use crate::types::{convert, unify};

pub(super) fn all_true(call: &mut Call<'_>) -> Answer {
    let truths: Vec<Option<bool>> = truths(call);
    Ok(if truths.contains(&Some(false)) {
        Value::Bool(false)
    } else if truths.contains(&None) {
        call.unknown("alltrue")
    } else {
        Value::Bool(true)
    })
}

pub(super) fn any_true(call: &mut Call<'_>) -> Answer {
    let truths: Vec<Option<bool>> = truths(call);
    Ok(if truths.contains(&Some(true)) {
        Value::Bool(true)
    } else if truths.contains(&None) {
        call.unknown("anytrue")
    } else {
        Value::Bool(false)
    })
}

/// Null counts as false; `None` is unknown.
fn truths(call: &Call<'_>) -> Vec<Option<bool>> {
    let truth = |element: &Value| {
        if element.is_null() {
            Some(false)
        } else {
            element.as_bool()
        }
    };
    call.elements(0).iter().map(truth).collect()
}

pub(super) fn coalesce(call: &mut Call<'_>) -> Answer {
    let common = unify(call.arguments.iter()).filter(|_| !call.arguments.is_empty());
    let common = common.ok_or_else(|| Failure::new("all arguments must have the same type"))?;
    for position in 0..call.arguments.len() {
        if call.arguments[position].is_unknown() {
            call.arguments.drain(..position);
            return Ok(call.unknown("coalesce"));
        }
        let candidate = convert(call.take(position), &common).map_err(|phrase| Failure::at(position, phrase))?;
        if !candidate.is_null() && candidate.as_str() != Some("") {
            return Ok(candidate);
        }
    }
    Err(Failure::new("no non-null, non-empty-string arguments"))
}

pub(super) fn coalesce_list(call: &mut Call<'_>) -> Answer {
    for position in 0..call.arguments.len() {
        match &call.arguments[position] {
            Value::Unknown(_) => {
                call.arguments.drain(..position);
                return Ok(call.unknown("coalescelist"));
            }
            Value::List(elements) | Value::Set(elements) if !elements.is_empty() => return Ok(call.take(position)),
            Value::Null | Value::List(_) | Value::Set(_) => {}
            _ => return Err(Failure::at(position, "coalescelist arguments must be lists or tuples")),
        }
    }
    Err(Failure::new("no non-null arguments"))
}

pub(super) fn contains(call: &mut Call<'_>) -> Answer {
    let elements = call.arguments[0].as_elements();
    let elements = elements.ok_or_else(|| Failure::new("argument must be list, tuple, or set"))?;
    let verdicts: Vec<Option<bool>> = elements
        .iter()
        .map(|element| element.equals(&call.arguments[1]))
        .collect();
    Ok(if verdicts.contains(&Some(true)) {
        Value::Bool(true)
    } else if verdicts.contains(&None) {
        call.unknown("contains")
    } else {
        Value::Bool(false)
    })
}

/// Counts around: the element after the last is the first, and the one before the first is the last.
pub(super) fn element(call: &mut Call<'_>) -> Answer {
    let Value::List(elements) = &mut call.arguments[0] else {
        return Err(Failure::new(format!(
            "cannot read elements from {}",
            call.arguments[0].type_name()
        )));
    };
    let mut elements = std::mem::take(elements);
    if elements.is_empty() {
        return Err(Failure::new("cannot use element function with an empty list"));
    }
    let index = call.whole(1).map_err(|failure| failure.within("invalid index"))?;
    let length = i64::try_from(elements.len()).expect("no list is that long");
    let wrapped = usize::try_from(index.rem_euclid(length)).expect("within the list");
    Ok(elements.swap_remove(wrapped))
}

pub(super) fn index(call: &mut Call<'_>) -> Answer {
    let Value::List(elements) = &call.arguments[0] else {
        return Err(Failure::new("argument must be a list or tuple"));
    };
    if elements.is_empty() {
        return Err(Failure::new("cannot search an empty list"));
    }
    for (position, element) in elements.iter().enumerate() {
        match element.equals(&call.arguments[1]) {
            Some(true) => return Ok(count(position)),
            Some(false) => {}
            None => return Ok(call.unknown("index")),
        }
    }
    Err(Failure::new("item not found"))
}

pub(super) fn length(call: &mut Call<'_>) -> Answer {
    match &call.arguments[0] {
        Value::String(text) => Ok(count(text.graphemes(true).count())),
        // Some of its elements may turn out to be the same.
        set @ Value::Set(elements) if elements.len() > 1 && set.contains_unknown() => Ok(call.unknown("length")),
        Value::List(elements) | Value::Set(elements) => Ok(count(elements.len())),
        Value::Object(members) => Ok(count(members.len())),
        _ => Err(Failure::new(
            "argument must be a string, a collection type, or a structural type",
        )),
    }
}

pub(super) fn one(call: &mut Call<'_>) -> Answer {
    if matches!(&call.arguments[0], set @ Value::Set(elements) if elements.len() > 1 && set.contains_unknown()) {
        return Ok(call.unknown("one"));
    }
    match into_elements(call.take(0)) {
        Some(mut elements) if elements.len() <= 1 => Ok(elements.pop().unwrap_or(Value::Null)),
        _ => Err(Failure::at(
            0,
            "must be a list, set, or tuple value with either zero or one elements",
        )),
    }
}

fn count(count: usize) -> Value {
    let count = i64::try_from(count).expect("no collection is that large");
    Value::Number(count.into())
}
