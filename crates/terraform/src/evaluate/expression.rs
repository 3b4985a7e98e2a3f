//! The value of an expression, by what kind of expression it is.

use hcl_edit::expr::{Array, Expression as Syntax, Object as ObjectSyntax, ObjectKey};
use hcl_edit::{Formatted, Span as _};

use super::scope::{Evaluated, Poisoned, Scope};
use crate::module::range_of;
use crate::types::{Type, convert};
use crate::{Number, Object, Unknown, Value};

impl Scope<'_> {
    /// The value of a part of an expression.
    pub(crate) fn value(&self, syntax: &Syntax) -> Evaluated {
        match syntax {
            Syntax::Null(_) => Ok(Value::Null),
            Syntax::Bool(truth) => Ok(Value::Bool(*truth.value())),
            Syntax::Number(number) => self.number(number),
            Syntax::String(text) => Ok(Value::String(text.value().clone())),
            Syntax::Array(array) => self.array(array),
            Syntax::Object(object) => self.object(object),
            Syntax::StringTemplate(template) => self.quoted_template(template),
            Syntax::HeredocTemplate(heredoc) => self.heredoc(heredoc),
            Syntax::Parenthesis(parenthesis) => self.value(parenthesis.inner()),
            Syntax::Variable(_) => self.traverse(syntax, &[]),
            Syntax::Traversal(traversal) => self.traverse(&traversal.expr, &traversal.operators),
            Syntax::Conditional(conditional) => self.conditional(conditional),
            Syntax::FuncCall(call) => self.call(call),
            Syntax::UnaryOp(operation) => self.unary(operation),
            Syntax::BinaryOp(operation) => self.binary(operation),
            Syntax::ForExpr(expression) => self.for_expression(expression),
        }
    }

    /// The values of several expressions; all of them are tried, so that each one's problems are reported.
    pub(super) fn values<'e>(&self, expressions: impl Iterator<Item = &'e Syntax>) -> Result<Vec<Value>, Poisoned> {
        let values: Vec<Evaluated> = expressions.map(|expression| self.value(expression)).collect();
        values.into_iter().collect()
    }

    /// The written digits count: the parser's own numbers are coarser than Terraform's.
    fn number(&self, number: &Formatted<hcl_edit::Number>) -> Evaluated {
        if let Some(whole) = number.value().as_i64() {
            return Ok(Value::Number(Number::from(whole)));
        }
        let range = number.span().unwrap_or_default();
        let digits: String = self.file.slice(range.clone()).split_whitespace().collect();
        let number = Number::parse(&digits).or_else(|| Number::from_f64(number.value().as_f64()?));
        number
            .map(Value::Number)
            .ok_or_else(|| self.fail("Invalid number", "This number is too large.", range))
    }

    fn array(&self, array: &Array) -> Evaluated {
        self.values(array.iter()).map(Value::List)
    }

    fn object(&self, object: &ObjectSyntax) -> Evaluated {
        let entries: Vec<_> = object
            .iter()
            .map(|(key, value)| (self.key(key), self.value(value.expr())))
            .collect();
        let mut members = Object::new();
        let mut marked = false;
        let mut unknown_keys = Vec::new();
        for (key, value) in entries {
            let (key, value) = (key?, value?);
            marked |= key.is_sensitive();
            match key.into_unmarked() {
                Value::String(name) => drop(members.insert(name, value)),
                unknown => unknown_keys.push(unknown),
            }
        }
        let value = if unknown_keys.is_empty() {
            Value::Object(members)
        } else {
            unknown_keys.push(Value::Object(members));
            unknown("object", unknown_keys)
        };
        Ok(if marked { value.sensitive() } else { value })
    }

    /// The key of an object's member: a string, or something unknown.
    fn key(&self, key: &ObjectKey) -> Evaluated {
        let expression = match key {
            ObjectKey::Ident(name) => return Ok(Value::String(name.to_string())),
            ObjectKey::Expression(expression) => expression,
        };
        let value = self.value(expression)?;
        if value.is_null() {
            let detail = "Can't use a null value as a key.";
            return Err(self.fail("Null value as key", detail, range_of(expression)));
        }
        convert(value, &Type::String).map_err(|message| {
            let detail = format!("Can't use this value as a key: {message}.");
            self.fail("Incorrect key type", detail, range_of(expression))
        })
    }
}

/// A value that cannot be known before apply because of these arguments.
pub(super) fn unknown(function: &'static str, arguments: Vec<Value>) -> Value {
    Value::Unknown(Box::new(Unknown::Call { function, arguments }))
}
