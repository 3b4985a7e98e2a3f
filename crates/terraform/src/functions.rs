//! Terraform's built-in functions, offline: one table per family, one way of calling them.
//!
//! Which functions there are and what they do: <https://developer.hashicorp.com/terraform/language/functions>.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the tables have one signature, whether they can fail or not"
)]

mod call;
mod collection;
mod encoding;
mod filesystem;
mod hash;
mod network;
mod numeric;
mod string;
mod time;
mod type_conversion;

pub(crate) use call::{Environment, FunctionError, call};

use call::{Answer, Call, Failure};

/// One built-in function.
pub(crate) struct Function {
    name: &'static str,
    parameters: &'static [Parameter],
    /// It takes any number of further arguments of this kind.
    variadic: Option<Parameter>,
    unknowns: Shown,
    marks: Shown,
    run: fn(&mut Call<'_>) -> Answer,
}

/// One parameter of a function.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    name: &'static str,
    kind: Kind,
    null: Null,
}

/// What a parameter is converted to before the function runs.
#[derive(Clone, Copy)]
enum Kind {
    Any,
    Number,
    String,
    List,
    ListOfBools,
    ListOfStrings,
    Set,
    MapOfStringLists,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    Refused,
    Allowed,
}

/// How much of the unknown, or of the marked, a function is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Nothing, at any depth. An unknown makes the whole call unknown; a mark marks its result.
    Nowhere,
    /// Inside the arguments, which are known and unmarked themselves.
    Inside,
    /// Everything as it is.
    Everywhere,
}

/// The functions by family.
static FAMILIES: [&[Function]; 9] = [
    collection::FUNCTIONS,
    encoding::FUNCTIONS,
    filesystem::FUNCTIONS,
    hash::FUNCTIONS,
    network::FUNCTIONS,
    numeric::FUNCTIONS,
    string::FUNCTIONS,
    time::FUNCTIONS,
    type_conversion::FUNCTIONS,
];

/// The names of all functions, for suggestions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|function| function.name)
}

fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().copied().flatten()
}

impl Function {
    const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        run: for<'a, 'b> fn(&'a mut Call<'b>) -> Answer,
    ) -> Self {
        Self {
            name,
            parameters,
            variadic: None,
            unknowns: Shown::Nowhere,
            marks: Shown::Nowhere,
            run,
        }
    }

    const fn variadic(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }

    const fn unknowns(mut self, shown: Shown) -> Self {
        self.unknowns = shown;
        self
    }

    const fn marks(mut self, shown: Shown) -> Self {
        self.marks = shown;
        self
    }
}

impl Parameter {
    const fn or_null(mut self) -> Self {
        self.null = Null::Allowed;
        self
    }
}

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        null: Null::Refused,
    }
}

const fn any(name: &'static str) -> Parameter {
    parameter(name, Kind::Any)
}

const fn number(name: &'static str) -> Parameter {
    parameter(name, Kind::Number)
}

const fn string(name: &'static str) -> Parameter {
    parameter(name, Kind::String)
}

const fn list(name: &'static str) -> Parameter {
    parameter(name, Kind::List)
}

const fn strings(name: &'static str) -> Parameter {
    parameter(name, Kind::ListOfStrings)
}

const fn boolean_list(name: &'static str) -> Parameter {
    parameter(name, Kind::ListOfBools)
}

const fn set(name: &'static str) -> Parameter {
    parameter(name, Kind::Set)
}

const fn map_of_string_lists(name: &'static str) -> Parameter {
    parameter(name, Kind::MapOfStringLists)
}

#[cfg(test)]
mod tests;
