//! The one type that all elements of a collection can have.

use std::collections::BTreeMap;

use super::{ObjectAttribute, Type};
use crate::{Unknown, Value};

/// The type all values can be converted to without loss, if there is one: a number beside a string makes strings, objects with different
/// attributes make maps. Null and unknown values fit with everything.
pub(crate) fn unify<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Type> {
    unify_types(values.map(type_of).collect())
}

/// The type of a value as written, tuples and objects included.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Unknown(unknown) if matches!(**unknown, Unknown::Template(_)) => Type::String,
        Value::Null | Value::Unknown(_) => Type::Any,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::List(elements) => Type::Tuple(elements.iter().map(type_of).collect()),
        Value::Set(elements) => Type::Set(Box::new(unify(elements.iter()).unwrap_or(Type::Any))),
        Value::Object(members) => Type::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), present(type_of(member))))
                .collect(),
        ),
        Value::Sensitive(inner) => type_of(inner),
    }
}

fn present(ty: Type) -> ObjectAttribute {
    ObjectAttribute {
        ty,
        optional: false,
        default: None,
    }
}

fn unify_types(mut types: Vec<Type>) -> Option<Type> {
    types.retain(|ty| *ty != Type::Any);
    let Some(first) = types.first() else {
        return Some(Type::Any);
    };
    match first {
        _ if types.iter().all(|ty| ty == first) => types.pop(),
        Type::Bool | Type::Number | Type::String => unify_primitives(&types),
        Type::Tuple(_) => unify_tuples(inner(types, |ty| {
            if let Type::Tuple(types) = ty { Some(types) } else { None }
        })?),
        Type::Set(_) => {
            let elements = inner(types, |ty| {
                if let Type::Set(element) = ty {
                    Some(*element)
                } else {
                    None
                }
            })?;
            Some(Type::Set(Box::new(unify_types(elements)?)))
        }
        Type::Object(_) => unify_objects(inner(
            types,
            |ty| if let Type::Object(of) = ty { Some(of) } else { None },
        )?),
        Type::Any | Type::List(_) | Type::Map(_) => None,
    }
}

/// What `open` finds in each type; `None` if one of them is of another kind.
fn inner<T>(types: Vec<Type>, open: impl Fn(Type) -> Option<T>) -> Option<Vec<T>> {
    types.into_iter().map(open).collect()
}

/// Numbers and truth values have strings in common, but nothing with one another.
fn unify_primitives(types: &[Type]) -> Option<Type> {
    let primitive = types
        .iter()
        .all(|ty| matches!(ty, Type::Bool | Type::Number | Type::String));
    (primitive && types.contains(&Type::String)).then_some(Type::String)
}

fn unify_tuples(tuples: Vec<Vec<Type>>) -> Option<Type> {
    let length = tuples.first()?.len();
    if tuples.iter().any(|tuple| tuple.len() != length) {
        let element = unify_types(tuples.into_iter().flatten().collect())?;
        return Some(Type::List(Box::new(element)));
    }
    let column = |index: usize| unify_types(tuples.iter().map(|tuple| tuple[index].clone()).collect());
    Some(Type::Tuple((0..length).map(column).collect::<Option<_>>()?))
}

fn unify_objects(objects: Vec<BTreeMap<String, ObjectAttribute>>) -> Option<Type> {
    let first = objects.first()?;
    if objects.iter().any(|object| !object.keys().eq(first.keys())) {
        let element = unify_types(
            objects
                .into_iter()
                .flat_map(BTreeMap::into_values)
                .map(|a| a.ty)
                .collect(),
        )?;
        return Some(Type::Map(Box::new(element)));
    }
    let column = |name: &String| {
        let ty = unify_types(objects.iter().map(|object| object[name].ty.clone()).collect())?;
        Some((name.clone(), present(ty)))
    };
    Some(Type::Object(first.keys().map(column).collect::<Option<_>>()?))
}
