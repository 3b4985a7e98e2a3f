//! Equality as Terraform defines it, the order of set elements, and sets.

use std::cmp::Ordering;

use super::{Object, Unknown, Value};

impl Value {
    /// A set of these elements: sorted and each once. A mark on any element becomes a mark on the set, as in Terraform.
    pub fn set(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut elements: Vec<Value> = elements.into_iter().collect();
        let marked = elements.iter().any(Value::contains_sensitive);
        if marked {
            elements = elements.into_iter().map(Value::revealed).collect();
        }
        elements.sort_by(Value::total_order);
        elements.dedup();
        let set = Self::Set(elements);
        if marked { set.sensitive() } else { set }
    }

    /// Whether the two are equal, looking through marks; `None` where that depends on something unknown. Values of different types differ.
    pub fn equals(&self, other: &Value) -> Option<bool> {
        match (self.unmarked(), other.unmarked()) {
            (Self::Unknown(unknown), Self::Null) | (Self::Null, Self::Unknown(unknown)) => {
                matches!(**unknown, Unknown::Template(_)).then_some(false)
            }
            (Self::Unknown(_), _) | (_, Self::Unknown(_)) => None,
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) => equal_elements(a, b),
            (Self::Object(a), Self::Object(b)) => equal_members(a, b),
            (a, b) => Some(a == b),
        }
    }

    /// The order of elements in a set: by value for strings, numbers and truth values, by a stable encoding for the rest; null and unknown last.
    pub fn total_order(&self, other: &Value) -> Ordering {
        match (self.unmarked(), other.unmarked()) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            // The names of members are not part of the encoding, but they tell two objects apart.
            (a, b) => (rank(a), encoded(a))
                .cmp(&(rank(b), encoded(b)))
                .then_with(|| format!("{a:?}").cmp(&format!("{b:?}"))),
        }
    }
}

/// Terraform puts null after everything known, and the unknown after that.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Unknown(_) => 2,
        Value::Null => 1,
        _ => 0,
    }
}

/// All pairs equal; one known difference decides even beside unknowns.
fn all_equal<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    let mut verdict = Some(true);
    for (a, b) in pairs {
        match a.equals(b) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => verdict = None,
        }
    }
    verdict
}

fn equal_elements(a: &[Value], b: &[Value]) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    all_equal(a.iter().zip(b))
}

fn equal_members(a: &Object, b: &Object) -> Option<bool> {
    if !a.keys().eq(b.keys()) {
        return Some(false);
    }
    all_equal(a.values().zip(b.values()))
}

/// The text by which Terraform orders composite set elements, so that our plans list them in its order.
fn encoded(value: &Value) -> String {
    match value.unmarked() {
        Value::Unknown(unknown) => format!("?{unknown:?}"),
        Value::Null => "~".into(),
        Value::Bool(truth) => (if *truth { "T" } else { "F" }).into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::List(elements) | Value::Set(elements) => enclosed("[", elements.iter(), "]"),
        Value::Object(members) => enclosed("<", members.values(), ">"),
        Value::Sensitive(_) => unreachable!("unmarked looks through every mark"),
    }
}

fn enclosed<'a>(open: &str, elements: impl Iterator<Item = &'a Value>, close: &str) -> String {
    let inside: String = elements.map(|element| encoded(element) + ";").collect();
    format!("{open}{inside}{close}")
}
