//! Why an alarm changed its state, in CloudWatch's words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use karma_fleet::alarm::{ComparisonOperator, MetricAlarm, TreatMissingData};
use karma_ops::AlarmState;

use super::{Evaluation, Point};

/// What an alarm says that nobody has judged yet.
pub(crate) const UNCHECKED: &str = "Unchecked: Initial alarm creation";

/// `Threshold Crossed: 1 out of the last 1 datapoints [93.5 (23/11/26 15:04:00)] was greater than the threshold (80.0) (minimum 1 datapoint
/// for OK -> ALARM transition).`
pub(crate) fn reason(alarm: &MetricAlarm, evaluation: &Evaluation, before: AlarmState) -> String {
    match evaluation.state {
        AlarmState::InsufficientData => insufficient(evaluation),
        _ if evaluation.counted.is_empty() => filled(alarm, evaluation),
        state => crossed(alarm, evaluation, before, state),
    }
}

fn insufficient(evaluation: &Evaluation) -> String {
    let missing = evaluation.missing;
    let unknown = if missing == 1 {
        "datapoint was"
    } else {
        "datapoints were"
    };
    format!("Insufficient Data: {missing} {unknown} unknown.")
}

fn filled(alarm: &MetricAlarm, evaluation: &Evaluation) -> String {
    let missing = evaluation.missing;
    let periods = if missing == 1 { "period" } else { "periods" };
    let treated = treated(alarm, missing);
    format!("Threshold Crossed: no datapoints were received for {missing} {periods} and {treated}.")
}

fn crossed(alarm: &MetricAlarm, evaluation: &Evaluation, before: AlarmState, state: AlarmState) -> String {
    let (count, looked_at) = (evaluation.counted.len(), evaluation.looked_at);
    let points: Vec<String> = evaluation.counted.iter().map(datapoint).collect();
    let verb = if count == 1 { "was" } else { "were" };
    let not = if state == AlarmState::Ok { "not " } else { "" };
    let filling = match evaluation.missing {
        0 => String::new(),
        missing => format!(" and {}", treated(alarm, missing)),
    };
    let needed = match state {
        AlarmState::Ok => alarm.evaluation_periods - alarm.datapoints_to_alarm + 1,
        _ => alarm.datapoints_to_alarm,
    };
    let datapoints = if needed == 1 { "datapoint" } else { "datapoints" };
    format!(
        "Threshold Crossed: {count} out of the last {looked_at} datapoints [{}] {verb} {not}{} the threshold ({:?}){filling} \
         (minimum {needed} {datapoints} for {before} -> {state} transition).",
        points.join(", "),
        words(alarm.comparison),
        alarm.threshold,
    )
}

/// `93.5 (23/11/26 15:04:00)`
fn datapoint(point: &Point) -> String {
    format!("{:?} ({})", point.value, time(point.at))
}

fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%d/%m/%y %H:%M:%S").to_string()
}

fn treated(alarm: &MetricAlarm, missing: usize) -> String {
    let were = if missing == 1 {
        "datapoint was"
    } else {
        "datapoints were"
    };
    let treatment = match alarm.treat_missing_data {
        TreatMissingData::Missing => "Missing",
        TreatMissingData::Ignore => "Ignored",
        TreatMissingData::Breaching => "Breaching",
        TreatMissingData::NotBreaching => "NonBreaching",
    };
    format!("{missing} missing {were} treated as [{treatment}]")
}

fn words(comparison: ComparisonOperator) -> &'static str {
    match comparison {
        ComparisonOperator::Greater => "greater than",
        ComparisonOperator::GreaterOrEqual => "greater than or equal to",
        ComparisonOperator::Less => "less than",
        ComparisonOperator::LessOrEqual => "less than or equal to",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms::evaluate;
    use crate::alarms::evaluate::tests::{alarm, range};

    #[test]
    fn reasons_are_worded_as_cloudwatch_words_them() {
        let check = |m, treatment, picture, before, expected: &str| {
            let alarm = alarm(m, 3, treatment);
            let evaluation = evaluate(&alarm, &range(picture), before);
            assert_eq!(reason(&alarm, &evaluation, before), expected);
        };
        check(
            1,
            TreatMissingData::Missing,
            "0 0 0 0 X",
            AlarmState::Ok,
            "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (23/11/26 15:04:00)] was greater than the threshold (0.0) \
             (minimum 1 datapoint for OK -> ALARM transition).",
        );
        check(
            2,
            TreatMissingData::Missing,
            "X X 0 X 0",
            AlarmState::Alarm,
            "Threshold Crossed: 2 out of the last 3 datapoints [0.0 (23/11/26 15:04:00), 0.0 (23/11/26 15:02:00)] were not greater \
             than the threshold (0.0) (minimum 2 datapoints for ALARM -> OK transition).",
        );
        check(
            3,
            TreatMissingData::Breaching,
            "- - - - -",
            AlarmState::Ok,
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].",
        );
        check(
            2,
            TreatMissingData::Breaching,
            "- - X 0 -",
            AlarmState::InsufficientData,
            "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (23/11/26 15:02:00)] was greater than the threshold (0.0) and \
             1 missing datapoint was treated as [Breaching] (minimum 2 datapoints for INSUFFICIENT_DATA -> ALARM transition).",
        );
        check(
            3,
            TreatMissingData::Missing,
            "- - - - -",
            AlarmState::Ok,
            "Insufficient Data: 3 datapoints were unknown.",
        );
    }
}
