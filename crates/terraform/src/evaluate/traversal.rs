//! `.attribute`, `[index]` and splats: <https://developer.hashicorp.com/terraform/language/expressions/splat>.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression as Syntax, TraversalOperator};

use super::expression::unknown;
use super::scope::{Evaluated, Poisoned, Scope};
use crate::module::range_of;
use crate::references::Operator;
use crate::{AttributePath, Number, PathStep, Unknown, Value, suggest};

/// One step into a value, evaluated.
enum Step<'o> {
    Attribute(&'o str),
    Index(Value),
}

impl Scope<'_> {
    /// The value that operators lead to from a base, which may be a name.
    pub(super) fn traverse(&self, base: &Syntax, operators: &[Operator]) -> Evaluated {
        match base {
            Syntax::Variable(name) => {
                let range = name.span().unwrap_or_default();
                let (value, consumed) = self.resolve(name.as_str(), operators, range)?;
                self.follow(value, &operators[consumed..])
            }
            _ => self.follow(Cow::Owned(self.value(base)?), operators),
        }
    }

    /// Goes into a value without copying more of it than the result.
    fn follow(&self, mut value: Cow<'_, Value>, operators: &[Operator]) -> Evaluated {
        let mut marked = false;
        for (position, operator) in operators.iter().enumerate() {
            let rest = &operators[position + 1..];
            let next = match operator.value() {
                TraversalOperator::FullSplat(_) => return self.splat(&value, rest, &[], marked),
                TraversalOperator::AttrSplat(_) => {
                    let attributes = rest
                        .iter()
                        .take_while(|next| matches!(next.value(), TraversalOperator::GetAttr(_)));
                    let (each, after) = rest.split_at(attributes.count());
                    return self.splat(&value, each, after, marked);
                }
                _ => self.step(operator)?,
            };
            let range = operator_range(operator);
            value = match value {
                Cow::Borrowed(value) => self.part_of(value, &next, &mut marked, &range)?,
                Cow::Owned(value) => Cow::Owned(self.part_of(&value, &next, &mut marked, &range)?.into_owned()),
            };
        }
        let value = value.into_owned();
        Ok(if marked { value.sensitive() } else { value })
    }

    /// Applies operators to each element; what is no list counts as a list of one, and null as an empty one.
    fn splat(&self, value: &Value, each: &[Operator], after: &[Operator], marked: bool) -> Evaluated {
        let marked = marked || value.is_sensitive();
        let elements: &[Value] = match value.unmarked() {
            Value::List(elements) | Value::Set(elements) => elements,
            Value::Null => &[],
            Value::Unknown(_) => return Ok(unknown("splat", vec![value.clone()])),
            single => std::slice::from_ref(single),
        };
        let results: Vec<Evaluated> = elements
            .iter()
            .map(|element| self.follow(Cow::Borrowed(element), each))
            .collect();
        let list = Value::List(results.into_iter().collect::<Result<_, Poisoned>>()?);
        let result = self.follow(Cow::Owned(list), after)?;
        Ok(if marked { result.sensitive() } else { result })
    }

    fn step<'o>(&self, operator: &'o Operator) -> Result<Step<'o>, Poisoned> {
        match operator.value() {
            TraversalOperator::GetAttr(name) => Ok(Step::Attribute(name.as_str())),
            TraversalOperator::LegacyIndex(index) => Ok(Step::Index(Value::Number(Number::from(*index.value())))),
            TraversalOperator::Index(syntax) => self.value(syntax).map(Step::Index),
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                unreachable!("splats are taken care of before single steps")
            }
        }
    }

    /// What one step leads to; a mark passed on the way is remembered.
    fn part_of<'v>(
        &self,
        value: &'v Value,
        step: &Step<'_>,
        marked: &mut bool,
        range: &Range<usize>,
    ) -> Result<Cow<'v, Value>, Poisoned> {
        *marked |= value.is_sensitive();
        match step {
            Step::Attribute(name) => self.attribute(value.unmarked(), name, range),
            Step::Index(key) => {
                *marked |= key.is_sensitive();
                self.index(value.unmarked(), key.unmarked(), range)
            }
        }
    }

    fn attribute<'v>(&self, value: &'v Value, name: &str, range: &Range<usize>) -> Result<Cow<'v, Value>, Poisoned> {
        match value {
            Value::Object(members) => match members.get(name) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => self.undescribed(members, name).map(Cow::Owned).ok_or_else(|| {
                    let known = members.keys().map(String::as_str);
                    self.no_attribute(name, known, range)
                }),
            },
            Value::Unknown(of) => Ok(Cow::Owned(deeper(of, PathStep::Attribute(name.to_owned())))),
            Value::Null => {
                let detail = "This value is null, so it does not have any attributes.";
                Err(self.fail("Attempt to get attribute from null value", detail, range.clone()))
            }
            Value::List(_) | Value::Set(_) => {
                let detail = format!(
                    "A {} has no attributes of its own, and so none named {name:?}. Use an index or a splat, such as [*].{name}, to look into its elements.",
                    kind(value)
                );
                Err(self.fail("Unsupported attribute", detail, range.clone()))
            }
            _ => {
                let detail = format!(
                    "Can't access attributes on a primitive-typed value ({}).",
                    value.type_name()
                );
                Err(self.fail("Unsupported attribute", detail, range.clone()))
            }
        }
    }

    /// An object lacks an attribute that was asked for.
    fn no_attribute<'n>(&self, name: &str, known: impl Iterator<Item = &'n str>, range: &Range<usize>) -> Poisoned {
        let detail = format!("This object does not have an attribute named {name:?}.");
        let diagnostic = crate::Diagnostic::error("Unsupported attribute", detail, self.file.span(range.clone()));
        self.shared
            .report(diagnostic.with_suggestion(suggest::question(name, known)))
    }

    fn index<'v>(&self, value: &'v Value, key: &Value, range: &Range<usize>) -> Result<Cow<'v, Value>, Poisoned> {
        let invalid = |detail: String| self.fail("Invalid index", detail, range.clone());
        match (value, key) {
            (Value::Null, _) => {
                let detail = "This value is null, so it does not have any indices.";
                Err(self.fail("Attempt to index null value", detail, range.clone()))
            }
            (_, Value::Null) => Err(invalid("Can't use a null value as an indexing key.".to_owned())),
            (Value::Set(_), _) => Err(invalid("Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.".to_owned())),
            (Value::Unknown(of), _) => Ok(Cow::Owned(deeper_by_key(of, key))),
            (Value::List(_) | Value::Object(_), Value::Unknown(_)) => {
                Ok(Cow::Owned(unknown("index", vec![value.clone(), key.clone()])))
            }
            (Value::List(elements), key) => element(elements, key).map(Cow::Borrowed).map_err(invalid),
            (Value::Object(members), key) => {
                let name = key_text(key).ok_or_else(|| invalid("A string is required as the key of an object or map.".to_owned()))?;
                members.get(&name).map(Cow::Borrowed).ok_or_else(|| {
                    let detail = format!("The given key {name:?} does not identify an element in this collection value.");
                    let diagnostic = crate::Diagnostic::error("Invalid index", detail, self.file.span(range.clone()));
                    let known = members.keys().map(String::as_str);
                    self.shared.report(diagnostic.with_suggestion(suggest::question(&name, known)))
                })
            }
            (other, _) => Err(invalid(format!("This value does not have any indices: it is a {}.", other.type_name()))),
        }
    }
}

/// An element by its number, or why there is none.
fn element<'v>(elements: &'v [Value], key: &Value) -> Result<&'v Value, String> {
    let number = match key {
        Value::String(text) => Number::parse(text),
        other => other.as_number(),
    };
    let number = number.ok_or("A number is required as the index of a list.")?;
    let position = number.as_i128().ok_or("Indices of a list are whole numbers.")?;
    let detail = match usize::try_from(position) {
        Ok(position) if position < elements.len() => return Ok(&elements[position]),
        Ok(_) if elements.is_empty() => "the collection has no elements",
        Ok(_) => "the given index is greater than or equal to the length of the collection",
        Err(_) => "a negative number is not a valid index for a sequence",
    };
    Err(format!(
        "The given key does not identify an element in this collection value: {detail}."
    ))
}

/// A key as the name of a member: numbers and truth values count as their text.
fn key_text(key: &Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A part of an unknown value: of an attribute it is a longer path.
fn deeper(of: &Unknown, step: PathStep) -> Value {
    match of {
        Unknown::Attribute { of, path } => {
            let mut steps = path.0.clone();
            steps.push(step);
            Value::Unknown(Box::new(Unknown::Attribute {
                of: of.clone(),
                path: AttributePath(steps),
            }))
        }
        other => {
            let step = match step {
                PathStep::Attribute(name) | PathStep::Key(name) => Value::String(name),
                PathStep::Index(index) => Value::Number(Number::from(index as u64)),
            };
            unknown("index", vec![Value::Unknown(Box::new(other.clone())), step])
        }
    }
}

fn deeper_by_key(of: &Unknown, key: &Value) -> Value {
    let index = key
        .as_number()
        .and_then(|number| usize::try_from(number.as_i128()?).ok());
    match (key, index) {
        (_, Some(index)) => deeper(of, PathStep::Index(index)),
        (Value::String(key), None) => deeper(of, PathStep::Key(key.clone())),
        _ => unknown("index", vec![Value::Unknown(Box::new(of.clone())), key.clone()]),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Set(_) => "set",
        _ => "list",
    }
}

/// Where an operator stands, its dot or bracket left out.
fn operator_range(operator: &Operator) -> Range<usize> {
    operator
        .span()
        .or_else(|| match operator.value() {
            TraversalOperator::GetAttr(name) => name.span(),
            TraversalOperator::Index(syntax) => Some(range_of(syntax)),
            _ => None,
        })
        .unwrap_or_default()
}
