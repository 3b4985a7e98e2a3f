//! CloudWatch's metric math: expressions over metrics by their ids.
//!
//! Arithmetic, comparisons, `AND` and `OR`, `IF`, `FILL`, and `SUM`, `AVG`, `MIN`, `MAX` over several series are read. Any other function is
//! named in the error; CloudWatch has some forty more.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>

mod parse;

use std::fmt;

/// An expression: a series of numbers made of others.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `100`
    Number(f64),
    /// `errors`: the query of this id.
    Query(String),
    /// `-errors`
    Negated(Box<Expression>),
    /// `errors / requests`
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `SUM(METRICS())`
    Aggregate(Aggregate, SeriesList),
    /// `FILL(errors, 0)`
    Fill(Box<Expression>, Filling),
    /// `IF(requests > 10, errors / requests, 0)`; without the last part there is nothing where the condition does not hold.
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
}

/// What stands between two expressions. A comparison yields 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own sign")]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// How several series become one, instant by instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Aggregate {
    Sum,
    Average,
    Minimum,
    Maximum,
}

/// Several series.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesList {
    /// `METRICS()`: every metric, but no expression; `METRICS("err")`: those with `err` in their ids.
    Metrics(String),
    /// `[m1, m2]`
    These(Vec<Expression>),
}

/// What stands where there is no datapoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Filling {
    /// `FILL(m1, REPEAT)`: the one before.
    Repeat,
    /// `FILL(m1, 0)`: the value of another expression.
    With(Box<Expression>),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is none.
    #[error("{0}")]
    Syntax(String),
    /// CloudWatch may know the function, this program does not.
    #[error("the function `{0}` is not computed here")]
    UnknownFunction(String),
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        parse::expression(text)
    }

    /// The ids it names.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) | Self::Aggregate(_, SeriesList::Metrics(_)) => Vec::new(),
            Self::Query(id) => vec![id],
            Self::Negated(inner) | Self::Fill(inner, Filling::Repeat) => inner.names(),
            Self::Binary(_, left, right) => [left.names(), right.names()].concat(),
            Self::Aggregate(_, SeriesList::These(all)) => all.iter().flat_map(Self::names).collect(),
            Self::Fill(inner, Filling::With(filling)) => [inner.names(), filling.names()].concat(),
            Self::If(condition, then, otherwise) => {
                let otherwise = otherwise.as_ref().map(|otherwise| otherwise.names());
                [condition.names(), then.names(), otherwise.unwrap_or_default()].concat()
            }
        }
    }
}

impl Operator {
    /// Every operator by its sign; a longer sign stands before one that it begins with.
    const SIGNS: [(&str, Self); 15] = [
        ("||", Self::Or),
        ("&&", Self::And),
        ("OR", Self::Or),
        ("AND", Self::And),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("+", Self::Add),
        ("-", Self::Subtract),
        ("*", Self::Multiply),
        ("/", Self::Divide),
        ("^", Self::Power),
    ];

    /// The higher, the closer it binds.
    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide => 5,
            Self::Power => 6,
        }
    }

    fn sign(self) -> &'static str {
        let found = Self::SIGNS.iter().find(|(_, operator)| *operator == self);
        found.expect("every operator has a sign").0
    }
}

impl Aggregate {
    const NAMES: [(&str, Self); 4] = [
        ("SUM", Self::Sum),
        ("AVG", Self::Average),
        ("MIN", Self::Minimum),
        ("MAX", Self::Maximum),
    ];

    fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, aggregate)| *aggregate == self);
        found.expect("every aggregate has a name").0
    }
}

/// Written with every parenthesis, so that it is read as the same.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Query(id) => f.write_str(id),
            Self::Negated(inner) => write!(f, "-({inner})"),
            Self::Binary(operator, left, right) => write!(f, "({left}) {} ({right})", operator.sign()),
            Self::Aggregate(aggregate, list) => write!(f, "{}({list})", aggregate.name()),
            Self::Fill(inner, Filling::Repeat) => write!(f, "FILL({inner}, REPEAT)"),
            Self::Fill(inner, Filling::With(filling)) => write!(f, "FILL({inner}, {filling})"),
            Self::If(condition, then, None) => write!(f, "IF({condition}, {then})"),
            Self::If(condition, then, Some(otherwise)) => write!(f, "IF({condition}, {then}, {otherwise})"),
        }
    }
}

impl fmt::Display for SeriesList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metrics(part) if part.is_empty() => f.write_str("METRICS()"),
            Self::Metrics(part) => write!(f, "METRICS(\"{part}\")"),
            Self::These(all) => {
                let all: Vec<String> = all.iter().map(Expression::to_string).collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}
