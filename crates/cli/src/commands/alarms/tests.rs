use clap::Parser;
use karma_ops::{AlarmChange, ScalingActivity, ScalingActivityStatus};

use super::*;
use crate::printer::{ColorChoice, Verbosity};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn typed(line: &[&str]) -> Arguments {
    Line::parse_from(["alarms"].iter().chain(line)).arguments
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

fn alarm(name: &str, state: AlarmState, origin: AlarmOrigin) -> AlarmObservation {
    AlarmObservation {
        name: name.to_owned(),
        description: Some("It needs more CPU than it has".to_owned()),
        state,
        since: at("15:00:00"),
        reason: "Threshold Crossed: 3 out of the last 3 datapoints [93.5 (23/11/26 14:59:00), 91.0 (23/11/26 14:58:00)] were \
                 greater than the threshold (80.0)."
            .to_owned(),
        watches: "Average of AWS/ECS CPUUtilization".to_owned(),
        origin,
    }
}

fn answer(state: AlarmState) -> AlarmAnswer {
    let change = AlarmChange {
        at: at("15:00:00"),
        alarm: "high-cpu".to_owned(),
        from: AlarmState::Ok,
        to: state,
        reason: "Threshold Crossed.".to_owned(),
        actions: vec!["aws_sns_topic.alarms.arn would be told: nothing is sent from this machine".to_owned()],
    };
    let activity = ScalingActivity {
        at: at("14:30:00"),
        service: "validator".to_owned(),
        description: "Setting desired count to 2.".to_owned(),
        cause: "monitor alarm tracking in state ALARM triggered policy cpu".to_owned(),
        status: ScalingActivityStatus::Successful,
        status_message: "Successfully set desired count to 2. Change successfully fulfilled by ecs.".to_owned(),
    };
    AlarmAnswer {
        at: at("15:12:30"),
        alarms: vec![
            alarm("high-cpu", state, AlarmOrigin::Stack),
            alarm("tracking", AlarmState::Alarm, AlarmOrigin::TargetTracking),
        ],
        history: [change].into(),
        activities: [activity].into(),
        notes: Vec::new(),
    }
}

#[test]
fn only_alarms_of_the_stack_are_a_no_unless_another_is_asked_about() {
    let check = |line: &[&str], state, expected| {
        let arguments = typed(line);
        let answer = arguments.select(answer(state)).unwrap();
        assert_eq!(arguments.status(&answer), expected, "{line:?}");
    };
    check(&[], AlarmState::Ok, ExitStatus::Yes);
    check(&[], AlarmState::InsufficientData, ExitStatus::Yes);
    check(&[], AlarmState::Alarm, ExitStatus::No);
    check(&["high-cpu"], AlarmState::Ok, ExitStatus::Yes);
    check(&["tracking"], AlarmState::Ok, ExitStatus::No);
}

#[test]
fn an_alarm_that_is_not_there_is_guessed() {
    let message = |name| typed(&[name]).select(answer(AlarmState::Ok)).unwrap_err().render();
    assert_eq!(
        message("high-cpus"),
        "error: there is no alarm high-cpus\nhint: did you mean `high-cpu`?"
    );
    assert!(message("xyz").ends_with("hint: `karma alarms --all` lists them"));
}

#[test]
fn the_table_is_short_and_the_details_are_whole() {
    let printer = Printer::new(ColorChoice::Never, Verbosity::Normal);
    let answer = answer(AlarmState::Alarm);
    let expected = "\
NAME      STATE  SINCE  WATCHES                            REASON
high-cpu  ALARM  12m    Average of AWS/ECS CPUUtilization  3 out of the last 3 datapoints [93.5 (23/11/26 14:59:00), 91…
";
    assert_eq!(table(&answer, &[&answer.alarms[0]]).render(printer), expected);
    let expected = "\
high-cpu  ALARM
  since    2026-11-23 15:00:00 (12m ago)
  watches  Average of AWS/ECS CPUUtilization
  is for   It needs more CPU than it has
  reason   Threshold Crossed: 3 out of the last 3 datapoints [93.5 (23/11/26 14:59:00), 91.0 (23/11/26 14:58:00)] were greater than the threshold (80.0).
";
    assert_eq!(details(&answer, &answer.alarms[0], printer), expected);
    let expected = "
2026-11-23 14:30:00 validator Setting desired count to 2. Cause: monitor alarm tracking in state ALARM triggered policy cpu
    Successfully set desired count to 2. Change successfully fulfilled by ecs.

2026-11-23 15:00:00 high-cpu OK -> ALARM: Threshold Crossed.
    aws_sns_topic.alarms.arn would be told: nothing is sent from this machine
";
    assert_eq!(history(&answer), expected);
}

#[test]
fn times_gone_by_are_told_in_one_unit() {
    let check = |since: &str, expected: &str| assert_eq!(ago(at("23:59:00"), at(since)), expected);
    check("23:58:15", "45s");
    check("23:47:00", "12m");
    check("20:30:00", "3h");
    check("23:59:30", "0s");
}
