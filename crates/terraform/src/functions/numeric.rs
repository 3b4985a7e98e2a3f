//! Numbers: `abs`, `max`, `parseint`, ...

use super::{Answer, Call, Failure, Function, Parameter, any, number};
use crate::Value;
use crate::value::Number;

const NUMBER: &[Parameter] = &[number("num")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", NUMBER, abs),
    Function::new("ceil", NUMBER, ceil),
    Function::new("floor", NUMBER, floor),
    Function::new("log", &[number("num"), number("base")], log),
    Function::new("max", &[], max).variadic(number("numbers")),
    Function::new("min", &[], min).variadic(number("numbers")),
    Function::new("parseint", &[any("number"), number("base")], parse_int),
    Function::new("pow", &[number("num"), number("power")], pow),
    Function::new("signum", NUMBER, signum),
];

fn abs(call: &mut Call<'_>) -> Answer {
    let number = call.number(0);
    Ok(Value::Number(if number.is_negative() { number.neg() } else { number }))
}

fn ceil(call: &mut Call<'_>) -> Answer {
    Ok(Value::Number(call.number(0).ceil()))
}

fn floor(call: &mut Call<'_>) -> Answer {
    Ok(Value::Number(call.number(0).floor()))
}

/// Terraform computes this one with doubles, and so do we.
fn log(call: &mut Call<'_>) -> Answer {
    from_double(call.number(0).as_f64().ln() / call.number(1).as_f64().ln())
}

/// Terraform computes this one with doubles, and so do we.
fn pow(call: &mut Call<'_>) -> Answer {
    from_double(call.number(0).as_f64().powf(call.number(1).as_f64()))
}

fn from_double(double: f64) -> Answer {
    Number::from_f64(double)
        .map(Value::Number)
        .ok_or_else(|| Failure::new("the result is not a finite number"))
}

fn max(call: &mut Call<'_>) -> Answer {
    numbers(call)
        .max()
        .map(Value::Number)
        .ok_or_else(|| Failure::new("must pass at least one number"))
}

fn min(call: &mut Call<'_>) -> Answer {
    numbers(call)
        .min()
        .map(Value::Number)
        .ok_or_else(|| Failure::new("must pass at least one number"))
}

fn numbers(call: &Call<'_>) -> impl Iterator<Item = Number> {
    (0..call.arguments.len()).map(|position| call.number(position))
}

fn signum(call: &mut Call<'_>) -> Answer {
    Ok(Value::Number(call.whole(0)?.signum().into()))
}

fn parse_int(call: &mut Call<'_>) -> Answer {
    let Some(text) = call.arguments[0].as_str() else {
        let phrase = format!("first argument must be a string, not {}", call.arguments[0].type_name());
        return Err(Failure::at(0, phrase));
    };
    let base = call
        .number(1)
        .as_i128()
        .and_then(|base| u32::try_from(base).ok())
        .filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| Failure::at(1, "base must be a whole number between 2 and 62 inclusive"))?;
    let fail = || Failure::at(0, format!("cannot parse {text:?} as a base {base} integer"));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let magnitude = in_base(unsigned, base).ok_or_else(fail)?;
    Ok(Value::Number(if text.starts_with('-') {
        magnitude.neg()
    } else {
        magnitude
    }))
}

/// Digits are 0-9, a-z, and beyond base 36 also A-Z.
fn in_base(digits: &str, base: u32) -> Option<Number> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(Number::from(0), |sum, character| {
        let digit = match character {
            'A'..='Z' if base > 36 => u32::from(character) - u32::from('A') + 36,
            _ => character.to_digit(36)?,
        };
        (digit < base).then(|| sum.mul(&base.into()).add(&digit.into()))
    })
}
