//! `condition ? a : b`.

use hcl_edit::expr::{Conditional, Expression as Syntax};

use super::expression::unknown;
use super::scope::{Evaluated, Poisoned, Scope};
use crate::Value;
use crate::module::range_of;
use crate::types::{Type, convert, unify};

impl Scope<'_> {
    /// Both branches are evaluated, since both decide on the type; only the chosen one may report problems.
    pub(super) fn conditional(&self, conditional: &Conditional) -> Evaluated {
        let condition = self.condition(&conditional.cond_expr)?;
        let marked = condition.is_sensitive();
        let (chosen, other) = match condition.as_bool() {
            Some(true) => (&conditional.true_expr, &conditional.false_expr),
            Some(false) => (&conditional.false_expr, &conditional.true_expr),
            None => return Ok(self.undecided(condition, conditional)),
        };
        let chosen = self.value(chosen);
        let other = self.shared.quietly(|| self.value(other));
        let value = match other {
            Ok(other) => self.unified(chosen?, &other, conditional)?,
            Err(Poisoned) => chosen?,
        };
        Ok(if marked { value.sensitive() } else { value })
    }

    /// The value of a condition: a truth value or something unknown.
    pub(super) fn condition(&self, syntax: &Syntax) -> Evaluated {
        let value = self.value(syntax)?;
        if value.is_null() {
            let detail = "The condition value is null. Conditions must either be true or false.";
            return Err(self.fail("Null condition", detail, range_of(syntax)));
        }
        convert(value, &Type::Bool).map_err(|message| {
            let detail = format!("The condition expression must be of type bool: {message}.");
            self.fail("Incorrect condition type", detail, range_of(syntax))
        })
    }

    /// An unknown condition leaves the result unknown, unless Terraform can tell that it does not matter.
    fn undecided(&self, condition: Value, conditional: &Conditional) -> Value {
        let branches = self.shared.quietly(|| {
            [&conditional.true_expr, &conditional.false_expr].map(|branch| self.value(branch).unwrap_or(Value::Null))
        });
        let marked = condition.is_sensitive();
        let value = match branches {
            [Value::Number(a), Value::Number(b)] if a == b => Value::Number(a),
            [Value::Null, Value::Null] => Value::Null,
            [a, b] => unknown("conditional", vec![condition, a, b]),
        };
        if marked { value.sensitive() } else { value }
    }

    /// The chosen value in the type it shares with the other one: `true ? 1 : "a"` is `"1"`.
    ///
    /// Objects that have no type in common are left as they are: Terraform refuses some of them because it tells maps from objects.
    fn unified(&self, chosen: Value, other: &Value, conditional: &Conditional) -> Evaluated {
        if let Some(ty) = unify([&chosen, other].into_iter()) {
            return Ok(convert(chosen.clone(), &ty).unwrap_or(chosen));
        }
        if family(&chosen) == family(other) && family(other) != Family::Primitive {
            return Ok(chosen);
        }
        let detail = format!(
            "The true and false result expressions must have consistent types, but one is {} and the other is {}.",
            chosen.type_name(),
            other.type_name()
        );
        let range = range_of(&conditional.true_expr).start..range_of(&conditional.false_expr).end;
        Err(self.fail("Inconsistent conditional result types", detail, range))
    }
}

#[derive(PartialEq)]
enum Family {
    Primitive,
    Elements,
    Members,
}

fn family(value: &Value) -> Family {
    match value.unmarked() {
        Value::List(_) | Value::Set(_) => Family::Elements,
        Value::Object(_) => Family::Members,
        _ => Family::Primitive,
    }
}
