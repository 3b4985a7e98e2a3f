//! Sets: `setunion`, `setproduct`, ...

use super::{Answer, Call, Failure, into_elements};
use crate::Value;
use crate::types::{Type, convert, unify};

pub(super) fn intersection(call: &mut Call<'_>) -> Answer {
    let mut sets = same_type(call)?.into_iter();
    let first = sets.next().expect("the first set is a parameter");
    let others: Vec<Vec<Value>> = sets.collect();
    let everywhere = |element: &Value| others.iter().all(|other| other.contains(element));
    Ok(Value::set(first.into_iter().filter(everywhere)))
}

pub(super) fn subtract(call: &mut Call<'_>) -> Answer {
    let sets = same_type(call)?;
    Ok(Value::set(
        sets[0].iter().filter(|element| !sets[1].contains(element)).cloned(),
    ))
}

pub(super) fn union(call: &mut Call<'_>) -> Answer {
    Ok(Value::set(same_type(call)?.into_iter().flatten()))
}

/// The elements of all sets, converted to the type they have in common.
fn same_type(call: &mut Call<'_>) -> Result<Vec<Vec<Value>>, Failure> {
    let elements = || (0..call.arguments.len()).flat_map(|position| call.elements(position));
    let common = unify(elements()).ok_or_else(|| Failure::new("given sets must all have compatible element types"))?;
    let wanted = Type::Set(Box::new(common));
    let converted = |(position, set): (usize, Value)| {
        let set = convert(set, &wanted).map_err(|phrase| Failure::at(position, phrase))?;
        Ok(into_elements(set.into_unmarked()).expect("converted to a set"))
    };
    std::mem::take(&mut call.arguments)
        .into_iter()
        .enumerate()
        .map(converted)
        .collect()
}

/// Every combination of one element from each: a set of sets, a list where a list is among them.
pub(super) fn product(call: &mut Call<'_>) -> Answer {
    if call.arguments.len() < 2 {
        return Err(Failure::new("at least two arguments are required"));
    }
    let ordered = call.arguments.iter().any(|argument| matches!(argument, Value::List(_)));
    if !ordered && call.arguments.iter().any(Value::contains_unknown) {
        return Ok(call.unknown("setproduct"));
    }
    let combinations = combinations(factors(call)?)?.into_iter().map(Value::List);
    Ok(if ordered {
        Value::List(combinations.collect())
    } else {
        Value::set(combinations)
    })
}

fn factors(call: &mut Call<'_>) -> Result<Vec<Vec<Value>>, Failure> {
    let wanted = Type::List(Box::new(Type::Any));
    let factor = |(position, set): (usize, Value)| {
        let list = convert(set, &wanted);
        let list = list.map_err(|_| Failure::at(position, "a set or a list is required"))?;
        into_elements(list).ok_or_else(|| Failure::at(position, "a set or a list is required"))
    };
    std::mem::take(&mut call.arguments)
        .into_iter()
        .enumerate()
        .map(factor)
        .collect()
}

fn combinations(factors: Vec<Vec<Value>>) -> Result<Vec<Vec<Value>>, Failure> {
    const MOST: usize = 1_000_000;
    let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
    for factor in factors {
        if combinations.len().saturating_mul(factor.len()) > MOST {
            return Err(Failure::new(format!("the result would have more than {MOST} elements")));
        }
        let extended = |head: &Vec<Value>| -> Vec<Vec<Value>> {
            factor
                .iter()
                .map(|last| head.iter().chain([last]).cloned().collect())
                .collect()
        };
        combinations = combinations.iter().flat_map(extended).collect();
    }
    Ok(combinations)
}
