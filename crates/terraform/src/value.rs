//! Values of the Terraform language, with unknowns that remember what they are made of.

mod display;
mod json;
mod marks;
mod number;
mod order;

use std::collections::BTreeMap;

pub use json::Hole;
pub use number::Number;

use crate::{Address, AttributePath};

/// The members of an object or a map, in the order of their names.
pub type Object = BTreeMap<String, Value>;

/// A value of the Terraform language.
///
/// Lists and tuples are one thing here, as are maps and objects: the difference is in the type constraint, not in the value.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// The absence of a value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// Text.
    String(String),
    /// A list or tuple.
    List(Vec<Value>),
    /// A set: sorted by [`Value::total_order`], without duplicates.
    Set(Vec<Value>),
    /// A map or object.
    Object(Object),
    /// Not known before apply; remembers what it is made of.
    Unknown(Box<Unknown>),
    /// Must not be shown; every other operation looks through it and marks what it yields.
    Sensitive(Box<Value>),
}

/// Why a value is not known before apply, and what it will be made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Unknown {
    /// `aws_lb.main.arn`: decided when the resource is created.
    Attribute {
        /// The resource instance.
        of: Address,
        /// Which of its attributes.
        path: AttributePath,
    },
    /// `"${aws_ecr_repository.agent.repository_url}:latest"`: its known and unknown parts in order.
    Template(Vec<Value>),
    /// `jsonencode([...])` with an unknown inside.
    Call {
        /// The function's name.
        function: &'static str,
        /// Its evaluated arguments.
        arguments: Vec<Value>,
    },
    /// A required variable that nobody set.
    Variable(String),
}

impl Value {
    /// The text, where this is a known string (looking through [`Value::Sensitive`]).
    pub fn as_str(&self) -> Option<&str> {
        match self.unmarked() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, where this is a known one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.unmarked() {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number, where this is a known one.
    pub fn as_number(&self) -> Option<Number> {
        match self.unmarked() {
            Self::Number(number) => Some(number.clone()),
            _ => None,
        }
    }

    /// The elements, where this is a list or a set.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self.unmarked() {
            Self::List(elements) | Self::Set(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members, where this is an object or a map.
    pub fn as_object(&self) -> Option<&Object> {
        match self.unmarked() {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What it is made of, where this is unknown.
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match self.unmarked() {
            Self::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.unmarked(), Self::Null)
    }

    /// The value without its outermost mark.
    pub fn unmarked(&self) -> &Value {
        match self {
            Self::Sensitive(inner) => inner.unmarked(),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
