//! Whether an alarm rings: a pure function of its definition, its datapoints and its state.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>
//!
//! Where CloudWatch's documentation is silent, the choice made here:
//! - it looks at two periods more than the alarm asks for, which is what its one example shows (5 for 3);
//! - datapoints that breach and are too few and too fresh to ring by do not change the state;
//! - where datapoints are missing and `missing` or `ignore` is set, one that does not breach makes the alarm OK unless enough others breach;
//!   this is what its tables show, though the sentence beside them could be read otherwise.

use jiff::Timestamp;
use karma_fleet::alarm::{LowSamplePercentiles, MetricAlarm, TreatMissingData};
use karma_fleet::metric::{MetricSource, Statistic};
use karma_ops::AlarmState;

/// A datapoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// When its period began.
    pub(crate) at: Timestamp,
    pub(crate) value: f64,
    /// How many samples it is made of, where that is known.
    pub(crate) samples: Option<f64>,
}

/// What an alarm is judged to be, and by what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) state: AlarmState,
    /// The datapoints that speak for this state, newest first.
    pub(crate) counted: Vec<Point>,
    /// So many were looked at.
    pub(crate) looked_at: usize,
    /// So many of these were missing.
    pub(crate) missing: usize,
}

/// How many periods an alarm looks at.
pub(crate) fn evaluation_range(alarm: &MetricAlarm) -> usize {
    alarm.evaluation_periods.saturating_add(2)
}

/// Judges an alarm by the datapoints of its range: one for each period, oldest first, `None` where there is none.
pub(crate) fn evaluate(alarm: &MetricAlarm, range: &[Option<Point>], state: AlarmState) -> Evaluation {
    let newest: Vec<Point> = range
        .iter()
        .rev()
        .copied()
        .flatten()
        .take(alarm.evaluation_periods)
        .collect();
    if newest.iter().any(|point| has_few_samples(alarm, point)) {
        return judged(state, Vec::new(), &newest, 0);
    }
    let missing = alarm.evaluation_periods - newest.len();
    let (breaching, sound): (Vec<Point>, Vec<Point>) = newest.iter().partition(|point| breaches(alarm, point));
    let rings = breaching.len() >= alarm.datapoints_to_alarm;
    let next = match alarm.treat_missing_data {
        _ if rings => AlarmState::Alarm,
        _ if missing == 0 => AlarmState::Ok,
        TreatMissingData::Breaching if breaching.len() + missing >= alarm.datapoints_to_alarm => AlarmState::Alarm,
        TreatMissingData::Breaching | TreatMissingData::NotBreaching => AlarmState::Ok,
        TreatMissingData::Missing | TreatMissingData::Ignore if !sound.is_empty() => AlarmState::Ok,
        TreatMissingData::Missing if breaching.is_empty() => AlarmState::InsufficientData,
        TreatMissingData::Missing if is_old_enough(alarm, range) => AlarmState::Alarm,
        TreatMissingData::Missing | TreatMissingData::Ignore => state,
    };
    let counted = match next {
        AlarmState::Alarm => breaching,
        AlarmState::Ok => sound,
        AlarmState::InsufficientData => Vec::new(),
    };
    judged(next, counted, &newest, missing)
}

fn judged(state: AlarmState, counted: Vec<Point>, newest: &[Point], missing: usize) -> Evaluation {
    Evaluation {
        state,
        counted,
        looked_at: newest.len() + missing,
        missing,
    }
}

fn breaches(alarm: &MetricAlarm, point: &Point) -> bool {
    alarm.comparison.holds(point.value, alarm.threshold)
}

/// Whether the oldest datapoint is as many periods old as must breach. Only then those that are missing cannot have been late.
fn is_old_enough(alarm: &MetricAlarm, range: &[Option<Point>]) -> bool {
    let oldest = range.iter().position(Option::is_some);
    oldest.is_some_and(|position| range.len() - position >= alarm.datapoints_to_alarm)
}

/// Whether it is a percentile that means little, and is to be ignored then.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html>
fn has_few_samples(alarm: &MetricAlarm, point: &Point) -> bool {
    if alarm.low_sample_percentiles == LowSamplePercentiles::Evaluate {
        return false;
    }
    match (&alarm.source, point.samples) {
        (MetricSource::Single(source), Some(samples)) => {
            fewest_samples(source.statistic).is_some_and(|fewest| samples < fewest)
        }
        _ => false,
    }
}

/// A percentile p needs 10 / (1 - p) samples, one below the middle 10 / p.
fn fewest_samples(statistic: Statistic) -> Option<f64> {
    match statistic {
        Statistic::Percentile(percent) if percent >= 50.0 => Some(1000.0 / (100.0 - percent)),
        Statistic::Percentile(percent) => Some(1000.0 / percent),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
