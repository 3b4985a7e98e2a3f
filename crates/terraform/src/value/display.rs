//! Values for a person, and the names Terraform has for their types.

use std::fmt;

use super::{Object, Value};

impl Value {
    /// The type's name as Terraform's messages have it: `string`, `list of number`, `object`.
    pub fn type_name(&self) -> String {
        match self {
            Self::Null | Self::Unknown(_) => "dynamic".into(),
            Self::Bool(_) => "bool".into(),
            Self::Number(_) => "number".into(),
            Self::String(_) => "string".into(),
            Self::List(elements) => common_name(elements).map_or("tuple".into(), |name| format!("list of {name}")),
            Self::Set(elements) => format!("set of {}", common_name(elements).unwrap_or("dynamic".into())),
            Self::Object(_) => "object".into(),
            Self::Sensitive(inner) => inner.type_name(),
        }
    }
}

/// As Terraform writes it in a plan, on one line: `{ cpu = 256, image = (known after apply) }`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::List(elements) | Self::Set(elements) => write_elements(f, elements),
            Self::Object(members) => write_members(f, members),
            Self::Unknown(_) => f.write_str("(known after apply)"),
            Self::Sensitive(_) => f.write_str("(sensitive value)"),
        }
    }
}

/// For our own eyes in failed tests; a sensitive value shows only that there is one.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(elements) => f.debug_list().entries(elements).finish(),
            Self::Set(elements) => f.debug_set().entries(elements).finish(),
            Self::Object(members) => f.debug_map().entries(members).finish(),
            Self::Unknown(unknown) => write!(f, "unknown({unknown:?})"),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Sensitive(_) => fmt::Display::fmt(self, f),
        }
    }
}

/// The one type all elements have, if there is one.
fn common_name(elements: &[Value]) -> Option<String> {
    let first = elements.first()?.type_name();
    elements
        .iter()
        .all(|element| element.type_name() == first)
        .then_some(first)
}

fn write_elements(f: &mut fmt::Formatter<'_>, elements: &[Value]) -> fmt::Result {
    f.write_str("[")?;
    for (position, element) in elements.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        write!(f, "{separator}{element}")?;
    }
    f.write_str("]")
}

fn write_members(f: &mut fmt::Formatter<'_>, members: &Object) -> fmt::Result {
    if members.is_empty() {
        return f.write_str("{}");
    }
    for (position, (name, member)) in members.iter().enumerate() {
        let separator = if position == 0 { "{ " } else { ", " };
        write!(f, "{separator}{} = {member}", MemberName(name))?;
    }
    f.write_str(" }")
}

/// A member's name, quoted where it is not an identifier.
struct MemberName<'a>(&'a str);

impl fmt::Display for MemberName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts_well = self.0.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if starts_well && self.0.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            f.write_str(self.0)
        } else {
            write!(f, "{}", serde_json::Value::from(self.0))
        }
    }
}
