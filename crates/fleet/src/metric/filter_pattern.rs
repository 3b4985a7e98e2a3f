//! CloudWatch Logs' filter patterns: which log events a metric filter counts.
//!
//! ```text
//! ERROR "connection refused" -retry      terms
//! { $.level = "error" && $.code > 499 }  JSON events
//! [ip, user, ..., status = 5*, bytes]    events of fields with spaces between them
//! ```
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

mod conditions;
mod fields;
mod print;
mod scanner;
mod selector;
mod terms;

#[cfg(test)]
mod tests;

pub use selector::{Selector, Step};

use scanner::Scanner;

/// CloudWatch Logs' limit of a pattern.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html>
const LONGEST: usize = 1024;

/// Which log events are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterPattern {
    /// By what stands anywhere in the event; no term at all means every event.
    Terms(Vec<Term>),
    /// By the members of a JSON event.
    Json(Conditions<JsonCondition>),
    /// By the fields of an event, one after the other.
    Fields(Vec<Field>),
}

/// Something that stands in an event, or must not.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// How it counts.
    pub role: TermRole,
    /// What stands there.
    pub text: TermText,
}

/// How a term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermRole {
    /// `ERROR`: must be there.
    Required,
    /// `?ERROR`: one of these must be there. Beside terms of the other roles they count for nothing.
    Optional,
    /// `-ERROR`: must not be there.
    Excluded,
}

/// What stands in an event.
#[derive(Debug, Clone, PartialEq)]
pub enum TermText {
    /// This text, big and small letters told apart.
    Exact(String),
    /// `%4[0-9]{2}%`
    Regex(RegexText),
}

/// Conditions joined by `&&` and `||`.
#[derive(Debug, Clone, PartialEq)]
pub enum Conditions<T> {
    /// Only one.
    One(T),
    /// All of them; two at least.
    All(Vec<Conditions<T>>),
    /// Any of them; two at least.
    Any(Vec<Conditions<T>>),
}

/// What a member of a JSON event must be. Where there is no such member, or it is an object or a list, only `NOT EXISTS` can hold.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonCondition {
    /// Which member.
    pub selector: Selector,
    /// What it must be.
    pub test: JsonTest,
}

/// What a member of a JSON event must be.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonTest {
    /// `= 200`
    Compare(Comparison),
    /// `IS TRUE`, `IS FALSE`
    Is(bool),
    /// `IS NULL`
    IsNull,
    /// `NOT EXISTS`
    NotExists,
}

/// One field of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A field, and what it must be.
    Named {
        /// What it is called.
        name: String,
        /// What it must be; nothing is asked of a field without.
        conditions: Option<Conditions<Comparison>>,
    },
    /// `...`: any number of fields. A pattern has one of these at most.
    Rest,
}

/// A comparison with what the pattern says; it stands on the right.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// How.
    pub operator: ComparisonSign,
    /// With what.
    pub value: PatternValue,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own sign")]
pub enum ComparisonSign {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternValue {
    /// `"error"`, `4*`, `200`: text in which `*` stands for anything. It is a number where it can be read as one.
    Text(String),
    /// `%4[0-9]{2}%`
    Regex(RegexText),
}

/// A regular expression that is one, within what CloudWatch Logs allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexText(String);

/// Why a pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl FilterPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text)?;
        let pattern = if scanner.take("{") {
            let conditions = conditions::read(&mut scanner, JsonCondition::read)?;
            scanner.expect("}")?;
            Self::Json(conditions)
        } else if scanner.take("[") {
            Self::Fields(fields::read(&mut scanner)?)
        } else {
            Self::Terms(terms::read(&mut scanner)?)
        };
        scanner.expect_end()?;
        Ok(pattern)
    }

    /// The names of its fields; other patterns than those of fields have none.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        let fields = match self {
            Self::Fields(fields) => fields.as_slice(),
            Self::Terms(_) | Self::Json(_) => &[],
        };
        fields.iter().filter_map(|field| match field {
            Field::Named { name, .. } => Some(name.as_str()),
            Field::Rest => None,
        })
    }
}

impl JsonCondition {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let selector = Selector::read(scanner)?;
        let test = JsonTest::read(scanner)?;
        Ok(Self { selector, test })
    }
}

impl JsonTest {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        if scanner.take_word("NOT") {
            return scanner.expect_word("EXISTS").map(|()| Self::NotExists);
        }
        if !scanner.take_word("IS") {
            return Comparison::read(scanner).map(Self::Compare);
        }
        let words = [
            ("TRUE", Self::Is(true)),
            ("FALSE", Self::Is(false)),
            ("NULL", Self::IsNull),
        ];
        let found = words.into_iter().find(|(word, _)| scanner.take_word(word));
        found
            .map(|(_, test)| test)
            .ok_or_else(|| scanner.unexpected("`TRUE`, `FALSE` or `NULL`"))
    }
}

impl Comparison {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let operator = ComparisonSign::read(scanner)?;
        let value = PatternValue::read(scanner)?;
        let compares_size = !matches!(operator, ComparisonSign::Equal | ComparisonSign::NotEqual);
        if compares_size && value.as_number().is_none() {
            let (sign, value) = (operator.sign(), value.to_string());
            return Err(PatternError(format!("`{sign}` compares numbers, and {value} is none")));
        }
        Ok(Self { operator, value })
    }
}

impl ComparisonSign {
    /// Every sign; a longer one stands before one that it begins with.
    const SIGNS: [(&str, Self); 6] = [
        ("!=", Self::NotEqual),
        (">=", Self::GreaterOrEqual),
        ("<=", Self::LessOrEqual),
        ("=", Self::Equal),
        (">", Self::Greater),
        ("<", Self::Less),
    ];

    fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let found = Self::SIGNS.into_iter().find(|(sign, _)| scanner.take(sign));
        found
            .map(|(_, operator)| operator)
            .ok_or_else(|| scanner.unexpected("`=`, `!=`, `<`, `<=`, `>`, `>=`, `IS` or `NOT EXISTS`"))
    }

    fn sign(self) -> &'static str {
        let found = Self::SIGNS.iter().find(|(_, operator)| *operator == self);
        found.expect("every operator has a sign").0
    }
}

impl PatternValue {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        if let Some(regex) = scanner.regex()? {
            return Ok(Self::Regex(regex));
        }
        if let Some(text) = scanner.quoted()? {
            return Ok(Self::Text(text));
        }
        let bare = scanner.bare_value();
        bare.map(|text| Self::Text(text.to_owned()))
            .ok_or_else(|| scanner.unexpected("a value"))
    }

    /// The number that the value stands for, if it does.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => number(text),
            Self::Regex(_) => None,
        }
    }
}

/// The number that a text stands for: `200`, `-1.5`, `1e-3`.
pub fn number(text: &str) -> Option<f64> {
    let is_numeral = text.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char));
    text.parse()
        .ok()
        .filter(|number: &f64| is_numeral && number.is_finite())
}

impl RegexText {
    /// Checks that a text is a regular expression that CloudWatch Logs allows: without groups, and without characters of several bytes.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let is_allowed = |char: char| char.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|\\*+.".contains(char);
        let mut characters = text.chars();
        while let Some(char) = characters.next() {
            let escaped = char == '\\'
                && characters
                    .next()
                    .is_some_and(|next| next.is_ascii() && !next.is_control());
            if !escaped && !is_allowed(char) {
                return Err(PatternError(format!(
                    "`{char}` is not allowed in a regular expression here"
                )));
            }
        }
        regex::Regex::new(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| PatternError(format!("`{text}` is not a regular expression")))
    }

    /// The regular expression.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
