//! Templates in quotes, heredocs and files: <https://developer.hashicorp.com/terraform/language/expressions/strings>.

mod white_space;

use hcl_edit::expr::Expression as Syntax;
use hcl_edit::template::{Directive, Element, ForDirective, HeredocTemplate, IfDirective, StringTemplate, Template};

use super::expression::unknown;
use super::scope::{Bound, Evaluated, Poisoned, Scope};
use crate::module::range_of;
use crate::types::{Type, convert};
use crate::{Unknown, Value};
use white_space::Texts;

/// What a template is made of so far.
#[derive(Default)]
struct Rendered {
    /// Strings and unknown values in order.
    parts: Vec<Value>,
    marked: bool,
}

impl Scope<'_> {
    pub(super) fn quoted_template(&self, template: &StringTemplate) -> Evaluated {
        let texts = Texts::quoted(template, self.file);
        self.template(template, &texts)
    }

    pub(super) fn heredoc(&self, heredoc: &HeredocTemplate) -> Evaluated {
        let texts = Texts::heredoc(heredoc, self.file);
        self.template(&heredoc.template, &texts)
    }

    /// A template that is a whole file.
    pub(super) fn template_file(&self, template: &Template) -> Evaluated {
        let texts = Texts::file(template, self.file);
        self.template(template, &texts)
    }

    /// A lone interpolation is the value itself, whatever its type; anything else is a string.
    fn template(&self, template: &Template, texts: &Texts) -> Evaluated {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.value(&only.expr);
        }
        let mut rendered = Rendered::default();
        self.elements(template, texts, &mut rendered)?;
        Ok(rendered.into_value())
    }

    /// All elements are tried, so that each one's problems are reported.
    fn elements(&self, template: &Template, texts: &Texts, rendered: &mut Rendered) -> Result<(), Poisoned> {
        let mut result = Ok(());
        for element in template {
            let outcome = match element {
                Element::Literal(literal) => {
                    rendered.text(&texts.get(literal));
                    Ok(())
                }
                Element::Interpolation(interpolation) => self.interpolation(&interpolation.expr, rendered),
                Element::Directive(directive) => match directive.as_ref() {
                    Directive::If(directive) => self.if_directive(directive, texts, rendered),
                    Directive::For(directive) => self.for_directive(directive, texts, rendered),
                },
            };
            result = result.and(outcome);
        }
        result
    }

    fn interpolation(&self, syntax: &Syntax, rendered: &mut Rendered) -> Result<(), Poisoned> {
        let value = self.value(syntax)?;
        rendered.marked |= value.is_sensitive();
        let invalid = |detail: String| self.fail("Invalid template interpolation value", detail, range_of(syntax));
        if value.is_null() {
            return Err(invalid(
                "The expression result is null. Cannot include a null value in a string template.".into(),
            ));
        }
        let value = convert(value.into_unmarked(), &Type::String).map_err(|message| {
            invalid(format!(
                "Cannot include the given value in a string template: {message}."
            ))
        })?;
        rendered.value(value);
        Ok(())
    }

    fn if_directive(&self, directive: &IfDirective, texts: &Texts, rendered: &mut Rendered) -> Result<(), Poisoned> {
        let condition = self.condition(&directive.if_expr.cond_expr)?;
        rendered.marked |= condition.is_sensitive();
        match (condition.as_bool(), &directive.else_expr) {
            (Some(true), _) => self.elements(&directive.if_expr.template, texts, rendered),
            (Some(false), Some(otherwise)) => self.elements(&otherwise.template, texts, rendered),
            (Some(false), None) => Ok(()),
            (None, _) => {
                rendered.value(unknown("conditional", vec![condition]));
                Ok(())
            }
        }
    }

    fn for_directive(&self, directive: &ForDirective, texts: &Texts, rendered: &mut Rendered) -> Result<(), Poisoned> {
        let head = &directive.for_expr;
        let collection = self.value(&head.collection_expr)?;
        rendered.marked |= collection.is_sensitive();
        if collection.is_unknown() {
            rendered.value(unknown("for", vec![collection]));
            return Ok(());
        }
        for (key, value) in self.iterate(&collection, &head.collection_expr, "a 'for' directive")? {
            let key_bound;
            let mut scope = *self;
            if let Some(name) = &head.key_var {
                key_bound = Bound {
                    name: name.as_str(),
                    value: key,
                    outer: self.bound,
                };
                scope = scope.inside(&key_bound);
            }
            let value_bound = Bound {
                name: head.value_var.as_str(),
                value,
                outer: scope.bound,
            };
            scope.inside(&value_bound).elements(&head.template, texts, rendered)?;
        }
        Ok(())
    }
}

impl Rendered {
    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Value::String(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Value::String(text.to_owned())),
        }
    }

    /// A template inside a template becomes part of it.
    fn value(&mut self, value: Value) {
        match value {
            Value::String(text) => self.text(&text),
            Value::Sensitive(inner) => {
                self.marked = true;
                self.value(*inner);
            }
            Value::Unknown(of) => match *of {
                Unknown::Template(parts) => parts.into_iter().for_each(|part| self.value(part)),
                other => self.parts.push(Value::Unknown(Box::new(other))),
            },
            other => self.parts.push(other),
        }
    }

    fn into_value(mut self) -> Value {
        let value = match self.parts.pop() {
            None => Value::String(String::new()),
            Some(Value::String(text)) if self.parts.is_empty() => Value::String(text),
            Some(last) => {
                self.parts.push(last);
                Value::Unknown(Box::new(Unknown::Template(self.parts)))
            }
        };
        if self.marked { value.sensitive() } else { value }
    }
}
