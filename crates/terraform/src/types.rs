//! Type constraints: what a variable or a schema wants, and the conversion of values to it.
//!
//! The rules are Terraform's: <https://developer.hashicorp.com/terraform/language/expressions/type-constraints>.

mod convert;
mod parse;
mod unify;

use std::collections::BTreeMap;
use std::fmt;

pub use convert::convert;
pub(crate) use unify::unify;

use crate::Value;

/// A type constraint.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Whatever the value is.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `tuple([A, B])`
    Tuple(Vec<Type>),
    /// `object({ a = A, b = optional(B, default) })`
    Object(BTreeMap<String, ObjectAttribute>),
}

/// One attribute of an object constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectAttribute {
    /// Its type.
    pub ty: Type,
    /// May be left out.
    pub optional: bool,
    /// What stands in where it is left out or null.
    pub default: Option<Value>,
}

impl Type {
    /// The type in the notation of `terraform providers schema -json`: `"string"`, `["list", "string"]`, `["object", {..}]`.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        parse::from_json(json)
    }
}

/// The name Terraform's messages have for it: `list of string`, `object`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("dynamic"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list of {element}"),
            Self::Set(element) => write!(f, "set of {element}"),
            Self::Map(element) => write!(f, "map of {element}"),
            Self::Tuple(_) => f.write_str("tuple"),
            Self::Object(_) => f.write_str("object"),
        }
    }
}

#[cfg(test)]
mod tests;
