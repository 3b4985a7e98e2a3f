//! `[for ...]` and `{for ...}`: <https://developer.hashicorp.com/terraform/language/expressions/for>.

use hcl_edit::expr::{Expression as Syntax, ForExpr};

use super::expression::unknown;
use super::scope::{Bound, Evaluated, Poisoned, Scope};
use crate::module::range_of;
use crate::types::{Type, convert};
use crate::{Number, Object, Value};

/// What one round of the loop adds to the result.
enum Round {
    Skipped,
    Element(Value),
    Member(String, Value),
    /// This condition or key cannot be known, and so neither can the result.
    Unknown(Value),
}

impl Scope<'_> {
    pub(super) fn for_expression(&self, expression: &ForExpr) -> Evaluated {
        let intro = &expression.intro;
        let collection = self.value(&intro.collection_expr)?;
        if collection.is_unknown() {
            return Ok(unknown("for", vec![collection]));
        }
        let mut marked = collection.is_sensitive();
        let key_name = intro.key_var.as_ref().map(|name| name.as_str());
        let mut rounds = Vec::new();
        for (key, value) in self.iterate(&collection, &intro.collection_expr, "a 'for' expression")? {
            let (key_bound, value_bound);
            let mut scope = *self;
            if let Some(name) = key_name {
                key_bound = Bound {
                    name,
                    value: key,
                    outer: self.bound,
                };
                scope = scope.inside(&key_bound);
            }
            value_bound = Bound {
                name: intro.value_var.as_str(),
                value,
                outer: scope.bound,
            };
            rounds.push(scope.inside(&value_bound).round(expression, &mut marked));
        }
        let rounds = rounds.into_iter().collect::<Result<Vec<Round>, Poisoned>>()?;
        let value = self.gather(expression, rounds, &collection)?;
        Ok(if marked { value.sensitive() } else { value })
    }

    /// The keys and values of a known collection.
    pub(super) fn iterate(
        &self,
        collection: &Value,
        syntax: &Syntax,
        place: &str,
    ) -> Result<Vec<(Value, Value)>, Poisoned> {
        let index = |position: usize| Value::Number(Number::from(position as u64));
        match collection.unmarked() {
            Value::List(elements) => Ok(elements
                .iter()
                .enumerate()
                .map(|(position, value)| (index(position), value.clone()))
                .collect()),
            Value::Set(elements) => Ok(elements.iter().map(|value| (value.clone(), value.clone())).collect()),
            Value::Object(members) => Ok(members
                .iter()
                .map(|(name, value)| (Value::String(name.clone()), value.clone()))
                .collect()),
            Value::Null => {
                let detail = format!("A null value cannot be used as the collection in {place}.");
                Err(self.fail("Iteration over null value", detail, range_of(syntax)))
            }
            other => {
                let ty = other.type_name();
                let detail = format!("A value of type {ty} cannot be used as the collection in {place}.");
                Err(self.fail("Iteration over non-iterable value", detail, range_of(syntax)))
            }
        }
    }

    fn round(&self, expression: &ForExpr, marked: &mut bool) -> Result<Round, Poisoned> {
        if let Some(condition) = &expression.cond {
            let condition = self.condition(&condition.expr)?;
            *marked |= condition.is_sensitive();
            match condition.as_bool() {
                Some(true) => {}
                Some(false) => return Ok(Round::Skipped),
                None => return Ok(Round::Unknown(condition)),
            }
        }
        let Some(key_syntax) = &expression.key_expr else {
            return self.value(&expression.value_expr).map(Round::Element);
        };
        let key = self.round_key(key_syntax);
        let value = self.value(&expression.value_expr);
        let (key, value) = (key?, value?);
        *marked |= key.is_sensitive();
        match key.into_unmarked() {
            Value::String(key) => Ok(Round::Member(key, value)),
            unknown => Ok(Round::Unknown(unknown)),
        }
    }

    fn round_key(&self, syntax: &Syntax) -> Evaluated {
        let key = self.value(syntax)?;
        if key.is_null() {
            let detail = "Key expression in 'for' expression must not produce a null value.";
            return Err(self.fail("Invalid object key", detail, range_of(syntax)));
        }
        convert(key, &Type::String).map_err(|message| {
            let detail = format!("The key expression produced an invalid result: {message}.");
            self.fail("Invalid object key", detail, range_of(syntax))
        })
    }

    fn gather(&self, expression: &ForExpr, rounds: Vec<Round>, collection: &Value) -> Evaluated {
        let mut elements = Vec::new();
        let mut members = Object::new();
        for round in rounds {
            match round {
                Round::Skipped => {}
                Round::Unknown(cause) => return Ok(unknown("for", vec![collection.clone(), cause])),
                Round::Element(value) => elements.push(value),
                Round::Member(key, value) if expression.grouping => group(&mut members, key, value),
                Round::Member(key, _) if members.contains_key(&key) => return Err(self.twice(expression, &key)),
                Round::Member(key, value) => drop(members.insert(key, value)),
            }
        }
        Ok(if expression.key_expr.is_some() {
            Value::Object(members)
        } else {
            Value::List(elements)
        })
    }

    fn twice(&self, expression: &ForExpr, key: &str) -> Poisoned {
        let detail = format!(
            "Two different items produced the key {key:?} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."
        );
        let range = expression.key_expr.as_ref().map(range_of).unwrap_or_default();
        self.fail("Duplicate object key", detail, range)
    }
}

fn group(members: &mut Object, key: String, value: Value) {
    match members.entry(key).or_insert_with(|| Value::List(Vec::new())) {
        Value::List(values) => values.push(value),
        _ => unreachable!("only lists are put in"),
    }
}
