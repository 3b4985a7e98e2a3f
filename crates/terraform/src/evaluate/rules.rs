//! Conditions with a message: `validation`, `precondition`, `postcondition`.

use super::scope::{Poisoned, Scope};
use crate::module::Rule;
use crate::types::{Type, convert};
use crate::{Diagnostic, Span, Value};

impl Scope<'_> {
    /// Reports each rule that does not hold, at its condition. What cannot be known yet is left to apply.
    pub(super) fn check_rules(&self, rules: &[Rule], summary: &'static str) {
        for rule in rules {
            // What the block itself says is evaluated all the same, so that its own problems show.
            let _reported = self.check_rule(rule, summary, &rule.condition.span());
        }
    }

    /// The same, reported at another place; fails if there was anything to report.
    pub(super) fn check_rules_at(&self, rules: &[Rule], summary: &'static str, span: &Span) -> Result<(), Poisoned> {
        let before = self.shared.reported();
        for rule in rules {
            // A rule that cannot be evaluated because something else failed says nothing about this value.
            let _reported = self.check_rule(rule, summary, span);
        }
        if self.shared.reported() == before {
            Ok(())
        } else {
            Err(Poisoned)
        }
    }

    fn check_rule(&self, rule: &Rule, summary: &'static str, span: &Span) -> Result<(), Poisoned> {
        let condition = self.evaluate(&rule.condition)?;
        if condition.is_unknown() {
            return Ok(());
        }
        let invalid = |reason: &str| {
            let detail = format!("The condition expression must produce true or false: {reason}.");
            self.shared
                .report(Diagnostic::error("Invalid condition", detail, rule.condition.span()))
        };
        let truth = convert(condition, &Type::Bool).map_err(|message| invalid(&message))?;
        match truth.as_bool() {
            Some(true) => Ok(()),
            Some(false) => Err(self
                .shared
                .report(Diagnostic::error(summary, self.message(rule), span.clone()))),
            None => Err(invalid("it must not be null")),
        }
    }

    fn message(&self, rule: &Rule) -> String {
        match self.evaluate(&rule.error_message) {
            Ok(Value::String(text)) => text.trim().to_owned(),
            Ok(Value::Sensitive(_)) => {
                "The error message included a sensitive value, so it will not be displayed.".to_owned()
            }
            Ok(_) | Err(Poisoned) => "The condition does not hold, and its error message is no text.".to_owned(),
        }
    }
}
