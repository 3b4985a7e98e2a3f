//! Patterns as text, so that it is read as the same.

use std::fmt;

use super::scanner::is_name_part;
use super::{
    Comparison, Conditions, Field, FilterPattern, JsonCondition, JsonTest, PatternValue, RegexText, Selector, Step,
    Term, TermRole, TermText,
};

impl fmt::Display for FilterPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms(terms) => f.write_str(&joined(terms, " ")),
            Self::Json(conditions) => write!(f, "{{ {} }}", conditions_text(conditions, &JsonCondition::to_string)),
            Self::Fields(fields) => write!(f, "[{}]", joined(fields, ", ")),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.role {
            TermRole::Required => "",
            TermRole::Optional => "?",
            TermRole::Excluded => "-",
        })?;
        match &self.text {
            TermText::Exact(text) => f.write_str(&word(text)),
            TermText::Regex(regex) => regex.fmt(f),
        }
    }
}

impl fmt::Display for JsonCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.selector)?;
        match &self.test {
            JsonTest::Compare(comparison) => comparison.fmt(f),
            JsonTest::Is(true) => f.write_str("IS TRUE"),
            JsonTest::Is(false) => f.write_str("IS FALSE"),
            JsonTest::IsNull => f.write_str("IS NULL"),
            JsonTest::NotExists => f.write_str("NOT EXISTS"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.sign(), self.value)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest => f.write_str("..."),
            Self::Named { name, conditions: None } => f.write_str(name),
            Self::Named {
                name,
                conditions: Some(conditions),
            } => f.write_str(&conditions_text(conditions, &|comparison| {
                format!("{name} {comparison}")
            })),
        }
    }
}

impl fmt::Display for PatternValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if super::number(text).is_some() => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Regex(regex) => regex.fmt(f),
        }
    }
}

impl fmt::Display for RegexText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}%", self.as_str())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Member(name) => write!(f, ".{}", word(name)),
                Step::Element(index) => write!(f, "[{index}]"),
                Step::AnyMember => f.write_str(".*"),
                Step::AnyElement => f.write_str("[*]"),
            }?;
        }
        Ok(())
    }
}

/// Conditions with parentheses around every group but the outermost.
fn conditions_text<T>(conditions: &Conditions<T>, text: &impl Fn(&T) -> String) -> String {
    let inside = |conditions: &Conditions<T>| match conditions {
        Conditions::One(one) => text(one),
        group => format!("({})", conditions_text(group, text)),
    };
    match conditions {
        Conditions::One(one) => text(one),
        Conditions::All(all) => all.iter().map(inside).collect::<Vec<_>>().join(" && "),
        Conditions::Any(any) => any.iter().map(inside).collect::<Vec<_>>().join(" || "),
    }
}

fn joined<T: fmt::Display>(all: &[T], between: &str) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(between)
}

/// Letters, digits and `_` need no quotes.
fn word(text: &str) -> String {
    let is_plain = text.chars().all(|char| is_name_part(char) && char != '-') && !text.is_empty();
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
