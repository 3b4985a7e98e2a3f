//! How the scaling of services is read.

use std::time::Duration;

use karma_fleet::metric::{DimensionValue, MetricSource, Statistic};
use karma_fleet::scaling::{AdjustmentType, ScalableTarget, ScaleIn, ScalingPolicyKind, SuspendedState, TrackedMetric};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet, read};

type Resource = (&'static str, Json);

/// A service that may have two to six tasks.
fn service() -> Vec<Resource> {
    let definitions =
        json!({"family": "app", "container_definitions": {"jsonencode": [{"name": "app", "image": "app"}]}});
    vec![
        ("aws_ecs_cluster.main", json!({"name": "karma"})),
        ("aws_ecs_task_definition.app", definitions),
        (
            "aws_ecs_service.app",
            json!({"name": "app", "cluster": "${aws_ecs_cluster.main.id}", "task_definition": "${aws_ecs_task_definition.app.arn}"}),
        ),
        (
            "aws_appautoscaling_target.app",
            json!({"service_namespace": "ecs", "scalable_dimension": "ecs:service:DesiredCount",
                   "resource_id": "service/karma/app", "min_capacity": 2, "max_capacity": 6}),
        ),
    ]
}

fn with(resource: Resource) -> Vec<Resource> {
    [service(), vec![resource]].concat()
}

fn policy(kind: &str, block: &str, configuration: &Json) -> Resource {
    let attributes = json!({"name": "app", "service_namespace": "ecs", "scalable_dimension": "ecs:service:DesiredCount",
                            "resource_id": "service/karma/app", "policy_type": kind, block: [configuration]});
    ("aws_appautoscaling_policy.app", attributes)
}

fn tracking(configuration: &Json) -> Resource {
    policy(
        "TargetTrackingScaling",
        "target_tracking_scaling_policy_configuration",
        configuration,
    )
}

fn target(resources: &[Resource]) -> ScalableTarget {
    fleet(resources)
        .scalable_targets
        .remove(&address("aws_appautoscaling_target.app"))
        .expect("it was read")
}

fn only_policy(resource: Resource) -> ScalingPolicyKind {
    let mut target = target(&with(resource));
    assert_eq!(target.policies.len(), 1);
    target.policies.remove(0).kind
}

#[test]
fn a_target_is_a_service_and_its_limits() {
    let target = target(&service());
    assert_eq!(target.service, address("aws_ecs_service.app"));
    assert_eq!((target.min_capacity, target.max_capacity), (2, 6));
    assert_eq!(target.suspended, SuspendedState::default());
}

#[test]
fn a_service_whose_name_is_not_known_is_found_by_its_address() {
    let mut resources = service();
    resources[3].1["resource_id"] = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.app.name}".into();
    resources[3].1["suspended_state"] = json!([{"dynamic_scaling_in_suspended": true}]);
    let target = target(&resources);
    assert_eq!(target.service, address("aws_ecs_service.app"));
    assert!(target.suspended.dynamic_scaling_in && !target.suspended.dynamic_scaling_out);
}

#[test]
fn what_scales_something_else_is_not_modeled() {
    let table =
        json!({"service_namespace": "dynamodb", "resource_id": "table/x", "min_capacity": 1, "max_capacity": 2});
    let fleet = fleet(&with(("aws_appautoscaling_target.table", table)));
    assert_eq!(fleet.unmodeled, [address("aws_appautoscaling_target.table")]);
}

#[test]
fn a_tracked_metric_may_be_predefined() {
    let read = |metric: Json| {
        let configuration =
            json!({"target_value": 70, "scale_in_cooldown": 120, "predefined_metric_specification": [metric]});
        match only_policy(tracking(&configuration)) {
            ScalingPolicyKind::TargetTracking(tracking) => tracking,
            ScalingPolicyKind::StepScaling(_) => panic!("it tracks a target"),
        }
    };
    let cpu = read(json!({"predefined_metric_type": "ECSServiceAverageCPUUtilization"}));
    assert_eq!(cpu.metric, TrackedMetric::CpuUtilization);
    assert!((cpu.target_value - 70.0).abs() < f64::EPSILON);
    assert_eq!(cpu.scale_in_cooldown, Duration::from_mins(2));
    assert_eq!(
        (cpu.scale_out_cooldown, cpu.scale_in),
        (Duration::from_mins(5), ScaleIn::Enabled)
    );
    let label = "${aws_lb.main.arn_suffix}/${aws_lb_target_group.app.arn_suffix}";
    let requests = read(json!({"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": label}));
    let target_group = DimensionValue::Attribute {
        of: address("aws_lb_target_group.app"),
        attribute: "arn_suffix".to_owned(),
    };
    assert_eq!(requests.metric, TrackedMetric::RequestCountPerTarget { target_group });
    let label = "app/main/1/targetgroup/app/2";
    let requests = read(json!({"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": label}));
    let target_group = DimensionValue::Known("targetgroup/app/2".to_owned());
    assert_eq!(requests.metric, TrackedMetric::RequestCountPerTarget { target_group });
}

#[test]
fn a_tracked_metric_may_be_the_users_own() {
    let metric = json!({"namespace": "karma", "metric_name": "queue", "statistic": "Maximum",
                        "dimensions": [{"name": "Service", "value": "app"}]});
    let configuration =
        json!({"target_value": 5, "disable_scale_in": true, "customized_metric_specification": [metric]});
    let ScalingPolicyKind::TargetTracking(tracking) = only_policy(tracking(&configuration)) else {
        panic!("it tracks a target");
    };
    assert_eq!(tracking.scale_in, ScaleIn::Disabled);
    let TrackedMetric::Customized(MetricSource::Single(source)) = tracking.metric else {
        panic!("it is one metric");
    };
    assert_eq!(source.metric.to_string(), "karma queue Service=app");
    assert_eq!(source.statistic, Statistic::Maximum);
}

#[test]
fn steps_are_sorted_and_meet() {
    let step = |lower: &str, upper: &str, adjustment: i32| json!({"metric_interval_lower_bound": lower, "metric_interval_upper_bound": upper, "scaling_adjustment": adjustment});
    let with_steps = |steps: Json| {
        let configuration = json!({"adjustment_type": "ChangeInCapacity", "step_adjustment": steps});
        policy("StepScaling", "step_scaling_policy_configuration", &configuration)
    };
    let steps = json!([step("10", "", 3), step("0", "10", 1)]);
    let ScalingPolicyKind::StepScaling(scaling) = only_policy(with_steps(steps)) else {
        panic!("it has steps");
    };
    assert_eq!(scaling.adjustment_type, AdjustmentType::ChangeInCapacity);
    assert_eq!(scaling.cooldown, Duration::from_mins(5));
    let adjustments: Vec<_> = scaling.steps.iter().map(|step| step.adjustment).collect();
    assert_eq!(adjustments, [1, 3]);
    assert_eq!(scaling.steps[1].upper_bound, None);
    let gap = with_steps(json!([step("10", "", 3), step("0", "5", 1)]));
    check_complaint(
        &with(gap),
        &["Invalid step adjustments", "where the one before it ends"],
    );
}

#[test]
fn an_action_has_a_time_and_limits() {
    let action = |schedule: &str, zone: &str| {
        let attributes = json!({"name": "open", "resource_id": "service/karma/app", "schedule": schedule, "timezone": zone,
                                "scalable_target_action": [{"min_capacity": "3", "max_capacity": null}]});
        with(("aws_appautoscaling_scheduled_action.open", attributes))
    };
    let target = target(&action("cron(0 8 ? * MON-FRI *)", "Europe/Madrid"));
    let [open] = &target.scheduled_actions[..] else {
        panic!("one action");
    };
    assert_eq!((open.min_capacity, open.max_capacity), (Some(3), None));
    let time = |text: &str| text.parse().expect("a time");
    let next = open.next_after(time("2026-11-23T12:00:00Z"), time("2026-01-01T00:00:00Z"));
    assert_eq!(next, Some(time("2026-11-24T07:00:00Z")));
    check_complaint(
        &action("cron(0 8 * *)", "UTC"),
        &["@schedule", "Invalid schedule", "has 6 fields"],
    );
    check_complaint(&action("rate(1 hour)", "Mars/Base"), &["@timezone", "no time zone"]);
}

#[test]
fn what_hangs_in_the_air_is_told() {
    let mut elsewhere = service();
    elsewhere[3].1["resource_id"] = "service/karma/other".into();
    check_complaint(&elsewhere, &["warning @resource_id", "names no service of this stack"]);
    let mut swapped = service();
    swapped[3].1["min_capacity"] = 7.into();
    check_complaint(&swapped, &["error @min_capacity", "is 7, but `max_capacity` is 6"]);
    let cpu = json!({"predefined_metric_type": "ECSServiceAverageCPUUtilization"});
    let policy = tracking(&json!({"target_value": 70, "predefined_metric_specification": [cpu]}));
    let mut alone = with(policy);
    alone.remove(3);
    check_complaint(&alone, &["warning @resource_id", "no `aws_appautoscaling_target`"]);
    let unknown = json!({"target_value": 70, "predefined_metric_specification": [{"predefined_metric_type": "Other"}]});
    let (_, complaints) = read(&with(tracking(&unknown)));
    assert!(complaints[0].contains("Not run locally yet"), "{complaints:?}");
}
