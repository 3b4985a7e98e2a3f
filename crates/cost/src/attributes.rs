//! [`Attributes`]: a lenient look at what a resource says of itself.
//!
//! A bill is made of what is known. What is not is answered with nothing, and whoever asked says what that means.

use std::borrow::Cow;

use karma_terraform::{Address, Mode, Object, Unknown, Value};

use crate::Quantity;

/// The attributes of a resource, or of a block in it.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(&'a Object);

impl<'a> Attributes<'a> {
    pub(crate) fn of(members: &'a Object) -> Self {
        Self(members)
    }

    /// A known text.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    /// A known truth.
    pub(crate) fn is(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A known number, also one that is written as text.
    pub(crate) fn quantity(self, name: &str) -> Option<Quantity> {
        let value = self.0.get(name)?;
        match value.as_number() {
            Some(number) => Quantity::parse(&number.to_string()),
            None => Quantity::parse(value.as_str()?),
        }
    }

    /// A known whole number, also one that is written as text.
    pub(crate) fn whole(self, name: &str) -> Option<u32> {
        self.quantity(name)?.to_string().parse().ok()
    }

    /// The nested blocks of this name.
    pub(crate) fn blocks(self, name: &str) -> Vec<Attributes<'a>> {
        let value = self.0.get(name);
        let single = value.and_then(Value::as_object).map(Attributes);
        let many = value.map(elements).unwrap_or_default();
        single
            .into_iter()
            .chain(many.iter().filter_map(Value::as_object).map(Attributes))
            .collect()
    }

    /// How many elements a list or set has, known or not; `None` where that is not known either.
    pub(crate) fn count(self, name: &str) -> Option<u32> {
        let value = self.0.get(name)?;
        match value.as_unknown() {
            // Of a plan only the one resource is known that a list refers to.
            Some(Unknown::Attribute { of, .. }) if of.mode == Mode::Managed => Some(1),
            _ => u32::try_from(elements(value).len()).ok().filter(|count| *count > 0),
        }
    }

    /// Whether there is a value, and it is not known.
    pub(crate) fn is_unknown(self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::contains_unknown)
    }

    /// Whether a list or set has this text in it.
    pub(crate) fn lists(self, name: &str, text: &str) -> bool {
        let elements = self.0.get(name).map(elements).unwrap_or_default();
        elements.iter().any(|element| element.as_str() == Some(text))
    }

    /// What a text is the JSON of; one that is not wholly known before apply remembers what it is made from.
    pub(crate) fn json(self, name: &str) -> Option<Cow<'a, Value>> {
        let value = self.0.get(name)?;
        if let Some(text) = value.as_str() {
            let json = serde_json::from_str(text).ok()?;
            return Some(Cow::Owned(Value::from_json(&json)));
        }
        match value.as_unknown()? {
            Unknown::Call {
                function: "jsonencode",
                arguments,
            } => arguments.first().map(Cow::Borrowed),
            _ => None,
        }
    }

    /// The value itself.
    pub(crate) fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    /// The resources that a value is made of.
    pub(crate) fn references(self, name: &str) -> Vec<&'a Address> {
        let mut found = Vec::new();
        if let Some(value) = self.0.get(name) {
            collect_references(value, &mut found);
        }
        found
    }

    /// The first resource that a value is made of.
    pub(crate) fn reference(self, name: &str) -> Option<&'a Address> {
        self.references(name).into_iter().next()
    }
}

/// The elements of a list or set. A set with an unknown member is unknown as a whole, and remembers its members.
pub(crate) fn elements(value: &Value) -> &[Value] {
    match value.as_unknown() {
        Some(Unknown::Call {
            function: "toset" | "tolist",
            arguments,
        }) => arguments.first().map(elements).unwrap_or_default(),
        _ => value.as_elements().unwrap_or_default(),
    }
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a Address>) {
    match value.unmarked() {
        Value::List(parts) | Value::Set(parts) => parts.iter().for_each(|part| collect_references(part, found)),
        Value::Object(members) => members.values().for_each(|part| collect_references(part, found)),
        Value::Unknown(unknown) => match unknown.as_ref() {
            Unknown::Attribute { of, .. } => found.push(of),
            Unknown::Template(parts) | Unknown::Call { arguments: parts, .. } => {
                for part in parts {
                    collect_references(part, found);
                }
            }
            Unknown::Variable(_) => {}
        },
        _ => {}
    }
}
