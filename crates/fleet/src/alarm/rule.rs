//! The rule of a composite alarm: `ALARM("high-cpu") AND NOT (OK(errors) OR INSUFFICIENT_DATA(errors))`.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>

use std::fmt;
use std::str::FromStr;

use crate::cursor::{Cursor, Unexpected};

/// AWS's limit of a rule.
const LONGEST: usize = 10_240;

/// When a composite alarm rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmRule {
    /// `TRUE`
    Always,
    /// `FALSE`
    Never,
    /// `ALARM("high-cpu")`: the alarm of this name is in this state.
    State(RuleState, String),
    /// `NOT …`
    Not(Box<AlarmRule>),
    /// `… AND …`
    And(Box<AlarmRule>, Box<AlarmRule>),
    /// `… OR …`
    Or(Box<AlarmRule>, Box<AlarmRule>),
}

/// A state that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch's own three")]
pub enum RuleState {
    Ok,
    Alarm,
    InsufficientData,
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AlarmRuleError(String);

impl AlarmRule {
    /// The names of the alarms that it asks about.
    pub fn alarms(&self) -> Vec<&str> {
        match self {
            Self::Always | Self::Never => Vec::new(),
            Self::State(_, name) => vec![name],
            Self::Not(rule) => rule.alarms(),
            Self::And(left, right) | Self::Or(left, right) => [left.alarms(), right.alarms()].concat(),
        }
    }

    /// Whether it holds, where `is_in` says whether an alarm is in a state.
    pub fn holds(&self, is_in: &impl Fn(&str, RuleState) -> bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::State(state, name) => is_in(name, *state),
            Self::Not(rule) => !rule.holds(is_in),
            Self::And(left, right) => left.holds(is_in) && right.holds(is_in),
            Self::Or(left, right) => left.holds(is_in) || right.holds(is_in),
        }
    }
}

impl RuleState {
    const NAMES: [(&str, Self); 3] = [
        ("OK", Self::Ok),
        ("ALARM", Self::Alarm),
        ("INSUFFICIENT_DATA", Self::InsufficientData),
    ];
}

impl FromStr for AlarmRule {
    type Err = AlarmRuleError;

    fn from_str(text: &str) -> Result<Self, AlarmRuleError> {
        let mut parser = Parser(Cursor::new(text, LONGEST)?);
        let rule = parser.or()?;
        parser.0.expect_end("`AND` or `OR`")?;
        Ok(rule)
    }
}

impl From<Unexpected> for AlarmRuleError {
    fn from(unexpected: Unexpected) -> Self {
        Self(unexpected.0)
    }
}

struct Parser<'a>(Cursor<'a>);

type Parsed<T> = Result<T, AlarmRuleError>;

impl<'a> Parser<'a> {
    fn or(&mut self) -> Parsed<AlarmRule> {
        let mut left = self.and()?;
        while self.take_word("OR") {
            left = AlarmRule::Or(left.into(), self.and()?.into());
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<AlarmRule> {
        let mut left = self.not()?;
        while self.take_word("AND") {
            left = AlarmRule::And(left.into(), self.not()?.into());
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<AlarmRule> {
        self.0.descend()?;
        let rule = if self.take_word("NOT") {
            self.not().map(|rule| AlarmRule::Not(rule.into()))
        } else {
            self.operand()
        };
        self.0.ascend();
        rule
    }

    fn operand(&mut self) -> Parsed<AlarmRule> {
        if self.0.take("(") {
            let rule = self.or()?;
            self.0.expect(")")?;
            return Ok(rule);
        }
        if self.take_word("TRUE") {
            return Ok(AlarmRule::Always);
        }
        if self.take_word("FALSE") {
            return Ok(AlarmRule::Never);
        }
        let states = RuleState::NAMES.into_iter();
        let found = states
            .map(|(word, state)| (self.take_word(word), state))
            .find(|(taken, _)| *taken);
        let (_, state) = found.ok_or_else(|| self.0.unexpected("`ALARM(…)`, `OK(…)` or `INSUFFICIENT_DATA(…)`"))?;
        self.0.expect("(")?;
        let name = self.name()?.to_owned();
        self.0.expect(")")?;
        Ok(AlarmRule::State(state, name))
    }

    /// The name or ARN of an alarm; quotes are needed where it has parentheses or spaces.
    fn name(&mut self) -> Parsed<&'a str> {
        if self.0.take("\"") {
            return Ok(alarm_name(self.0.take_to_quote()?));
        }
        match self.0.take_while(|char| !")( \"".contains(char)) {
            "" => Err(self.0.unexpected("the name of an alarm").into()),
            name => Ok(alarm_name(name)),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.0
            .take_word(word, |char| char.is_ascii_alphanumeric() || char == '_')
    }
}

/// `arn:aws:cloudwatch:us-east-1:123456789012:alarm:high-cpu` stands for `high-cpu`.
fn alarm_name(text: &str) -> &str {
    match text.strip_prefix("arn:") {
        Some(arn) => arn.split_once(":alarm:").map_or(text, |(_, name)| name),
        None => text,
    }
}

/// Written with every parenthesis, so that it is read as the same.
impl fmt::Display for AlarmRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("TRUE"),
            Self::Never => f.write_str("FALSE"),
            Self::State(state, name) => write!(f, "{state}(\"{name}\")"),
            Self::Not(rule) => write!(f, "NOT ({rule})"),
            Self::And(left, right) => write!(f, "({left}) AND ({right})"),
            Self::Or(left, right) => write!(f, "({left}) OR ({right})"),
        }
    }
}

impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, state)| state == self);
        f.write_str(name.expect("every state has a name").0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(text.parse::<AlarmRule>().unwrap().to_string(), expected);
        check("ALARM(cpu)", "ALARM(\"cpu\")");
        check(
            "ALARM(\"a b\") OR OK(c) AND NOT INSUFFICIENT_DATA(d)",
            "(ALARM(\"a b\")) OR ((OK(\"c\")) AND (NOT (INSUFFICIENT_DATA(\"d\"))))",
        );
        check("(TRUE OR FALSE) AND TRUE", "((TRUE) OR (FALSE)) AND (TRUE)");
        check(
            "ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu)",
            "ALARM(\"cpu\")",
        );
    }

    #[test]
    fn what_is_no_rule_is_told() {
        let check =
            |text: &str, expected: &str| assert_eq!(text.parse::<AlarmRule>().unwrap_err().to_string(), expected);
        check(
            "",
            "`ALARM(…)`, `OK(…)` or `INSUFFICIENT_DATA(…)` is expected at the end",
        );
        check("ALARM(cpu) OK(cpu)", "`AND` or `OR` is expected at `OK(cpu)`");
        check("ALARM()", "the name of an alarm is expected at `)`");
        check(
            "ALARMS(x)",
            "`ALARM(…)`, `OK(…)` or `INSUFFICIENT_DATA(…)` is expected at `ALARMS(x)`",
        );
        check(&"(".repeat(100), "it is nested deeper than 64");
    }

    #[test]
    fn a_rule_holds_by_the_states_of_its_alarms() {
        let rule: AlarmRule = "ALARM(a) AND NOT OK(b)".parse().unwrap();
        assert_eq!(rule.alarms(), ["a", "b"]);
        assert!(rule.holds(&|name, state| name == "a" && state == RuleState::Alarm));
        assert!(!rule.holds(&|name, state| (name == "a") == (state == RuleState::Alarm)));
    }

    proptest! {
        #[test]
        fn whatever_is_read_nothing_panics(text in "[A-Zaé()_\" ]{0,30}") {
            let _ = text.parse::<AlarmRule>();
        }
    }
}
