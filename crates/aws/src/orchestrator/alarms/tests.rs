use aws_sdk_applicationautoscaling::operation::describe_scaling_activities::DescribeScalingActivitiesOutput;
use aws_sdk_cloudwatch::operation::describe_alarm_history::DescribeAlarmHistoryError;
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::StateValue;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use karma_ops::AlarmState;

use super::super::tests::{clients, scope};
use super::*;
use crate::testing::answering;

/// As AWS refuses: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html>
const DENIED: &str = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: cloudwatch:DescribeAlarmHistory on resource: \
                      arn:aws:cloudwatch:us-east-1:123456789012:alarm:high-cpu";

/// Those of the stack are there, those of policies are not.
fn alarms() -> Rule {
    mock!(aws_sdk_cloudwatch::Client::describe_alarms).then_compute_output(|asked| {
        let alarm = |name: &String| {
            MetricAlarm::builder()
                .alarm_name(name)
                .state_value(StateValue::Alarm)
                .build()
        };
        let named = asked.alarm_names().iter().map(alarm).collect();
        DescribeAlarmsOutput::builder().set_metric_alarms(Some(named)).build()
    })
}

#[tokio::test]
async fn a_history_that_may_not_be_read_leaves_a_note_and_the_alarms() {
    let denied = mock!(aws_sdk_cloudwatch::Client::describe_alarm_history).then_error(|| {
        let metadata = ErrorMetadata::builder().code("AccessDenied").message(DENIED);
        DescribeAlarmHistoryError::generic(metadata.build())
    });
    let done = mock!(aws_sdk_applicationautoscaling::Client::describe_scaling_activities)
        .then_output(|| DescribeScalingActivitiesOutput::builder().build());
    let ecs = aws_sdk_ecs::Client::from_conf(aws_sdk_ecs::Config::builder().behavior_version_latest().build());
    let mut clients = clients(ecs);
    clients.cloudwatch = answering!(aws_sdk_cloudwatch, [&alarms(), &denied]);
    clients.autoscaling = answering!(aws_sdk_applicationautoscaling, [&done]);
    let mut scope = scope(&["api"]);
    scope.alarms.insert("low-cpu".to_owned());
    let answer = EcsOrchestrator::with(clients, scope).alarm_answer().await.unwrap();
    let alarms: Vec<_> = answer.alarms.iter().map(|alarm| (&*alarm.name, alarm.state)).collect();
    assert_eq!(
        alarms,
        [("high-cpu", AlarmState::Alarm), ("low-cpu", AlarmState::Alarm)]
    );
    assert!(answer.history.is_empty());
    let note = "changes of alarms are not shown: not permitted: cloudwatch:DescribeAlarmHistory on \
                arn:aws:cloudwatch:us-east-1:123456789012:alarm:high-cpu";
    assert_eq!(answer.notes, [note]);
}
