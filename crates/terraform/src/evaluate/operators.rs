//! Arithmetic, comparison and logic: <https://developer.hashicorp.com/terraform/language/expressions/operators>.

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression as Syntax, UnaryOp, UnaryOperator};

use super::expression::unknown;
use super::scope::{Evaluated, Poisoned, Scope};
use crate::module::range_of;
use crate::types::{Type, convert};
use crate::{Number, Value};

impl Scope<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp) -> Evaluated {
        let (ty, name) = match operation.operator.value() {
            UnaryOperator::Neg => (Type::Number, "operator -"),
            UnaryOperator::Not => (Type::Bool, "operator !"),
        };
        let value = self.value(&operation.expr)?;
        let marked = value.is_sensitive();
        let operand = self.operand(value, &ty, "the", &operation.expr)?;
        let result = match operand {
            Value::Number(number) => Value::Number(number.neg()),
            Value::Bool(truth) => Value::Bool(!truth),
            other => unknown(name, vec![other]),
        };
        Ok(if marked { result.sensitive() } else { result })
    }

    pub(super) fn binary(&self, operation: &BinaryOp) -> Evaluated {
        let left = self.value(&operation.lhs_expr);
        let right = self.value(&operation.rhs_expr);
        let (left, right) = (left?, right?);
        let operator = *operation.operator.value();
        if matches!(operator, BinaryOperator::Eq | BinaryOperator::NotEq) {
            return Ok(equality(operator, left, right));
        }
        let ty = match operator {
            BinaryOperator::And | BinaryOperator::Or => Type::Bool,
            _ => Type::Number,
        };
        let marked = left.is_sensitive() || right.is_sensitive();
        let left = self.operand(left, &ty, "left", &operation.lhs_expr);
        let right = self.operand(right, &ty, "right", &operation.rhs_expr);
        let result = match (left?, right?) {
            (Value::Number(left), Value::Number(right)) => self.arithmetic(operator, &left, &right, operation)?,
            (Value::Bool(left), Value::Bool(right)) => Value::Bool(match operator {
                BinaryOperator::And => left && right,
                _ => left || right,
            }),
            (left, right) => unknown(name(operator), vec![left, right]),
        };
        Ok(if marked { result.sensitive() } else { result })
    }

    /// An operand of the type the operator works on, without its mark; it may be unknown but not null.
    fn operand(&self, value: Value, ty: &Type, side: &str, syntax: &Syntax) -> Evaluated {
        let side = if side == "the" {
            "operand"
        } else {
            &format!("{side} operand")
        };
        let value = value.into_unmarked();
        if value.is_null() {
            let detail = format!("Unsuitable value for {side}: argument must not be null.");
            return Err(self.fail("Invalid operand", detail, range_of(syntax)));
        }
        convert(value, ty).map_err(|message| {
            let detail = format!("Unsuitable value for {side}: {message}.");
            self.fail("Invalid operand", detail, range_of(syntax))
        })
    }

    fn arithmetic(
        &self,
        operator: BinaryOperator,
        left: &Number,
        right: &Number,
        operation: &BinaryOp,
    ) -> Result<Value, Poisoned> {
        let by_zero = || {
            let detail = "Divisor must not be zero, and the divisor of this operation is.";
            self.fail("Division by zero", detail, range_of(&operation.rhs_expr))
        };
        Ok(match operator {
            BinaryOperator::Plus => Value::Number(left.add(right)),
            BinaryOperator::Minus => Value::Number(left.sub(right)),
            BinaryOperator::Mul => Value::Number(left.mul(right)),
            BinaryOperator::Div => Value::Number(left.div(right).ok_or_else(by_zero)?),
            BinaryOperator::Mod => Value::Number(left.rem(right).ok_or_else(by_zero)?),
            BinaryOperator::Less => Value::Bool(left < right),
            BinaryOperator::LessEq => Value::Bool(left <= right),
            BinaryOperator::Greater => Value::Bool(left > right),
            _ => Value::Bool(left >= right),
        })
    }
}

/// Values of different types are never equal; nothing is converted.
fn equality(operator: BinaryOperator, left: Value, right: Value) -> Value {
    let marked = left.contains_sensitive() || right.contains_sensitive();
    let result = match left.equals(&right) {
        Some(equal) => Value::Bool(equal == (operator == BinaryOperator::Eq)),
        None => unknown(name(operator), vec![left, right]),
    };
    if marked { result.sensitive() } else { result }
}

/// What an unknown remembers of the operator.
fn name(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Eq => "operator ==",
        BinaryOperator::NotEq => "operator !=",
        BinaryOperator::LessEq => "operator <=",
        BinaryOperator::GreaterEq => "operator >=",
        BinaryOperator::Less => "operator <",
        BinaryOperator::Greater => "operator >",
        BinaryOperator::Plus => "operator +",
        BinaryOperator::Minus => "operator -",
        BinaryOperator::Mul => "operator *",
        BinaryOperator::Div => "operator /",
        BinaryOperator::Mod => "operator %",
        BinaryOperator::And => "operator &&",
        BinaryOperator::Or => "operator ||",
    }
}
