//! Maps and objects: `lookup`, `merge`, `zipmap`, ...

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Call, Failure, into_elements};
use crate::{Object, Value};

pub(super) fn keys(call: &mut Call<'_>) -> Answer {
    match call.take(0) {
        Value::Object(members) => Ok(Value::List(members.into_keys().map(Value::String).collect())),
        _ => Err(Failure::at(0, "must have map or object type")),
    }
}

pub(super) fn values(call: &mut Call<'_>) -> Answer {
    match call.take(0) {
        Value::Object(members) => Ok(Value::List(members.into_values().collect())),
        _ => Err(Failure::new("values() requires a map as the first argument")),
    }
}

/// A mark on the map or the key marks what is found; a mark on a default that is not needed does not.
pub(super) fn lookup(call: &mut Call<'_>) -> Answer {
    let count = call.arguments.len();
    if count > 3 {
        return Err(Failure::new(format!(
            "lookup() takes two or three arguments, got {count}"
        )));
    }
    let marked = call.arguments[..2].iter().any(Value::is_sensitive);
    let found = if call.arguments[..2].iter().any(Value::is_unknown) {
        call.unknown("lookup")
    } else {
        find(call)?
    };
    Ok(if marked { found.sensitive() } else { found })
}

fn find(call: &mut Call<'_>) -> Answer {
    let Value::Object(mut members) = call.take(0).into_unmarked() else {
        return Err(Failure::at(0, "lookup() requires a map as the first argument"));
    };
    match members.remove(call.text(1)) {
        Some(member) => Ok(member),
        None if call.arguments.len() == 3 => Ok(call.take(2)),
        None => Err(Failure::at(
            0,
            format!("the given object has no attribute {:?}", call.text(1)),
        )),
    }
}

pub(super) fn merge(call: &mut Call<'_>) -> Answer {
    let mut merged = Object::new();
    for position in 0..call.arguments.len() {
        match call.take(position) {
            Value::Object(members) => merged.extend(members),
            Value::Null => {}
            other => {
                let name = if matches!(other, Value::List(_)) {
                    "tuple".into()
                } else {
                    other.type_name()
                };
                return Err(Failure::new(format!("arguments must be maps or objects, got {name:?}")));
            }
        }
    }
    Ok(Value::Object(merged))
}

pub(super) fn transpose(call: &mut Call<'_>) -> Answer {
    let mut turned: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for (key, texts) in call.members(0) {
        for text in texts.as_elements().unwrap_or_default() {
            let text = text
                .as_str()
                .ok_or_else(|| Failure::at(0, "null values are not allowed in the lists"))?;
            turned.entry(text.to_owned()).or_default().insert(key);
        }
    }
    let list = |keys: BTreeSet<&String>| Value::List(keys.into_iter().cloned().map(Value::String).collect());
    Ok(Value::Object(
        turned.into_iter().map(|(text, keys)| (text, list(keys))).collect(),
    ))
}

/// A key must be known for the map to be; a marked key marks the map.
pub(super) fn zip_map(call: &mut Call<'_>) -> Answer {
    if call.arguments[0].contains_unknown() {
        return Ok(call.unknown("zipmap"));
    }
    let marked = call.arguments[0].contains_sensitive();
    let keys: Vec<Option<String>> = call
        .elements(0)
        .iter()
        .map(|key| key.as_str().map(str::to_owned))
        .collect();
    let values = into_elements(call.take(1));
    let values = values.ok_or_else(|| Failure::new("values argument must be a list or tuple value"))?;
    if keys.len() != values.len() {
        let phrase = format!(
            "number of keys ({}) does not match number of values ({})",
            keys.len(),
            values.len()
        );
        return Err(Failure::new(phrase));
    }
    let pair = |(key, value): (Option<String>, Value)| Some((key?, value));
    let zipped: Option<Object> = keys.into_iter().zip(values).map(pair).collect();
    let zipped = Value::Object(zipped.ok_or_else(|| Failure::at(0, "a key must not be null"))?);
    Ok(if marked { zipped.sensitive() } else { zipped })
}
