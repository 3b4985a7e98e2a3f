//! Conversion of a value to a type constraint.

use std::collections::BTreeMap;
use std::fmt;

use super::{ObjectAttribute, Type, unify};
use crate::value::Number;
use crate::{Object, Value};

/// The value as the type wants it: `"5"` becomes `5` for a number, a tuple becomes a set, defaults of optional attributes are filled in and
/// attributes the type does not know are dropped. Null fits every type; what is unknown stays as it is; marks are kept.
///
/// The error is a phrase with the path in front: `attribute "port": a number is required`.
pub fn convert(value: Value, ty: &Type) -> Result<Value, String> {
    at(value, ty).map_err(|mismatch| mismatch.to_string())
}

/// What does not fit, and where inside the value, innermost step last.
struct Mismatch {
    path: Vec<String>,
    message: String,
}

impl Mismatch {
    fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// The same, seen from one step further out.
    fn under(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.iter().rev().try_for_each(|step| write!(f, "{step}: "))?;
        f.write_str(&self.message)
    }
}

fn at(value: Value, ty: &Type) -> Result<Value, Mismatch> {
    match (value, ty) {
        (Value::Sensitive(inner), _) => Ok(at(*inner, ty)?.sensitive()),
        (value @ (Value::Null | Value::Unknown(_)), _) | (value, Type::Any) => Ok(value),
        (value, Type::Bool) => to_bool(value),
        (value, Type::Number) => to_number(value),
        (value, Type::String) => to_string(value),
        (Value::List(elements) | Value::Set(elements), Type::List(element)) => {
            Ok(Value::List(to_elements(elements, element, "list")?))
        }
        (Value::List(elements) | Value::Set(elements), Type::Set(element)) => {
            Ok(Value::set(to_elements(elements, element, "set")?))
        }
        (Value::List(elements), Type::Tuple(types)) => to_tuple(elements, types),
        (Value::Object(members), Type::Map(element)) => to_map(members, element),
        (Value::Object(members), Type::Object(attributes)) => to_object(members, attributes),
        _ => Err(Mismatch::new(format!("{ty} required"))),
    }
}

fn to_bool(value: Value) -> Result<Value, Mismatch> {
    match value {
        Value::Bool(_) => Ok(value),
        Value::String(text) => match text.as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            "True" | "TRUE" => Err(Mismatch::new(
                "a bool is required; to convert from string, use lowercase \"true\"",
            )),
            "False" | "FALSE" => Err(Mismatch::new(
                "a bool is required; to convert from string, use lowercase \"false\"",
            )),
            _ => Err(Mismatch::new("a bool is required")),
        },
        _ => Err(Mismatch::new("bool required")),
    }
}

fn to_number(value: Value) -> Result<Value, Mismatch> {
    match value {
        Value::Number(_) => Ok(value),
        Value::String(text) => {
            let number = Number::parse(&text).ok_or_else(|| Mismatch::new("a number is required"))?;
            Ok(Value::Number(number))
        }
        _ => Err(Mismatch::new("number required")),
    }
}

fn to_string(value: Value) -> Result<Value, Mismatch> {
    match value {
        Value::String(_) => Ok(value),
        Value::Bool(truth) => Ok(Value::String(truth.to_string())),
        Value::Number(number) => Ok(Value::String(number.to_string())),
        _ => Err(Mismatch::new("string required")),
    }
}

fn to_elements(elements: Vec<Value>, element: &Type, collection: &str) -> Result<Vec<Value>, Mismatch> {
    let convert_one =
        |(index, value)| at(value, element).map_err(|mismatch: Mismatch| mismatch.under(format!("element {index}")));
    let converted: Vec<Value> = elements
        .into_iter()
        .enumerate()
        .map(convert_one)
        .collect::<Result<_, _>>()?;
    match settled(converted.iter(), element, collection)? {
        Some(common) => converted.into_iter().map(|value| at(value, &common)).collect(),
        None => Ok(converted),
    }
}

fn to_tuple(elements: Vec<Value>, types: &[Type]) -> Result<Value, Mismatch> {
    if elements.len() != types.len() {
        return Err(Mismatch::new("tuple required"));
    }
    let convert_one =
        |(index, (value, ty))| at(value, ty).map_err(|mismatch| mismatch.under(format!("element {index}")));
    let converted: Result<_, _> = elements.into_iter().zip(types).enumerate().map(convert_one).collect();
    Ok(Value::List(converted?))
}

fn to_map(members: Object, element: &Type) -> Result<Value, Mismatch> {
    let mut converted = Object::new();
    for (name, member) in members {
        let member = at(member, element).map_err(|mismatch| mismatch.under(format!("element {name:?}")))?;
        converted.insert(name, member);
    }
    if let Some(common) = settled(converted.values(), element, "map")? {
        for member in converted.values_mut() {
            *member = at(std::mem::replace(member, Value::Null), &common)?;
        }
    }
    Ok(Value::Object(converted))
}

fn to_object(mut members: Object, attributes: &BTreeMap<String, ObjectAttribute>) -> Result<Value, Mismatch> {
    let missing = |(name, attribute): &(&String, &ObjectAttribute)| !attribute.optional && !members.contains_key(*name);
    let missing: Vec<&String> = attributes.iter().filter(missing).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        return Err(Mismatch::new(required_attributes(&missing)));
    }
    let mut converted = Object::new();
    for (name, attribute) in attributes {
        let given = members.remove(name).unwrap_or(Value::Null);
        let value = match &attribute.default {
            Some(default) if given.is_null() => default.clone(),
            _ => at(given, &attribute.ty).map_err(|mismatch| mismatch.under(format!("attribute {name:?}")))?,
        };
        converted.insert(name.clone(), value);
    }
    Ok(Value::Object(converted))
}

/// `attributes "a", "b", and "c" are required`
fn required_attributes(names: &[&String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.as_slice() {
        [only] => format!("attribute {only} is required"),
        [first, last] => format!("attributes {first} and {last} are required"),
        [listed @ .., last] => format!("attributes {}, and {last} are required", listed.join(", ")),
        [] => unreachable!("called with at least one name"),
    }
}

/// The type that all elements of a collection take on where the constraint says `any`; `None` where it does not.
fn settled<'a>(
    mut elements: impl Iterator<Item = &'a Value>,
    wanted: &Type,
    collection: &str,
) -> Result<Option<Type>, Mismatch> {
    if !wanted.has_any() {
        return Ok(None);
    }
    let disagree = || match wanted {
        Type::Any => format!("all {collection} elements must have the same type"),
        _ => "cannot find a common base type for all elements".into(),
    };
    unify(&mut elements).map(Some).ok_or_else(|| Mismatch::new(disagree()))
}

impl Type {
    fn has_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_any(),
            Self::Tuple(types) => types.iter().any(Self::has_any),
            Self::Object(attributes) => attributes.values().any(|attribute| attribute.ty.has_any()),
        }
    }
}
