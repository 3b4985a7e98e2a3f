//! [`Statistic`]: what is told of the values of one period.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is told of the values of one period.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Statistic {
    /// The sum divided by the number of values.
    Average,
    /// All values together.
    Sum,
    /// The smallest value.
    Minimum,
    /// The largest value.
    Maximum,
    /// How many values there are.
    SampleCount,
    /// The value that so many percent of the values do not exceed: 0 to 100.
    Percentile(f64),
}

/// The text names no statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAStatistic(String);

/// Names as CloudWatch writes them, and short ones as people type them.
const NAMES: [(&str, &str, Statistic); 5] = [
    ("Average", "avg", Statistic::Average),
    ("Sum", "sum", Statistic::Sum),
    ("Minimum", "min", Statistic::Minimum),
    ("Maximum", "max", Statistic::Maximum),
    ("SampleCount", "count", Statistic::SampleCount),
];

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Percentile(percent) = self {
            return f.pad(&format!("p{percent}"));
        }
        let name = NAMES.iter().find(|(_, _, statistic)| statistic == self);
        f.pad(name.expect("all others have a name").0)
    }
}

impl FromStr for Statistic {
    type Err = NotAStatistic;

    fn from_str(text: &str) -> Result<Self, NotAStatistic> {
        let is_named = |(long, short, _): &&(&str, &str, Self)| {
            text.eq_ignore_ascii_case(long) || text.eq_ignore_ascii_case(short)
        };
        let named = NAMES.iter().find(is_named).map(|(_, _, statistic)| *statistic);
        named
            .or_else(|| percentile(text))
            .ok_or_else(|| NotAStatistic(text.to_owned()))
    }
}

fn percentile(text: &str) -> Option<Statistic> {
    let number = text.strip_prefix('p')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent: f64 = number.parse().ok()?;
    (is_plain && percent <= 100.0).then_some(Statistic::Percentile(percent))
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

impl TryFrom<String> for Statistic {
    type Error = NotAStatistic;

    fn try_from(text: String) -> Result<Self, NotAStatistic> {
        text.parse()
    }
}

impl fmt::Display for NotAStatistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is none of avg, sum, min, max, count, p0 to p100", self.0)
    }
}

impl std::error::Error for NotAStatistic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_written_as_cloudwatch_writes_them() {
        let check = |typed: &str, written: &str| {
            let statistic: Statistic = typed.parse().unwrap();
            assert_eq!(statistic.to_string(), written);
            assert_eq!(serde_json::to_value(statistic).unwrap(), written);
            assert_eq!(written.parse(), Ok(statistic));
        };
        check("avg", "Average");
        check("SUM", "Sum");
        check("min", "Minimum");
        check("Maximum", "Maximum");
        check("count", "SampleCount");
        check("p99", "p99");
        check("p99.9", "p99.9");
    }

    #[test]
    fn what_is_no_statistic_is_told_what_is() {
        for text in ["", "p", "p101", "p-1", "pinf", "p1e1", "mean"] {
            let error = text.parse::<Statistic>().unwrap_err();
            assert!(error.to_string().contains("p0 to p100"), "{text}");
        }
    }
}
