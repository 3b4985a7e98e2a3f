//! What has happened: changes of alarms, and what autoscaling did.

use aws_sdk_applicationautoscaling::types::{ScalingActivity as AwsActivity, ScalingActivityStatusCode};
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, HistoryItemType, StateValue};
use jiff::Timestamp;
use karma_ops::{AlarmChange, AlarmState, ScalingActivity, ScalingActivityStatus};
use serde::Deserialize;

use super::read::state;
use crate::orchestrator::seen::timestamp;

/// `HistoryData` of a change of state, as far as it is read. AWS shows it by examples only:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryData {
    old_state: HistoryState,
    new_state: HistoryState,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryState {
    state_value: String,
    #[serde(default)]
    state_reason: String,
}

/// The changes of an alarm, oldest first, each with what was done about it. An item that cannot be read is left out.
pub(super) fn changes(items: &[AlarmHistoryItem]) -> Vec<AlarmChange> {
    let of = |kind: HistoryItemType| items.iter().filter(move |item| item.history_item_type() == Some(&kind));
    let mut changes: Vec<AlarmChange> = of(HistoryItemType::StateUpdate).filter_map(change).collect();
    changes.sort_by_key(|change| change.at);
    let actions =
        of(HistoryItemType::Action).filter_map(|item| Some((timestamp(item.timestamp())?, item.history_summary()?)));
    let mut actions: Vec<(Timestamp, &str)> = actions.collect();
    actions.sort_unstable();
    for (at, summary) in actions {
        if let Some(change) = changes.iter_mut().rev().find(|change| change.at <= at) {
            change.actions.push(summary.to_owned());
        }
    }
    changes
}

fn change(item: &AlarmHistoryItem) -> Option<AlarmChange> {
    let data: HistoryData = serde_json::from_str(item.history_data()?).ok()?;
    Some(AlarmChange {
        at: timestamp(item.timestamp())?,
        alarm: item.alarm_name()?.to_owned(),
        from: alarm_state(&data.old_state),
        to: alarm_state(&data.new_state),
        reason: data.new_state.state_reason,
        actions: Vec::new(),
    })
}

fn alarm_state(of: &HistoryState) -> AlarmState {
    state(Some(&StateValue::from(of.state_value.as_str())))
}

/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalingActivity.html>
pub(super) fn activity(from: &AwsActivity, label: &str) -> ScalingActivity {
    ScalingActivity {
        at: timestamp(Some(from.start_time())).unwrap_or(Timestamp::UNIX_EPOCH),
        service: label.to_owned(),
        description: from.description().to_owned(),
        cause: from.cause().to_owned(),
        status: match from.status_code() {
            ScalingActivityStatusCode::Pending => ScalingActivityStatus::Pending,
            ScalingActivityStatusCode::InProgress => ScalingActivityStatus::InProgress,
            ScalingActivityStatusCode::Successful => ScalingActivityStatus::Successful,
            ScalingActivityStatusCode::Overridden => ScalingActivityStatus::Overridden,
            ScalingActivityStatusCode::Unfulfilled => ScalingActivityStatus::Unfulfilled,
            _ => ScalingActivityStatus::Failed,
        },
        status_message: from.status_message().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn item(at: i64, kind: HistoryItemType) -> aws_sdk_cloudwatch::types::builders::AlarmHistoryItemBuilder {
        AlarmHistoryItem::builder()
            .alarm_name("high-cpu")
            .timestamp(DateTime::from_secs(at))
            .history_item_type(kind)
    }

    #[test]
    fn a_change_is_told_with_what_was_done_about_it() {
        let data = r#"{"version":"1.0","oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM","stateReason":"Threshold Crossed"}}"#;
        let items = [
            item(20, HistoryItemType::Action)
                .history_summary("Successfully executed action arn")
                .build(),
            item(10, HistoryItemType::StateUpdate).history_data(data).build(),
            item(5, HistoryItemType::ConfigurationUpdate).history_data("{}").build(),
            item(4, HistoryItemType::StateUpdate).history_data("not JSON").build(),
            item(3, HistoryItemType::Action)
                .history_summary("before anything was known")
                .build(),
        ];
        let changes = changes(&items);
        let [change] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!((change.from, change.to), (AlarmState::Ok, AlarmState::Alarm));
        assert_eq!(change.reason, "Threshold Crossed");
        assert_eq!(change.actions, ["Successfully executed action arn"]);
    }
}
