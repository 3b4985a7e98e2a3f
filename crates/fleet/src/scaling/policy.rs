//! `aws_appautoscaling_policy`

use std::str::FromStr;
use std::time::Duration;

use karma_terraform::{Address, Span, Unknown, Value};

use crate::Fleet;
use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::metric::query::Query;
use crate::metric::{self, DimensionValue, Metric, MetricSource, MetricStatistic, Statistic};

/// What changes a service's desired count by what is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingPolicy {
    /// Its name.
    pub name: String,
    /// Where it stands in the stack; alarms name it by this.
    pub address: Address,
    /// How it works.
    pub kind: ScalingPolicyKind,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// How a policy works.
#[derive(Debug, Clone, PartialEq)]
pub enum ScalingPolicyKind {
    /// Keeps a metric near a target.
    TargetTracking(TargetTracking),
    /// Does what its steps say when an alarm rings.
    StepScaling(StepScaling),
}

/// Keeps a metric near a target.
/// <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html>
#[derive(Debug, Clone, PartialEq)]
pub struct TargetTracking {
    /// Where the metric shall be.
    pub target_value: f64,
    /// Which metric.
    pub metric: TrackedMetric,
    /// After tasks were taken away, so long no more are.
    pub scale_in_cooldown: Duration,
    /// For so long after tasks were added they count as if they already helped.
    pub scale_out_cooldown: Duration,
    /// Whether it takes tasks away at all.
    pub scale_in: ScaleIn,
}

/// Whether a policy takes tasks away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleIn {
    /// It does.
    Enabled,
    /// It only adds some.
    Disabled,
}

/// What is kept near a target.
#[derive(Debug, Clone, PartialEq)]
pub enum TrackedMetric {
    /// `ECSServiceAverageCPUUtilization`
    CpuUtilization,
    /// `ECSServiceAverageMemoryUtilization`
    MemoryUtilization,
    /// `ALBRequestCountPerTarget`: requests a minute.
    RequestCountPerTarget {
        /// The target group, as the metric's dimension.
        target_group: DimensionValue,
    },
    /// One of the user's own.
    Customized(MetricSource),
}

/// Does what its steps say when an alarm rings.
/// <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-step-scaling-policies.html>
#[derive(Debug, Clone, PartialEq)]
pub struct StepScaling {
    /// What a step's number is.
    pub adjustment_type: AdjustmentType,
    /// After it did something, so long it does not do it again.
    pub cooldown: Duration,
    /// A change in percent is of so many tasks at least.
    pub min_adjustment_magnitude: u32,
    /// How the alarm's datapoints become one number.
    pub aggregation: Statistic,
    /// In the order of their bounds.
    pub steps: Vec<StepAdjustment>,
}

/// What the number of a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentType {
    /// So many tasks more, or less.
    ChangeInCapacity,
    /// So many tasks.
    ExactCapacity,
    /// So many percent more, or less.
    PercentChangeInCapacity,
}

/// One step. Its bounds are what the metric is above the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepAdjustment {
    /// From there; `None` is from anywhere.
    pub lower_bound: Option<f64>,
    /// To there; `None` is to anywhere.
    pub upper_bound: Option<f64>,
    /// What is done.
    pub adjustment: i32,
}

/// Reads a policy into the target that it belongs to.
pub(crate) fn attach(from: &Attributes<'_>, fleet: &mut Fleet) {
    let policy = ScalingPolicy::read(from);
    let target = super::target_of(from, fleet);
    if let (Ok(policy), Ok(target)) = (policy, target) {
        target.policies.push(policy);
    }
}

impl ScalingPolicy {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("name");
        let kind = ScalingPolicyKind::read(from);
        Ok(Self {
            name: name?,
            address: from.address().clone(),
            kind: kind?,
            declared_at: from.declared_at(),
        })
    }
}

impl ScalingPolicyKind {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let kind: Option<String> = from.optional("policy_type");
        match kind.as_deref() {
            Some("TargetTrackingScaling") => {
                let block = from.required_block("target_tracking_scaling_policy_configuration")?;
                TargetTracking::read(&block).map(Self::TargetTracking)
            }
            Some("StepScaling") | None => {
                let block = from.required_block("step_scaling_policy_configuration")?;
                StepScaling::read(&block).map(Self::StepScaling)
            }
            Some(other) => {
                let detail = format!(
                    "`{}` is a policy of type {other}: it scales nothing here.",
                    from.address()
                );
                Err(from.warning("policy_type", NOT_RUN_YET, detail))
            }
        }
    }
}

impl TargetTracking {
    /// The cooldowns of ECS where none are written.
    /// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html>
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let target_value = positive(from, "target_value");
        let metric = TrackedMetric::read(from);
        let cooldown = |name| from.seconds(name).unwrap_or(Duration::from_mins(5));
        Ok(Self {
            target_value: target_value?,
            metric: metric?,
            scale_in_cooldown: cooldown("scale_in_cooldown"),
            scale_out_cooldown: cooldown("scale_out_cooldown"),
            scale_in: match from.optional("disable_scale_in") {
                Some(true) => ScaleIn::Disabled,
                _ => ScaleIn::Enabled,
            },
        })
    }
}

fn positive(from: &Attributes<'_>, name: &'static str) -> Read<f64> {
    let value: f64 = from.required(name)?;
    if value > 0.0 {
        return Ok(value);
    }
    let detail = format!("{} is {value}, but it must be more than nothing.", from.called(name));
    Err(from.error(name, "Invalid target value", detail))
}

impl TrackedMetric {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        if let Some(block) = from.block("customized_metric_specification") {
            return customized(&block).map(Self::Customized);
        }
        let block = from.required_block("predefined_metric_specification")?;
        let kind: String = block.required("predefined_metric_type")?;
        match kind.as_str() {
            "ECSServiceAverageCPUUtilization" => Ok(Self::CpuUtilization),
            "ECSServiceAverageMemoryUtilization" => Ok(Self::MemoryUtilization),
            "ALBRequestCountPerTarget" => Ok(Self::RequestCountPerTarget {
                target_group: target_group(&block)?,
            }),
            other => {
                let called = block.called("predefined_metric_type");
                let detail = format!("{called} is {other}, which is not measured here: the policy scales nothing.");
                Err(block.warning("predefined_metric_type", NOT_RUN_YET, detail))
            }
        }
    }
}

/// The target group in `resource_label`, which is `app/<load balancer>/<id>/targetgroup/<target group>/<id>`.
fn target_group(from: &Attributes<'_>) -> Read<DimensionValue> {
    let value = from.value_of("resource_label")?;
    let last = match value.as_unknown() {
        Some(Unknown::Template(parts)) => parts.last().unwrap_or(value),
        _ => value,
    };
    let found = match last.as_str() {
        Some(text) => text
            .find("targetgroup/")
            .map(|start| DimensionValue::Known(text[start..].to_owned())),
        None => DimensionValue::from_value(last),
    };
    found.ok_or_else(|| {
        let expected = "`app/<load balancer>/<id>/targetgroup/<target group>/<id>`";
        from.unsuitable("resource_label", value, expected)
    })
}

/// Metrics for autoscaling are looked at each minute.
fn customized(from: &Attributes<'_>) -> Read<MetricSource> {
    let queries = from.each("metrics", Query::read_tracked)?;
    if !queries.is_empty() {
        return Query::settle(from, "metrics", queries).map(MetricSource::Math);
    }
    let metric = Metric::read(from);
    let statistic = metric::statistic(from, "statistic");
    Ok(MetricSource::Single(MetricStatistic {
        metric: metric?,
        statistic: statistic?,
        period: Duration::from_mins(1),
    }))
}

impl StepScaling {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let adjustment_type = adjustment_type(from);
        let steps = from.at_least_one("step_adjustment", StepAdjustment::read);
        let mut steps = steps?;
        steps.sort_by(|one, other| one.start().total_cmp(&other.start()));
        check_gaps(from, &steps)?;
        Ok(Self {
            adjustment_type: adjustment_type?,
            cooldown: from.seconds("cooldown").unwrap_or(Duration::from_mins(5)),
            min_adjustment_magnitude: from.optional("min_adjustment_magnitude").unwrap_or(0),
            aggregation: aggregation(from)?,
            steps,
        })
    }
}

fn aggregation(from: &Attributes<'_>) -> Read<Statistic> {
    match from.get("metric_aggregation_type") {
        Some(_) => metric::statistic(from, "metric_aggregation_type"),
        None => Ok(Statistic::Average),
    }
}

fn adjustment_type(from: &Attributes<'_>) -> Read<AdjustmentType> {
    let text: String = from.required("adjustment_type")?;
    text.parse().map_err(|()| {
        let called = from.called("adjustment_type");
        let detail =
            format!("{called} is {text:?}, but it must be ChangeInCapacity, ExactCapacity or PercentChangeInCapacity.");
        from.error("adjustment_type", "Invalid value", detail)
    })
}

/// As AWS asks: steps leave no gap between them and do not overlap.
fn check_gaps(from: &Attributes<'_>, steps: &[StepAdjustment]) -> Read<()> {
    let meets = |pair: &[StepAdjustment]| pair[0].upper_bound.is_some() && pair[0].upper_bound == pair[1].lower_bound;
    if steps.windows(2).all(meets) {
        return Ok(());
    }
    let called = from.called("step_adjustment");
    let detail = format!("{called}: each step must begin where the one before it ends.");
    Err(from.error("step_adjustment", "Invalid step adjustments", detail))
}

impl StepAdjustment {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let adjustment = from.required("scaling_adjustment");
        let (lower_bound, upper_bound) = (
            bound(from, "metric_interval_lower_bound"),
            bound(from, "metric_interval_upper_bound"),
        );
        Ok(Self {
            lower_bound: lower_bound?,
            upper_bound: upper_bound?,
            adjustment: adjustment?,
        })
    }

    fn start(&self) -> f64 {
        self.lower_bound.unwrap_or(f64::NEG_INFINITY)
    }
}

/// The provider keeps a bound as text, and one that is not there as empty text.
fn bound(from: &Attributes<'_>, name: &'static str) -> Read<Option<f64>> {
    if from.get(name).and_then(Value::as_str) == Some("") || from.get(name).is_none() {
        return Ok(None);
    }
    from.required(name).map(Some)
}

impl FromStr for AdjustmentType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "ChangeInCapacity" => Ok(Self::ChangeInCapacity),
            "ExactCapacity" => Ok(Self::ExactCapacity),
            "PercentChangeInCapacity" => Ok(Self::PercentChangeInCapacity),
            _ => Err(()),
        }
    }
}
