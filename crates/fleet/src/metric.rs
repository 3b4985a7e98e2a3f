//! CloudWatch metrics, as a stack names them.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>

mod filter;
pub mod filter_pattern;
pub mod math;
pub(crate) mod query;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use karma_terraform::{Address, Unknown, Value};
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use math::Expression;

pub use filter::{EventValue, MetricFilter, MetricTransformation};

/// One metric: a name in a namespace, told from others of that name by its dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// `AWS/ECS`
    pub namespace: String,
    /// `CPUUtilization`
    pub name: String,
    /// All of its dimensions: a metric with one more or one less is another.
    pub dimensions: BTreeMap<String, DimensionValue>,
}

/// The value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DimensionValue {
    /// `karma-validator`
    Known(String),
    /// `aws_lb.main.arn_suffix`: decided by AWS; whoever runs the stack elsewhere has a value of his own for it.
    Attribute {
        /// The resource.
        of: Address,
        /// Which of its attributes.
        attribute: String,
    },
}

/// How the samples of a period become one number.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Statistic {
    /// `Average`
    Average,
    /// `Sum`
    Sum,
    /// `Minimum`
    Minimum,
    /// `Maximum`
    Maximum,
    /// `SampleCount`
    SampleCount,
    /// `p99`: above 0, at most 100.
    Percentile(f64),
}

/// Where a series of numbers comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricSource {
    /// One metric.
    Single(MetricStatistic),
    /// An expression over several.
    Math(MetricMath),
}

/// A metric, and what is taken of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricStatistic {
    /// Which metric.
    pub metric: Metric,
    /// What is taken of each period.
    pub statistic: Statistic,
    /// How long a period is.
    pub period: Duration,
}

/// Metrics and expressions by their ids, one of which is asked for.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MetricMath {
    /// By their ids.
    pub queries: BTreeMap<String, MetricQuery>,
    /// The id of the one that is asked for.
    pub returned: String,
}

/// One part of a [`MetricMath`].
#[derive(Debug, Clone, PartialEq)]
pub enum MetricQuery {
    /// A metric.
    Metric(MetricStatistic),
    /// `errors / requests * 100`
    Expression(Expression),
}

impl MetricSource {
    /// How long a period of the series is: the longest one of its metrics.
    pub fn period(&self) -> Duration {
        match self {
            Self::Single(single) => single.period,
            Self::Math(math) => math.period(),
        }
    }
}

impl MetricMath {
    fn period(&self) -> Duration {
        let periods = self.queries.values().filter_map(|query| match query {
            MetricQuery::Metric(metric) => Some(metric.period),
            MetricQuery::Expression(_) => None,
        });
        periods.max().unwrap_or(Duration::from_mins(1))
    }

    /// Checks that every name leads to a query, and none back to itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        for id in self.queries.keys() {
            self.check_below(id, &mut Vec::new())?;
        }
        Ok(())
    }

    fn check_below<'a>(&'a self, id: &'a str, above: &mut Vec<&'a str>) -> Result<(), String> {
        if above.contains(&id) {
            return Err(format!("`{id}` is made of itself"));
        }
        let query = self.queries.get(id).ok_or_else(|| format!("there is no `{id}`"))?;
        let MetricQuery::Expression(expression) = query else {
            return Ok(());
        };
        above.push(id);
        for name in expression.names() {
            self.check_below(name, above)?;
        }
        above.pop();
        Ok(())
    }
}

impl Metric {
    /// Reads a metric from the members that name it; its dimensions are a map, or blocks with `name` and `value`.
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let (namespace, name) = (from.required("namespace"), from.required("metric_name"));
        let dimensions = dimensions(from);
        Ok(Self {
            namespace: namespace?,
            name: name?,
            dimensions: dimensions?,
        })
    }
}

/// Reads `dimensions`.
pub(crate) fn dimensions(from: &Attributes<'_>) -> Read<BTreeMap<String, DimensionValue>> {
    let Some(value) = from.get("dimensions") else {
        return Ok(BTreeMap::new());
    };
    let Some(members) = value.as_object() else {
        let pairs = from.each("dimensions", |block| {
            Ok((block.required("name")?, block.required("value")?))
        });
        return Ok(pairs?.into_iter().collect());
    };
    let read = |(name, value): (&String, &Value)| {
        let known = DimensionValue::from_value(value);
        let unsuitable = || from.unsuitable("dimensions", value, DimensionValue::EXPECTED);
        Ok((name.clone(), known.ok_or_else(unsuitable)?))
    };
    members.iter().map(read).collect()
}

impl FromValue for DimensionValue {
    const EXPECTED: &'static str = "text, or an attribute of a resource";
    fn from_value(value: &Value) -> Option<Self> {
        match (value.as_str(), value.as_unknown()) {
            (Some(text), _) => Some(Self::Known(text.to_owned())),
            (_, Some(Unknown::Attribute { of, path })) => Some(Self::Attribute {
                of: of.clone(),
                attribute: path.to_string(),
            }),
            _ => None,
        }
    }
}

impl fmt::Display for DimensionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(text) => f.write_str(text),
            Self::Attribute { of, attribute } => write!(f, "{of}.{attribute}"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.namespace, self.name)?;
        for (name, value) in &self.dimensions {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// CloudWatch has more statistics than these: trimmed means and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a statistic that is known here")]
pub struct UnknownStatistic;

impl FromStr for Statistic {
    type Err = UnknownStatistic;

    fn from_str(text: &str) -> Result<Self, UnknownStatistic> {
        Ok(match text {
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => Self::Percentile(percentile(text).ok_or(UnknownStatistic)?),
        })
    }
}

fn percentile(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('p')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    digits.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.pad("Average"),
            Self::Sum => f.pad("Sum"),
            Self::Minimum => f.pad("Minimum"),
            Self::Maximum => f.pad("Maximum"),
            Self::SampleCount => f.pad("SampleCount"),
            Self::Percentile(percent) => f.pad(&format!("p{percent}")),
        }
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

impl TryFrom<String> for Statistic {
    type Error = UnknownStatistic;

    fn try_from(text: String) -> Result<Self, UnknownStatistic> {
        text.parse()
    }
}

/// Reads a statistic; one that CloudWatch may know and this program does not is a warning.
pub(crate) fn statistic(from: &Attributes<'_>, name: &'static str) -> Read<Statistic> {
    let text: String = from.required(name)?;
    text.parse().map_err(|_| {
        let detail = format!(
            "{} is {text:?}, which is not computed here: what hangs on it does not happen.",
            from.called(name)
        );
        from.warning(name, NOT_RUN_YET, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistic_is_read_as_it_is_written() {
        for text in [
            "Average",
            "Sum",
            "Minimum",
            "Maximum",
            "SampleCount",
            "p99",
            "p99.9",
            "p0",
            "p100",
        ] {
            let statistic: Statistic = text.parse().unwrap();
            assert_eq!(statistic.to_string(), text);
            assert_eq!(serde_json::from_value::<Statistic>(text.into()).unwrap(), statistic);
        }
        for text in ["average", "p", "p101", "p-1", "tm99", "IQM", "pNaN", "p1e1", ""] {
            assert_eq!(text.parse::<Statistic>(), Err(UnknownStatistic), "{text}");
        }
    }
}
