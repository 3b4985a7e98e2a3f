//! How alarms and metric filters are read.

use std::time::Duration;

use karma_fleet::alarm::{AlarmAction, ComparisonOperator, MetricAlarm, RuleState, TreatMissingData};
use karma_fleet::metric::{EventValue, MetricFilter};
use karma_fleet::metric::{MetricSource, Statistic};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet};

fn alarm_attributes() -> Json {
    json!({
        "alarm_name": "high-cpu", "namespace": "AWS/ECS", "metric_name": "CPUUtilization", "statistic": "Average",
        "dimensions": {"ClusterName": "karma", "ServiceName": "app"}, "period": 60, "evaluation_periods": 3,
        "comparison_operator": "GreaterThanThreshold", "threshold": 80, "treat_missing_data": "notBreaching",
        "alarm_actions": ["${aws_sns_topic.alarms.arn}", "${aws_appautoscaling_policy.out.arn}"],
    })
}

fn changed(name: &str, value: Json) -> Json {
    let mut attributes = alarm_attributes();
    attributes[name] = value;
    attributes
}

fn alarm(attributes: Json) -> MetricAlarm {
    fleet(&[("aws_cloudwatch_metric_alarm.app", attributes)])
        .metric_alarms
        .remove(&address("aws_cloudwatch_metric_alarm.app"))
        .expect("it was read")
}

#[test]
fn an_alarm_watches_a_metric() {
    let alarm = alarm(alarm_attributes());
    let MetricSource::Single(source) = &alarm.source else {
        panic!("it is one metric");
    };
    assert_eq!(
        source.metric.to_string(),
        "AWS/ECS CPUUtilization ClusterName=karma ServiceName=app"
    );
    assert_eq!(
        (source.statistic, source.period),
        (Statistic::Average, Duration::from_mins(1))
    );
    assert_eq!((alarm.evaluation_periods, alarm.datapoints_to_alarm), (3, 3));
    assert_eq!(alarm.comparison, ComparisonOperator::Greater);
    assert_eq!(alarm.treat_missing_data, TreatMissingData::NotBreaching);
    let expected = [
        AlarmAction::Other("aws_sns_topic.alarms.arn".to_owned()),
        AlarmAction::ScalingPolicy(address("aws_appautoscaling_policy.out")),
    ];
    assert_eq!(alarm.actions.alarm, expected);
}

#[test]
fn what_aws_decides_stays_a_reference() {
    let dimensions = json!({"TargetGroup": "${aws_lb_target_group.app.arn_suffix}"});
    let MetricSource::Single(source) = alarm(changed("dimensions", dimensions)).source else {
        panic!("it is one metric");
    };
    let expected = "AWS/ECS CPUUtilization TargetGroup=aws_lb_target_group.app.arn_suffix";
    assert_eq!(source.metric.to_string(), expected);
}

#[test]
fn actions_can_be_turned_off() {
    assert!(alarm(changed("actions_enabled", false.into())).actions.alarm.is_empty());
}

#[test]
fn an_alarm_may_watch_an_expression() {
    let metric = |id: &str| {
        let metric = json!({"namespace": "karma", "metric_name": id, "period": 300, "stat": "Sum"});
        json!({"id": id, "metric": [metric], "return_data": false})
    };
    let rate = json!({"id": "rate", "expression": "errors / requests * 100", "return_data": true});
    let with = |queries: Json| {
        let mut attributes = changed("metric_query", queries);
        attributes["metric_name"] = Json::Null;
        attributes
    };
    let alarm = alarm(with(json!([metric("errors"), metric("requests"), rate])));
    assert_eq!(alarm.source.period(), Duration::from_mins(5));
    let MetricSource::Math(math) = alarm.source else {
        panic!("it is an expression");
    };
    assert_eq!((math.returned.as_str(), math.queries.len()), ("rate", 3));
    let refused = |queries: Json, words: &[&str]| {
        check_complaint(&[("aws_cloudwatch_metric_alarm.app", with(queries))], words);
    };
    refused(
        json!([metric("errors"), rate]),
        &["Invalid metric query", "there is no `requests`"],
    );
    refused(json!([metric("errors")]), &["One query of", "must return data"]);
    let odd = json!({"id": "rate", "expression": "errors //", "return_data": true});
    refused(
        json!([metric("errors"), odd]),
        &["error @metric_query", "Invalid metric math"],
    );
    let band = json!({"id": "rate", "expression": "ANOMALY_DETECTION_BAND(errors)", "return_data": true});
    refused(
        json!([metric("errors"), band]),
        &["warning @metric_query", "is not computed here"],
    );
    let circle = json!({"id": "rate", "expression": "rate + 1", "return_data": true});
    refused(json!([circle]), &["`rate` is made of itself"]);
}

#[test]
fn what_no_alarm_can_be_is_told() {
    let check = |name: &str, value: Json, words: &[&str]| {
        check_complaint(&[("aws_cloudwatch_metric_alarm.app", changed(name, value))], words);
    };
    check("period", 90.into(), &["error @period", "multiple of 60"]);
    check("period", 10.into(), &["warning @period", "taken for 60"]);
    check("statistic", "tm99".into(), &["warning @statistic", "not computed here"]);
    check(
        "comparison_operator",
        "LessThanLowerThreshold".into(),
        &["warning", "anomaly detection"],
    );
    check(
        "treat_missing_data",
        "perhaps".into(),
        &["`missing`, `ignore`, `breaching` or `notBreaching`"],
    );
}

#[test]
fn a_composite_alarm_has_a_rule() {
    let composite = |rule: &str| {
        let attributes = json!({"alarm_name": "both", "alarm_rule": rule});
        [
            ("aws_cloudwatch_metric_alarm.app", alarm_attributes()),
            ("aws_cloudwatch_composite_alarm.both", attributes),
        ]
    };
    let fleet = fleet(&composite(
        "ALARM(${aws_cloudwatch_metric_alarm.app.arn}) AND NOT OK(other)",
    ));
    let both = &fleet.composite_alarms[&address("aws_cloudwatch_composite_alarm.both")];
    assert_eq!(both.rule.alarms(), ["high-cpu", "other"]);
    assert!(both.rule.holds(&|_, state| state == RuleState::Alarm));
    check_complaint(
        &composite("ALARM(a) ALARM(b)"),
        &["error @alarm_rule", "`AND` or `OR` is expected"],
    );
}

fn filter_attributes(pattern: &str, transformation: &Json) -> [(&'static str, Json); 2] {
    let attributes = json!({"name": "errors", "log_group_name": "${aws_cloudwatch_log_group.app.name}", "pattern": pattern,
                            "metric_transformation": [transformation]});
    [
        ("aws_cloudwatch_log_group.app", json!({"name": "/ecs/app"})),
        ("aws_cloudwatch_log_metric_filter.errors", attributes),
    ]
}

fn filter(pattern: &str, transformation: &Json) -> MetricFilter {
    fleet(&filter_attributes(pattern, transformation))
        .metric_filters
        .remove(&address("aws_cloudwatch_log_metric_filter.errors"))
        .expect("it was read")
}

#[test]
fn a_filter_counts_events_of_a_group() {
    let transformation =
        json!({"namespace": "karma", "name": "errors", "value": "1", "default_value": "0", "unit": "Count"});
    let counted = filter("{ $.level = \"error\" }", &transformation);
    assert_eq!(counted.log_group, "/ecs/app");
    assert_eq!(counted.pattern.to_string(), "{ $.level = \"error\" }");
    assert_eq!(counted.transformation.value, EventValue::Number(1.0));
    assert_eq!(counted.transformation.default_value, Some(0.0));
    let transformation = json!({"namespace": "karma", "name": "ms", "value": "$.ms", "dimensions": {"Path": "$.path"}});
    let measured = filter("{ $.ms > 0 }", &transformation).transformation;
    assert!(matches!(measured.value, EventValue::Member(_)) && measured.dimensions.len() == 1);
    let transformation = json!({"namespace": "karma", "name": "bytes", "value": "$bytes"});
    let field = filter("[ip, ..., bytes]", &transformation).transformation.value;
    assert_eq!(field, EventValue::Field("bytes".to_owned()));
}

#[test]
fn what_no_filter_can_be_is_told() {
    let check = |pattern: &str, transformation: Json, words: &[&str]| {
        check_complaint(&filter_attributes(pattern, &transformation), words);
    };
    let plain = json!({"namespace": "karma", "name": "errors", "value": "1"});
    check(
        "{ $.level = ",
        plain.clone(),
        &["error @pattern", "Invalid filter pattern", "a value is expected"],
    );
    let with = |name: &str, value: Json| {
        let mut changed = plain.clone();
        changed[name] = value;
        changed
    };
    check(
        "ERROR",
        with("value", "$.ms".into()),
        &["`$.member` wants a pattern in braces"],
    );
    check(
        "ERROR",
        with("value", "many".into()),
        &["@metric_transformation", "neither a number nor"],
    );
    let mut both = with("default_value", "0".into());
    both["dimensions"] = json!({"Path": "$.path"});
    check("{ $.path = * }", both, &["cannot be set where there are dimensions"]);
    let many = json!({"A": "$.a", "B": "$.b", "C": "$.c", "D": "$.d"});
    check("{ $.a = * }", with("dimensions", many), &["are 4, but 3 are the most"]);
}
