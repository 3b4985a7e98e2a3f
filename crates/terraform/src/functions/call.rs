//! Calling a function: arguments are counted, converted and stripped of marks before it runs; marks come back on its result.

use super::{Function, Kind, Null, Parameter, Shown};
use crate::types::{Type, convert};
use crate::value::Number;
use crate::{Object, Sources, Unknown, Value};

/// What surrounds a call.
pub(crate) struct Environment<'a> {
    /// The files that `file()` and its neighbours can read.
    pub(crate) sources: &'a Sources,
    /// When the plan is made, if that is known.
    pub(crate) now: Option<jiff::Timestamp>,
    /// Renders the text of a file (named first) as a template with these variables.
    pub(crate) template: &'a dyn Fn(&str, &str, &Object) -> Result<Value, String>,
}

/// Why a call fails, in the words of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionError {
    /// Fixed text: "Invalid function argument".
    pub(crate) summary: &'static str,
    /// Which argument is wrong, counted from zero, if it is one of them.
    pub(crate) argument: Option<usize>,
    /// A full sentence: `Invalid value for "str" parameter: argument must not be null.`
    pub(crate) message: String,
}

/// What a function itself says: a value or what went wrong.
pub(super) type Answer = Result<Value, Failure>;

/// Why a function fails: a phrase in lower case without full stop, and which argument is to blame, if one is.
#[derive(Debug)]
pub(super) struct Failure {
    argument: Option<usize>,
    phrase: String,
}

/// The arguments of one call, converted to the function's parameters.
pub(super) struct Call<'a> {
    pub(super) arguments: Vec<Value>,
    pub(super) environment: &'a Environment<'a>,
}

/// Calls a function by its name. What is unknown in the arguments gives an [`Unknown::Call`], unless the function can do without it.
pub(crate) fn call(name: &str, arguments: Vec<Value>, environment: &Environment<'_>) -> Result<Value, FunctionError> {
    let short = name.strip_prefix("core::").unwrap_or(name);
    let function = super::all()
        .find(|function| function.name == short)
        .ok_or_else(|| unknown_function(name))?;
    function.check_count(arguments.len())?;
    let secret = arguments.iter().any(Value::contains_sensitive);
    let converted = function
        .convert(arguments)
        .map_err(|failure| function.explain(failure))?;
    let result = function.apply(converted, environment);
    result.map_err(|failure| function.explain(if secret { failure.redacted() } else { failure }))
}

/// Functions that Terraform has and we do not.
const MISSING: &[&str] = &[
    "base64gzip",
    "rsadecrypt",
    "textdecodebase64",
    "textencodebase64",
    "yamldecode",
    "yamlencode",
];

fn unknown_function(name: &str) -> FunctionError {
    let (summary, message) = if name.starts_with("provider::") {
        let message = format!("The function {name:?} belongs to a provider, and providers are not run offline.");
        ("Function not evaluated offline", message)
    } else if MISSING.contains(&name) {
        (
            "Function not evaluated offline",
            format!("The function {name:?} is not evaluated offline."),
        )
    } else {
        (
            "Call to unknown function",
            format!("There is no function named {name:?}."),
        )
    };
    FunctionError {
        summary,
        argument: None,
        message,
    }
}

impl Function {
    fn check_count(&self, count: usize) -> Result<(), FunctionError> {
        let (name, wanted) = (self.name, self.parameters.len());
        if let Some(missing) = self.parameters.get(count) {
            let least = if self.variadic.is_some() { "at least " } else { "" };
            return Err(FunctionError {
                summary: "Not enough function arguments",
                argument: None,
                message: format!(
                    "Function {name:?} expects {least}{wanted} argument(s). Missing value for {:?}.",
                    missing.name
                ),
            });
        }
        if count > wanted && self.variadic.is_none() {
            return Err(FunctionError {
                summary: "Too many function arguments",
                argument: Some(wanted),
                message: format!("Function {name:?} expects only {wanted} argument(s)."),
            });
        }
        Ok(())
    }

    fn explain(&self, failure: Failure) -> FunctionError {
        let Failure { argument, phrase } = failure;
        let (summary, message) = match argument {
            Some(position) => (
                "Invalid function argument",
                format!(
                    "Invalid value for {:?} parameter: {phrase}.",
                    self.parameter(position).name
                ),
            ),
            None => (
                "Error in function call",
                format!("Call to function {:?} failed: {phrase}.", self.name),
            ),
        };
        FunctionError {
            summary,
            argument,
            message,
        }
    }

    fn parameter(&self, position: usize) -> Parameter {
        let variadic = || self.variadic.expect("the arguments were counted");
        self.parameters.get(position).copied().unwrap_or_else(variadic)
    }

    fn convert(&self, arguments: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let one = |(position, value): (usize, Value)| {
            let parameter = self.parameter(position);
            if parameter.null == Null::Refused && value.is_null() {
                return Err(Failure::at(position, "argument must not be null"));
            }
            convert(value, &parameter.kind.ty()).map_err(|phrase| Failure::at(position, phrase))
        };
        arguments.into_iter().enumerate().map(one).collect()
    }

    fn apply(&self, mut arguments: Vec<Value>, environment: &Environment<'_>) -> Answer {
        let any = |holds: fn(&Value) -> bool| arguments.iter().any(holds);
        let unknown = match self.unknowns {
            Shown::Nowhere => any(Value::contains_unknown),
            Shown::Inside => any(Value::is_unknown),
            Shown::Everywhere => false,
        };
        let (marked, strip): (bool, fn(Value) -> Value) = match self.marks {
            Shown::Nowhere => (any(Value::contains_sensitive), Value::revealed),
            Shown::Inside => (any(Value::is_sensitive), Value::into_unmarked),
            Shown::Everywhere => (false, std::convert::identity),
        };
        let result = if unknown {
            unknown_call(self.name, arguments)
        } else {
            if marked {
                arguments = arguments.into_iter().map(strip).collect();
            }
            (self.run)(&mut Call { arguments, environment })?
        };
        Ok(if marked { result.sensitive() } else { result })
    }
}

/// The result of a call that cannot be made before apply; it remembers what it was called with.
pub(super) fn unknown_call(function: &'static str, arguments: Vec<Value>) -> Value {
    Value::Unknown(Box::new(Unknown::Call { function, arguments }))
}

impl Kind {
    fn ty(self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::List => Type::List(Box::new(Type::Any)),
            Self::ListOfBools => Type::List(Box::new(Type::Bool)),
            Self::ListOfStrings => Type::List(Box::new(Type::String)),
            Self::Set => Type::Set(Box::new(Type::Any)),
            Self::MapOfStringLists => Type::Map(Box::new(Type::List(Box::new(Type::String)))),
        }
    }
}

impl Failure {
    /// The call as a whole fails.
    pub(super) fn new(phrase: impl Into<String>) -> Self {
        Self {
            argument: None,
            phrase: phrase.into(),
        }
    }

    /// One argument is to blame.
    pub(super) fn at(argument: usize, phrase: impl Into<String>) -> Self {
        Self {
            argument: Some(argument),
            phrase: phrase.into(),
        }
    }

    /// The same without what may quote a secret.
    fn redacted(self) -> Self {
        Self {
            phrase: "the reason is not shown, since an argument is sensitive".into(),
            ..self
        }
    }

    /// The call as a whole fails with this while doing what is put in front.
    pub(super) fn within(self, what: &str) -> Self {
        Self::new(format!("{what}: {}", self.phrase))
    }
}

/// Arguments as the parameter's kind promises them.
impl Call<'_> {
    pub(super) fn take(&mut self, position: usize) -> Value {
        std::mem::replace(&mut self.arguments[position], Value::Null)
    }

    pub(super) fn text(&self, position: usize) -> &str {
        self.arguments[position].as_str().expect("converted to a string")
    }

    pub(super) fn number(&self, position: usize) -> Number {
        self.arguments[position].as_number().expect("converted to a number")
    }

    pub(super) fn elements(&self, position: usize) -> &[Value] {
        self.arguments[position]
            .as_elements()
            .expect("converted to a list or set")
    }

    pub(super) fn members(&self, position: usize) -> &Object {
        self.arguments[position].as_object().expect("converted to a map")
    }

    /// A whole number, such as a size or a position.
    pub(super) fn whole(&self, position: usize) -> Result<i64, Failure> {
        let whole = self
            .number(position)
            .as_i128()
            .and_then(|whole| i64::try_from(whole).ok());
        whole.ok_or_else(|| {
            Failure::new(format!(
                "value must be a whole number, between {} and {}",
                i64::MIN,
                i64::MAX
            ))
        })
    }

    /// The call as an unknown that remembers its arguments.
    pub(super) fn unknown(&mut self, function: &'static str) -> Value {
        unknown_call(function, std::mem::take(&mut self.arguments))
    }
}
