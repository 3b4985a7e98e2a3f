use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use karma_fleet::Span;
use karma_fleet::alarm::{AlarmActions, ComparisonOperator};
use karma_fleet::metric::{Metric, MetricStatistic};
use proptest::prelude::*;

use super::*;

/// An alarm that rings where M of N datapoints are above 0.
pub(crate) fn alarm(m: usize, n: usize, treat_missing_data: TreatMissingData) -> MetricAlarm {
    let metric = Metric {
        namespace: "karma".to_owned(),
        name: "errors".to_owned(),
        dimensions: BTreeMap::new(),
    };
    MetricAlarm {
        name: "errors".to_owned(),
        description: None,
        source: MetricSource::Single(MetricStatistic {
            metric,
            statistic: Statistic::Sum,
            period: Duration::from_mins(1),
        }),
        comparison: ComparisonOperator::Greater,
        threshold: 0.0,
        evaluation_periods: n,
        datapoints_to_alarm: m,
        treat_missing_data,
        low_sample_percentiles: LowSamplePercentiles::Evaluate,
        actions: AlarmActions::default(),
        declared_at: Span {
            file: "main.tf".into(),
            start: 0,
            end: 0,
        },
    }
}

/// `0` does not breach, `X` does, `-` is missing.
pub(crate) fn range(picture: &str) -> Vec<Option<Point>> {
    let begin: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let point = |(index, sign): (i64, &str)| {
        let value = match sign {
            "-" => return None,
            "X" => 1.0,
            _ => 0.0,
        };
        Some(Point {
            at: begin + SignedDuration::from_mins(index),
            value,
            samples: Some(1.0),
        })
    };
    (0..).zip(picture.split(' ')).map(point).collect()
}

const TREATMENTS: [TreatMissingData; 4] = [
    TreatMissingData::Missing,
    TreatMissingData::Ignore,
    TreatMissingData::Breaching,
    TreatMissingData::NotBreaching,
];

const STATES: [AlarmState; 3] = [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData];

/// What is expected of each treatment, in the words of the tables.
fn check(m: usize, picture: &str, missing: usize, expected: [&str; 4]) {
    for (treatment, expected) in TREATMENTS.into_iter().zip(expected) {
        for state in STATES {
            let evaluation = evaluate(&alarm(m, 3, treatment), &range(picture), state);
            let expected = match expected {
                "OK" => AlarmState::Ok,
                "ALARM" => AlarmState::Alarm,
                "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
                _ => state,
            };
            assert_eq!(
                evaluation.state, expected,
                "{m} of 3, {picture}, {treatment:?}, {state}"
            );
            assert_eq!(evaluation.missing, missing, "{picture}");
        }
    }
}

#[test]
fn the_table_of_three_of_three() {
    check(3, "0 - X - X", 0, ["OK"; 4]);
    check(3, "0 - - - -", 2, ["OK"; 4]);
    check(3, "- - - - -", 3, ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"]);
    check(3, "0 X X - X", 0, ["ALARM"; 4]);
    check(3, "- - X - -", 2, ["ALARM", "keep", "ALARM", "OK"]);
}

#[test]
fn the_table_of_two_of_three() {
    check(2, "0 - X - X", 0, ["ALARM"; 4]);
    check(2, "0 0 X 0 X", 0, ["ALARM"; 4]);
    check(2, "0 - X - -", 1, ["OK", "OK", "ALARM", "OK"]);
    check(2, "- - - - 0", 2, ["OK", "OK", "ALARM", "OK"]);
    check(2, "- - - X -", 2, ["ALARM", "keep", "ALARM", "OK"]);
}

#[test]
fn an_alarm_does_not_ring_too_early() {
    check(3, "- - - - X", 2, ["keep", "keep", "ALARM", "OK"]);
    check(3, "- - - X -", 2, ["keep", "keep", "ALARM", "OK"]);
    check(3, "- - X X -", 1, ["ALARM", "keep", "ALARM", "OK"]);
}

#[test]
fn only_the_newest_datapoints_count() {
    check(3, "X X X 0 X", 0, ["OK"; 4]);
    check(1, "X X 0 0 0", 0, ["OK"; 4]);
    check(1, "0 0 X 0 0", 0, ["ALARM"; 4]);
}

#[test]
fn every_comparison_has_the_threshold_on_its_right() {
    let check = |comparison, expected: [bool; 3]| {
        let alarm = MetricAlarm {
            comparison,
            threshold: 5.0,
            ..alarm(1, 1, TreatMissingData::Missing)
        };
        let rings = [4.0, 5.0, 6.0].map(|value| {
            let point = Point {
                value,
                ..range("X")[0].unwrap()
            };
            evaluate(&alarm, &[Some(point)], AlarmState::Ok).state == AlarmState::Alarm
        });
        assert_eq!(rings, expected, "{comparison:?}");
    };
    check(ComparisonOperator::Greater, [false, false, true]);
    check(ComparisonOperator::GreaterOrEqual, [false, true, true]);
    check(ComparisonOperator::Less, [true, false, false]);
    check(ComparisonOperator::LessOrEqual, [true, true, false]);
}

#[test]
fn percentiles_of_few_samples_can_be_ignored() {
    let check = |percent, samples, low_sample_percentiles, expected| {
        let mut alarm = alarm(1, 1, TreatMissingData::Missing);
        alarm.low_sample_percentiles = low_sample_percentiles;
        if let MetricSource::Single(source) = &mut alarm.source {
            source.statistic = Statistic::Percentile(percent);
        }
        let point = Point {
            samples: Some(samples),
            ..range("X")[0].unwrap()
        };
        let state = evaluate(&alarm, &[Some(point)], AlarmState::Ok).state;
        assert_eq!(state, expected, "p{percent} of {samples}");
    };
    check(99.0, 999.0, LowSamplePercentiles::Ignore, AlarmState::Ok);
    check(99.0, 1000.0, LowSamplePercentiles::Ignore, AlarmState::Alarm);
    check(99.0, 1.0, LowSamplePercentiles::Evaluate, AlarmState::Alarm);
    check(10.0, 99.0, LowSamplePercentiles::Ignore, AlarmState::Ok);
    check(10.0, 100.0, LowSamplePercentiles::Ignore, AlarmState::Alarm);
}

proptest! {
    #[test]
    fn a_full_range_is_judged_by_counting(signs in proptest::collection::vec(any::<bool>(), 7), m in 1usize..=5) {
        let picture: Vec<&str> = signs.iter().map(|breaches| if *breaches { "X" } else { "0" }).collect();
        let count = signs[2..].iter().filter(|breaches| **breaches).count();
        for treatment in TREATMENTS {
            let state = evaluate(&alarm(m, 5, treatment), &range(&picture.join(" ")), AlarmState::Ok).state;
            prop_assert_eq!(state == AlarmState::Alarm, count >= m);
        }
    }

    #[test]
    fn judging_again_changes_nothing(signs in proptest::collection::vec(0..3usize, 7), m in 1usize..=5) {
        let picture: Vec<&str> = signs.iter().map(|sign| ["0", "X", "-"][*sign]).collect();
        for treatment in TREATMENTS {
            let (alarm, range) = (alarm(m, 5, treatment), range(&picture.join(" ")));
            for state in STATES {
                let once = evaluate(&alarm, &range, state).state;
                prop_assert_eq!(evaluate(&alarm, &range, once).state, once);
            }
        }
    }
}
