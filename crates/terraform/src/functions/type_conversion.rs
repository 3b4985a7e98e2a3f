//! Types and marks: `toset`, `tostring`, `sensitive`, ...

use super::call::unknown_call;
use super::{Answer, Call, Failure, Function, Parameter, Shown, any};
use crate::Value;
use crate::types::{Type, convert};

const VALUE: &[Parameter] = &[any("value").or_null()];
const CONVERTED: &[Parameter] = &[any("v").or_null()];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("ephemeralasnull", VALUE, same)
        .unknowns(Shown::Everywhere)
        .marks(Shown::Everywhere),
    Function::new("issensitive", VALUE, is_sensitive)
        .unknowns(Shown::Everywhere)
        .marks(Shown::Everywhere),
    Function::new("nonsensitive", VALUE, non_sensitive)
        .unknowns(Shown::Everywhere)
        .marks(Shown::Everywhere),
    Function::new("sensitive", VALUE, sensitive)
        .unknowns(Shown::Everywhere)
        .marks(Shown::Everywhere),
    conversion("tobool", to_bool),
    conversion("tolist", to_list),
    conversion("tomap", to_map),
    conversion("tonumber", to_number),
    conversion("toset", to_set),
    conversion("tostring", to_string),
];

const fn conversion(name: &'static str, run: for<'a, 'b> fn(&'a mut Call<'b>) -> Answer) -> Function {
    Function::new(name, CONVERTED, run)
        .unknowns(Shown::Inside)
        .marks(Shown::Inside)
}

/// No value is ephemeral offline.
fn same(call: &mut Call<'_>) -> Answer {
    Ok(call.take(0))
}

fn sensitive(call: &mut Call<'_>) -> Answer {
    Ok(call.take(0).sensitive())
}

fn non_sensitive(call: &mut Call<'_>) -> Answer {
    Ok(call.take(0).into_unmarked())
}

fn is_sensitive(call: &mut Call<'_>) -> Answer {
    match call.take(0) {
        Value::Sensitive(_) => Ok(Value::Bool(true)),
        unknown @ Value::Unknown(_) => Ok(unknown_call("issensitive", vec![unknown])),
        _ => Ok(Value::Bool(false)),
    }
}

fn to_bool(call: &mut Call<'_>) -> Answer {
    let (given, converted) = attempt(call, &Type::Bool);
    converted.map_err(|_| match given {
        Value::String(text) => at_value(format!(
            "cannot convert {text:?} to bool; only the strings \"true\" or \"false\" are allowed"
        )),
        other => at_value(format!("cannot convert {} to bool", other.type_name())),
    })
}

fn to_number(call: &mut Call<'_>) -> Answer {
    let (given, converted) = attempt(call, &Type::Number);
    converted.map_err(|_| match given {
        Value::String(text) => at_value(format!(
            "cannot convert {text:?} to number; given string must be a decimal representation of a number"
        )),
        other => at_value(format!("cannot convert {} to number", other.type_name())),
    })
}

fn to_string(call: &mut Call<'_>) -> Answer {
    let (given, converted) = attempt(call, &Type::String);
    converted.map_err(|_| at_value(format!("cannot convert {} to string", given.type_name())))
}

fn to_list(call: &mut Call<'_>) -> Answer {
    collection(call, &Type::List(Box::new(Type::Any)), "list")
}

fn to_map(call: &mut Call<'_>) -> Answer {
    collection(call, &Type::Map(Box::new(Type::Any)), "map")
}

fn to_set(call: &mut Call<'_>) -> Answer {
    collection(call, &Type::Set(Box::new(Type::Any)), "set")
}

fn collection(call: &mut Call<'_>, ty: &Type, name: &str) -> Answer {
    let (given, converted) = attempt(call, ty);
    converted.map_err(|_| {
        let from = match given {
            Value::List(_) => "tuple".into(),
            other => other.type_name(),
        };
        at_value(format!("cannot convert {from} to {name} of any single type"))
    })
}

/// The argument before and after.
fn attempt(call: &mut Call<'_>, ty: &Type) -> (Value, Result<Value, String>) {
    let given = call.take(0);
    let converted = convert(given.clone(), ty);
    (given, converted)
}

fn at_value(phrase: String) -> Failure {
    Failure::at(0, phrase)
}
