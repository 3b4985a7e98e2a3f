//! `aws_cloudwatch_metric_alarm`, and what watches such alarms.

mod composite;
mod rule;

pub use composite::CompositeAlarm;
pub use rule::{AlarmRule, AlarmRuleError, RuleState};

use karma_terraform::{Address, Span, Value};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::links;
use crate::metric::query::{Query, period};
use crate::metric::{self, Metric, MetricSource, MetricStatistic};
use crate::value_text::made_of;

/// An alarm that watches a metric, or an expression over several.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MetricAlarm {
    /// Its name.
    pub name: String,
    /// What it is for, in the stack's words.
    pub description: Option<String>,
    /// What it watches.
    pub source: MetricSource,
    /// When a datapoint breaches.
    pub comparison: ComparisonOperator,
    /// The right operand of the comparison.
    pub threshold: f64,
    /// N: so many of the latest datapoints are looked at.
    pub evaluation_periods: usize,
    /// M: so many of them have to breach.
    pub datapoints_to_alarm: usize,
    /// What a period without a datapoint counts for.
    pub treat_missing_data: TreatMissingData,
    /// What is done with percentiles of few samples.
    pub low_sample_percentiles: LowSamplePercentiles,
    /// What is done when it changes its state.
    pub actions: AlarmActions,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// When a datapoint breaches: it stands on the left of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOperator {
    /// `GreaterThanThreshold`
    Greater,
    /// `GreaterThanOrEqualToThreshold`
    GreaterOrEqual,
    /// `LessThanThreshold`
    Less,
    /// `LessThanOrEqualToThreshold`
    LessOrEqual,
}

/// What a period without a datapoint counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TreatMissingData {
    /// `missing`: for nothing.
    #[default]
    Missing,
    /// `ignore`: the state stays as it is.
    Ignore,
    /// `breaching`
    Breaching,
    /// `notBreaching`
    NotBreaching,
}

/// What is done with percentiles of so few samples that they mean little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LowSamplePercentiles {
    /// `evaluate`: they count like any other.
    #[default]
    Evaluate,
    /// `ignore`: the state stays as it is.
    Ignore,
}

/// What is done when an alarm changes its state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlarmActions {
    /// When it goes to ALARM.
    pub alarm: Vec<AlarmAction>,
    /// When it goes to OK.
    pub ok: Vec<AlarmAction>,
    /// When it goes to `INSUFFICIENT_DATA`.
    pub insufficient_data: Vec<AlarmAction>,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmAction {
    /// A scaling policy of the stack is carried out.
    ScalingPolicy(Address),
    /// Anything else: a topic that is written to, by its ARN or the reference that stands for it.
    Other(String),
}

impl MetricAlarm {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("alarm_name");
        let source = source(from);
        let comparison = comparison(from);
        let threshold = threshold(from);
        let evaluation_periods = from.required::<u32>("evaluation_periods").map(at_least_one);
        let datapoints_to_alarm = from.optional::<u32>("datapoints_to_alarm").map(at_least_one);
        let evaluation_periods = evaluation_periods?;
        Ok(Self {
            name: name?,
            description: from.optional("alarm_description"),
            source: source?,
            comparison: comparison?,
            threshold: threshold?,
            evaluation_periods,
            datapoints_to_alarm: datapoints_to_alarm.map_or(evaluation_periods, |count| count.min(evaluation_periods)),
            treat_missing_data: from.optional("treat_missing_data").unwrap_or_default(),
            low_sample_percentiles: from
                .optional("evaluate_low_sample_count_percentiles")
                .unwrap_or_default(),
            actions: AlarmActions::read(from),
            declared_at: from.declared_at(),
        })
    }
}

fn at_least_one(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).max(1)
}

fn comparison(from: &Attributes<'_>) -> Read<ComparisonOperator> {
    let text: String = from.required("comparison_operator")?;
    text.parse().map_err(|()| {
        let called = from.called("comparison_operator");
        let detail = format!("{called} is {text:?}: the bands of anomaly detection are not computed here.");
        from.warning("comparison_operator", NOT_RUN_YET, detail)
    })
}

fn threshold(from: &Attributes<'_>) -> Read<f64> {
    if from.get("threshold_metric_id").is_some() {
        let detail = format!(
            "`{}` compares with another metric, which is not done here: the alarm never rings.",
            from.address()
        );
        return Err(from.warning("threshold_metric_id", NOT_RUN_YET, detail));
    }
    from.required("threshold")
}

fn source(from: &Attributes<'_>) -> Read<MetricSource> {
    if from.get("metric_query").is_some_and(|value| !is_empty(value)) {
        let queries = from.each("metric_query", Query::read)?;
        return Query::settle(from, "metric_query", queries).map(MetricSource::Math);
    }
    let metric = Metric::read(from);
    let statistic = metric::statistic(from, statistic_argument(from));
    let period = period(from);
    Ok(MetricSource::Single(MetricStatistic {
        metric: metric?,
        statistic: statistic?,
        period: period?,
    }))
}

fn statistic_argument(from: &Attributes<'_>) -> &'static str {
    if from.get("extended_statistic").is_some() {
        "extended_statistic"
    } else {
        "statistic"
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_elements().is_some_and(<[Value]>::is_empty)
}

impl AlarmActions {
    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        if from.optional("actions_enabled") == Some(false) {
            return Self::default();
        }
        let read = |name| {
            let elements = from.get(name).and_then(Value::as_elements).unwrap_or_default();
            elements.iter().map(AlarmAction::read).collect()
        };
        Self {
            alarm: read("alarm_actions"),
            ok: read("ok_actions"),
            insufficient_data: read("insufficient_data_actions"),
        }
    }
}

impl AlarmAction {
    fn read(value: &Value) -> Self {
        match links::origin(value) {
            Some(address) if links::SCALING_POLICY.contains(&address.kind.as_str()) => {
                Self::ScalingPolicy(address.clone())
            }
            _ => Self::Other(made_of(value)),
        }
    }
}

impl ComparisonOperator {
    /// Whether a value breaches a threshold.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

impl std::str::FromStr for ComparisonOperator {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "GreaterThanThreshold" => Ok(Self::Greater),
            "GreaterThanOrEqualToThreshold" => Ok(Self::GreaterOrEqual),
            "LessThanThreshold" => Ok(Self::Less),
            "LessThanOrEqualToThreshold" => Ok(Self::LessOrEqual),
            _ => Err(()),
        }
    }
}

impl FromValue for TreatMissingData {
    const EXPECTED: &'static str = "`missing`, `ignore`, `breaching` or `notBreaching`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "missing" => Some(Self::Missing),
            "ignore" => Some(Self::Ignore),
            "breaching" => Some(Self::Breaching),
            "notBreaching" => Some(Self::NotBreaching),
            _ => None,
        }
    }
}

impl FromValue for LowSamplePercentiles {
    const EXPECTED: &'static str = "`evaluate` or `ignore`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "evaluate" => Some(Self::Evaluate),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}
