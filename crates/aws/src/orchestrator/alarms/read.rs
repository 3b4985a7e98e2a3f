//! Alarms, as CloudWatch describes them.

use aws_sdk_cloudwatch::types::{CompositeAlarm, Dimension, MetricAlarm, MetricDataQuery, StateValue, Statistic};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use karma_ops::{AlarmObservation, AlarmOrigin, AlarmState, MetricId};

use crate::orchestrator::seen::timestamp;

/// What the SDK's two sorts of alarms have under the same names.
macro_rules! observation {
    ($from:ident, $watches:expr, $origin:ident) => {
        AlarmObservation {
            name: $from.alarm_name().unwrap_or_default().to_owned(),
            description: $from
                .alarm_description()
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            state: state($from.state_value()),
            since: since($from.state_transitioned_timestamp(), $from.state_updated_timestamp()),
            reason: $from.state_reason().unwrap_or_default().to_owned(),
            watches: $watches,
            origin: $origin,
        }
    };
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>
pub(super) fn metric_alarm(from: &MetricAlarm, origin: AlarmOrigin) -> AlarmObservation {
    observation!(from, watched(from), origin)
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html>
pub(super) fn composite_alarm(from: &CompositeAlarm, origin: AlarmOrigin) -> AlarmObservation {
    observation!(from, from.alarm_rule().unwrap_or_default().to_owned(), origin)
}

pub(super) fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

/// The state may be told anew without having changed.
fn since(transitioned: Option<&DateTime>, updated: Option<&DateTime>) -> Timestamp {
    timestamp(transitioned.or(updated)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `Average of AWS/ECS CPUUtilization (…)`, or the expression whose value counts.
fn watched(from: &MetricAlarm) -> String {
    let mut expressions = from.metrics().iter().filter(|query| query.return_data() != Some(false));
    if let Some(expression) = expressions.find_map(MetricDataQuery::expression) {
        return expression.to_owned();
    }
    let dimension = |one: &Dimension| Some((one.name()?.to_owned(), one.value()?.to_owned()));
    let metric = MetricId {
        namespace: from.namespace().unwrap_or_default().to_owned(),
        name: from.metric_name().unwrap_or_default().to_owned(),
        dimensions: from.dimensions().iter().filter_map(dimension).collect(),
    };
    match from.statistic().map(Statistic::as_str).or(from.extended_statistic()) {
        Some(statistic) => format!("{statistic} of {metric}"),
        None => metric.to_string(),
    }
}
