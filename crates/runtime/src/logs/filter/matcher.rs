//! Whether an event matches a pattern.
//!
//! Where CloudWatch Logs' documentation is silent, the choice made here:
//! - a term is found anywhere in the event, also inside a word;
//! - a number of the pattern is compared as a number where the event has one, or a text that is one; else as text;
//! - a member that is not there is not unequal to anything.

use std::cell::OnceCell;

use karma_fleet::metric::EventValue;
use karma_fleet::metric::filter_pattern::{
    Comparison, ComparisonSign, Conditions, Field, FilterPattern, JsonCondition, JsonTest, PatternValue, RegexText,
    Selector, TermRole, TermText, number,
};
use regex::Regex;
use serde_json::Value as Json;

use super::fields::fields;
use super::scalar;

/// A log event. It is taken apart once, if at all.
#[derive(Debug)]
pub(super) struct Event<'a> {
    message: &'a str,
    json: OnceCell<Option<Json>>,
    fields: OnceCell<Vec<&'a str>>,
}

/// A pattern that is ready to be held against events.
#[derive(Debug)]
pub(super) struct Matcher(Ready);

/// How an event matched.
#[derive(Debug)]
pub(super) struct Found<'m> {
    matcher: &'m Matcher,
}

#[derive(Debug)]
enum Ready {
    Terms(Vec<(TermRole, Part)>),
    Json(Conditions<(Selector, Test)>),
    Fields(Vec<ReadyField>),
}

#[derive(Debug)]
enum Part {
    Exact(String),
    Regex(Regex),
}

#[derive(Debug)]
enum Test {
    Compare(ComparisonSign, Operand),
    Is(bool),
    IsNull,
    NotExists,
}

#[derive(Debug)]
enum Operand {
    /// Text, and the number it stands for.
    Text(String, Option<f64>),
    Regex(Regex),
}

#[derive(Debug)]
enum ReadyField {
    Named(String, Option<Conditions<(ComparisonSign, Operand)>>),
    Rest,
}

impl<'a> Event<'a> {
    pub(super) fn new(message: &'a str) -> Self {
        Self {
            message,
            json: OnceCell::new(),
            fields: OnceCell::new(),
        }
    }

    fn json(&self) -> Option<&Json> {
        let read = || serde_json::from_str(self.message).ok().filter(Json::is_object);
        self.json.get_or_init(read).as_ref()
    }

    fn fields(&self) -> &[&'a str] {
        self.fields.get_or_init(|| fields(self.message))
    }
}

impl Matcher {
    pub(super) fn new(pattern: &FilterPattern) -> Self {
        Self(match pattern {
            FilterPattern::Terms(terms) => {
                Ready::Terms(terms.iter().map(|term| (term.role, Part::new(&term.text))).collect())
            }
            FilterPattern::Json(conditions) => Ready::Json(
                conditions.map(&|condition: &JsonCondition| (condition.selector.clone(), Test::new(&condition.test))),
            ),
            FilterPattern::Fields(fields) => Ready::Fields(fields.iter().map(ReadyField::new).collect()),
        })
    }

    pub(super) fn find(&self, event: &Event<'_>) -> Option<Found<'_>> {
        let matches = match &self.0 {
            Ready::Terms(terms) => has_terms(terms, event.message),
            Ready::Json(conditions) => event.json().is_some_and(|event| {
                conditions.hold(&|(selector, test): &(Selector, Test)| test.holds(&selector.find(event)))
            }),
            Ready::Fields(wanted) => fit(wanted, event.fields()),
        };
        matches.then_some(Found { matcher: self })
    }
}

impl Found<'_> {
    /// What a transformation takes from the event.
    pub(super) fn text(&self, event: &Event<'_>, value: &EventValue) -> Option<String> {
        match value {
            EventValue::Number(number) => Some(number.to_string()),
            EventValue::Member(selector) => scalar(selector.find(event.json()?).first()?),
            EventValue::Field(name) => self.field(event.fields(), name).map(str::to_owned),
        }
    }

    fn field<'e>(&self, fields: &[&'e str], name: &str) -> Option<&'e str> {
        let Ready::Fields(wanted) = &self.matcher.0 else {
            return None;
        };
        let position = wanted.iter().position(|field| field.is_called(name))?;
        let rest = wanted.iter().position(|field| matches!(field, ReadyField::Rest));
        let index = match rest {
            Some(rest) if rest < position => fields.len().checked_sub(wanted.len() - position)?,
            _ => position,
        };
        fields.get(index).copied()
    }
}

/// Optional terms count only where there are no others.
fn has_terms(terms: &[(TermRole, Part)], message: &str) -> bool {
    let of = |role| {
        terms
            .iter()
            .filter(move |(other, _)| *other == role)
            .map(|(_, part)| part)
    };
    let stands = |part: &Part| part.is_in(message);
    if !terms.is_empty() && terms.iter().all(|(role, _)| *role == TermRole::Optional) {
        return of(TermRole::Optional).any(stands);
    }
    of(TermRole::Required).all(stands) && !of(TermRole::Excluded).any(stands)
}

/// Fields before the `...` are held against the first ones of the event, those behind it against the last.
fn fit(wanted: &[ReadyField], fields: &[&str]) -> bool {
    let holds = |(wanted, field): (&ReadyField, &&str)| wanted.holds(field);
    let Some(rest) = wanted.iter().position(|field| matches!(field, ReadyField::Rest)) else {
        return wanted.len() == fields.len() && wanted.iter().zip(fields).all(holds);
    };
    let (before, behind) = (&wanted[..rest], &wanted[rest + 1..]);
    fields.len() >= before.len() + behind.len()
        && before.iter().zip(fields).all(holds)
        && behind.iter().rev().zip(fields.iter().rev()).all(holds)
}

impl Part {
    fn new(text: &TermText) -> Self {
        match text {
            TermText::Exact(text) => Self::Exact(text.clone()),
            TermText::Regex(regex) => Self::Regex(ready(regex)),
        }
    }

    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Exact(text) => message.contains(text),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

impl Test {
    fn new(test: &JsonTest) -> Self {
        match test {
            JsonTest::Compare(comparison) => Self::Compare(comparison.operator, Operand::new(&comparison.value)),
            JsonTest::Is(truth) => Self::Is(*truth),
            JsonTest::IsNull => Self::IsNull,
            JsonTest::NotExists => Self::NotExists,
        }
    }

    /// Whether it holds of any member that the selector leads to.
    fn holds(&self, found: &[&Json]) -> bool {
        match self {
            Self::NotExists => found.is_empty(),
            Self::Is(truth) => found.iter().any(|value| value.as_bool() == Some(*truth)),
            Self::IsNull => found.iter().any(|value| value.is_null()),
            Self::Compare(operator, operand) => found.iter().any(|value| match value {
                Json::String(text) => operand.compare(*operator, text),
                Json::Number(number) => operand.compare(*operator, &number.to_string()),
                _ => false,
            }),
        }
    }
}

impl Operand {
    fn new(value: &PatternValue) -> Self {
        match value {
            PatternValue::Text(text) => Self::Text(text.clone(), value.as_number()),
            PatternValue::Regex(regex) => Self::Regex(ready(regex)),
        }
    }

    fn compare(&self, operator: ComparisonSign, text: &str) -> bool {
        match operator {
            ComparisonSign::Equal => self.equals(text),
            ComparisonSign::NotEqual => !self.equals(text),
            ComparisonSign::Less => self.is_in_order(text, |one, other| one < other),
            ComparisonSign::LessOrEqual => self.is_in_order(text, |one, other| one <= other),
            ComparisonSign::Greater => self.is_in_order(text, |one, other| one > other),
            ComparisonSign::GreaterOrEqual => self.is_in_order(text, |one, other| one >= other),
        }
    }

    fn equals(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::Text(pattern, wanted) => match (wanted, number(text)) {
                (Some(wanted), Some(number)) => wanted.total_cmp(&number).is_eq(),
                _ => matches_wildcards(pattern, text),
            },
        }
    }

    fn is_in_order(&self, text: &str, compare: impl Fn(f64, f64) -> bool) -> bool {
        match self {
            Self::Text(_, Some(wanted)) => number(text).is_some_and(|number| compare(number, *wanted)),
            Self::Text(_, None) | Self::Regex(_) => false,
        }
    }
}

impl ReadyField {
    fn new(field: &Field) -> Self {
        match field {
            Field::Rest => Self::Rest,
            Field::Named { name, conditions } => Self::Named(
                name.clone(),
                conditions.as_ref().map(|conditions| {
                    conditions.map(&|comparison: &Comparison| (comparison.operator, Operand::new(&comparison.value)))
                }),
            ),
        }
    }

    fn holds(&self, field: &str) -> bool {
        match self {
            Self::Named(_, Some(conditions)) => {
                conditions.hold(&|(operator, operand): &(ComparisonSign, Operand)| operand.compare(*operator, field))
            }
            Self::Named(_, None) | Self::Rest => true,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        matches!(self, Self::Named(called, _) if called == name)
    }
}

fn ready(regex: &RegexText) -> Regex {
    Regex::new(regex.as_str()).expect("it was checked when the pattern was read")
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn matches_wildcards(pattern: &str, text: &str) -> bool {
    let Some((first, behind)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = behind.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(position) = rest.find(part) else {
            return false;
        };
        rest = &rest[position + part.len()..];
    }
    rest.ends_with(last)
}
