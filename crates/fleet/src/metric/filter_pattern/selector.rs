//! Which member of a JSON event is meant: `$.request.headers[0].name`.

use serde_json::Value as Json;

use super::PatternError;
use super::scanner::Scanner;

/// The way from the whole event to one of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(pub Vec<Step>);

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name`, `['name']`
    Member(String),
    /// `[0]`
    Element(usize),
    /// `.*`: any member.
    AnyMember,
    /// `[*]`: any element.
    AnyElement,
}

impl Selector {
    /// Reads a selector that stands alone: the value of a metric.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text)?;
        let selector = Self::read(&mut scanner)?;
        scanner.expect_end()?;
        Ok(selector)
    }

    /// Every member of an event that it leads to: one at most, unless it has wildcards.
    pub fn find<'e>(&self, event: &'e Json) -> Vec<&'e Json> {
        let all = vec![event];
        self.0.iter().fold(all, |reached, step| {
            reached.into_iter().flat_map(|value| step.from(value)).collect()
        })
    }

    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        if !scanner.take("$") {
            return Err(scanner.unexpected("a selector like `$.level`"));
        }
        let mut steps = Vec::new();
        loop {
            if scanner.take(".") {
                steps.push(Step::member(scanner)?);
            } else if scanner.take("[") {
                steps.push(Step::in_brackets(scanner)?);
            } else {
                return Ok(Self(steps));
            }
        }
    }
}

impl Step {
    fn member(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        if scanner.take("*") {
            return Ok(Self::AnyMember);
        }
        if let Some(name) = scanner.quoted()? {
            return Ok(Self::Member(name));
        }
        let name = scanner
            .name()
            .ok_or_else(|| scanner.unexpected("the name of a member"))?;
        Ok(Self::Member(name.to_owned()))
    }

    fn in_brackets(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let step = if scanner.take("*") {
            Self::AnyElement
        } else if let Some(name) = scanner.quoted()? {
            Self::Member(name)
        } else {
            let index = scanner.name().and_then(|digits| digits.parse().ok());
            Self::Element(index.ok_or_else(|| scanner.unexpected("a number or `*`"))?)
        };
        scanner.expect("]")?;
        Ok(step)
    }

    fn from<'e>(&self, value: &'e Json) -> Vec<&'e Json> {
        match (self, value) {
            (Self::Member(name), Json::Object(members)) => members.get(name).into_iter().collect(),
            (Self::AnyMember, Json::Object(members)) => members.values().collect(),
            (Self::Element(index), Json::Array(elements)) => elements.get(*index).into_iter().collect(),
            (Self::AnyElement, Json::Array(elements)) => elements.iter().collect(),
            _ => Vec::new(),
        }
    }
}
