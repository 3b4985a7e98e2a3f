//! How large a value may become: each reference can double what it refers to, and everything that walks a value does so by recursion.

use crate::{Unknown, Value};

/// Deeper than any value that means something.
const DEEPEST: usize = 200;

/// More parts than any value that means something; so many bytes of text count as one.
const MOST_PARTS: usize = 1_000_000;
const BYTES_PER_PART: usize = 64;

/// Whether a value is small enough to be worked with.
pub(super) fn is_within(value: &Value) -> bool {
    let mut left = MOST_PARTS;
    count(value, DEEPEST, &mut left).is_some()
}

/// Takes the parts of a value from what is left; nothing where that is not enough.
fn count(value: &Value, depth: usize, left: &mut usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    match value {
        Value::List(elements) | Value::Set(elements) => count_all(elements.iter(), depth, left),
        Value::Object(members) => count_all(members.values(), depth, left),
        Value::Sensitive(inner) => count(inner, depth, left),
        Value::Unknown(unknown) => match &**unknown {
            Unknown::Template(parts) => count_all(parts.iter(), depth, left),
            Unknown::Call { arguments, .. } => count_all(arguments.iter(), depth, left),
            Unknown::Attribute { .. } | Unknown::Variable(_) => Some(()),
        },
        Value::String(text) => {
            *left = left.checked_sub(text.len() / BYTES_PER_PART)?;
            Some(())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(()),
    }
}

fn count_all<'v>(mut values: impl Iterator<Item = &'v Value>, depth: usize, left: &mut usize) -> Option<()> {
    values.try_for_each(|value| count(value, depth, left))
}
