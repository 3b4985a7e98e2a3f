//! Lists, maps and sets: `merge`, `flatten`, `setproduct`, ...

mod lists;
mod maps;
mod search;
mod sets;

use super::Shown::{Everywhere, Inside};
use super::{Answer, Call, Failure, Function, Parameter, any, boolean_list, list, map_of_string_lists, number, set};
use super::{string, strings};
use crate::Value;

const LIST: &[Parameter] = &[list("list")];
const ANY_LIST: &[Parameter] = &[any("list")];
const KEYS: &[Parameter] = &[any("inputMap")];
const SLICE: &[Parameter] = &[any("list"), number("start_index"), number("end_index")];
const MATCH_KEYS: &[Parameter] = &[list("values"), list("keys"), list("searchset")];
const ZIP_MAP: &[Parameter] = &[strings("keys"), any("values")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("alltrue", &[boolean_list("list")], search::all_true).unknowns(Inside),
    Function::new("anytrue", &[boolean_list("list")], search::any_true).unknowns(Inside),
    Function::new("chunklist", &[list("list"), number("size")], lists::chunk_list)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("coalesce", &[], search::coalesce)
        .variadic(any("vals").or_null())
        .unknowns(Everywhere),
    Function::new("coalescelist", &[], search::coalesce_list)
        .variadic(any("vals").or_null())
        .unknowns(Everywhere),
    Function::new("compact", &[strings("list")], lists::compact),
    Function::new("concat", &[], lists::concat)
        .variadic(any("seqs"))
        .unknowns(Inside)
        .marks(Inside),
    Function::new("contains", &[any("list"), any("value")], search::contains).unknowns(Inside),
    Function::new("distinct", LIST, lists::distinct),
    Function::new("element", &[any("list"), number("index")], search::element)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("flatten", ANY_LIST, lists::flatten)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("index", &[any("list"), any("value")], search::index).unknowns(Inside),
    Function::new("keys", KEYS, maps::keys).unknowns(Inside).marks(Inside),
    Function::new("length", &[any("value")], search::length)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("lookup", &[any("inputMap"), string("key")], maps::lookup)
        .variadic(any("default").or_null())
        .unknowns(Everywhere)
        .marks(Everywhere),
    Function::new("matchkeys", MATCH_KEYS, lists::match_keys),
    Function::new("merge", &[], maps::merge)
        .variadic(any("maps").or_null())
        .unknowns(Inside)
        .marks(Inside),
    Function::new("one", ANY_LIST, search::one)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("range", &[], lists::range).variadic(number("params")),
    Function::new("reverse", ANY_LIST, lists::reverse)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("setintersection", &[set("first_set")], sets::intersection).variadic(set("other_sets")),
    Function::new("setproduct", &[], sets::product)
        .variadic(any("sets"))
        .unknowns(Inside)
        .marks(Inside),
    Function::new("setsubtract", &[set("a"), set("b")], sets::subtract),
    Function::new("setunion", &[set("first_set")], sets::union)
        .variadic(set("other_sets"))
        .unknowns(Inside),
    Function::new("slice", SLICE, lists::slice)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("sort", &[strings("list")], lists::sort).unknowns(Inside),
    Function::new("sum", ANY_LIST, lists::sum),
    Function::new("transpose", &[map_of_string_lists("values")], maps::transpose),
    Function::new("values", &[any("mapping")], maps::values)
        .unknowns(Inside)
        .marks(Inside),
    Function::new("zipmap", ZIP_MAP, maps::zip_map)
        .unknowns(Inside)
        .marks(Inside),
];

/// The elements of a list or a set, leaving nothing behind; `None` for anything else.
fn into_elements(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::List(elements) | Value::Set(elements) => Some(elements),
        _ => None,
    }
}

/// A position or size that is not negative.
fn size(call: &Call<'_>, position: usize, negative: &str) -> Result<usize, Failure> {
    usize::try_from(call.whole(position)?).map_err(|_| Failure::at(position, negative))
}
