//! Whatever stands where: reading never panics, and what is read without an error hangs together.

use karma_fleet::{Action, Fleet};
use serde_json::{Value as Json, json};

use crate::support::read;

/// A stack with one of everything that is read.
fn whole() -> Vec<(&'static str, Json)> {
    let container = json!({
        "name": "app",
        "image": "${aws_ecr_repository.app.repository_url}:1",
        "command": ["run"],
        "essential": true,
        "stopTimeout": 30,
        "environment": [{"name": "PORT", "value": "80"}],
        "secrets": [{"name": "KEY", "valueFrom": "${aws_secretsmanager_secret.app.arn}:KEY::"}],
        "portMappings": [{"name": "http", "containerPort": 80}],
        "healthCheck": {"command": ["CMD", "true"], "interval": 5, "retries": 2},
        "dependsOn": [{"containerName": "proxy", "condition": "HEALTHY"}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "${aws_cloudwatch_log_group.app.id}", "awslogs-stream-prefix": "ecs"},
        },
    });
    let proxy = json!({"name": "proxy", "image": "nginx", "healthCheck": {"command": ["CMD", "true"]}});
    let target = "${aws_lb_target_group.app.arn}";
    let mut all = vec![
        (
            "aws_ecs_cluster.app",
            json!({"name": "app", "service_connect_defaults": [{"namespace": "app"}]}),
        ),
        ("aws_ecr_repository.app", json!({"name": "app"})),
        (
            "aws_cloudwatch_log_group.app",
            json!({"name": "app", "retention_in_days": 7}),
        ),
        ("aws_secretsmanager_secret.app", json!({"name": "app"})),
        (
            "aws_ecs_task_definition.app",
            json!({"family": "app", "cpu": "256", "container_definitions": {"jsonencode": [container, proxy]}}),
        ),
        (
            "aws_lb.app",
            json!({"name": "app", "load_balancer_type": "application", "idle_timeout": 60}),
        ),
        (
            "aws_lb_target_group.app",
            json!({
                "name": "app",
                "port": 80,
                "protocol": "HTTP",
                "health_check": [{"path": "/", "matcher": "200", "port": "traffic-port"}],
            }),
        ),
        (
            "aws_lb_listener.app",
            json!({
                "load_balancer_arn": "${aws_lb.app.arn}",
                "port": 80,
                "protocol": "HTTP",
                "default_action": [{"type": "forward", "forward": [{"target_group": [{"arn": target, "weight": 1}]}]}],
            }),
        ),
        (
            "aws_lb_listener_rule.app",
            json!({
                "listener_arn": "${aws_lb_listener.app.arn}",
                "priority": 1,
                "condition": [{"path_pattern": [{"values": ["/"]}]}],
                "action": [{"type": "forward", "target_group_arn": target}],
            }),
        ),
        (
            "aws_ecs_service.app",
            json!({
                "name": "app",
                "cluster": "${aws_ecs_cluster.app.id}",
                "task_definition": "${aws_ecs_task_definition.app.arn}",
                "desired_count": 1,
                "load_balancer": [{"target_group_arn": target, "container_name": "app", "container_port": 80}],
                "service_connect_configuration": [{
                    "enabled": true,
                    "service": [{"port_name": "http", "client_alias": [{"port": 80}]}],
                }],
            }),
        ),
    ];
    all.extend(scaling());
    all.extend(alarms());
    all
}

fn scaling() -> Vec<(&'static str, Json)> {
    let scaled = |more: Json| {
        let mut attributes = json!({"name": "app", "service_namespace": "ecs", "resource_id": "service/app/app"});
        let members = attributes.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        attributes
    };
    let label = "${aws_lb.app.arn_suffix}/${aws_lb_target_group.app.arn_suffix}";
    let metric = json!({"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": label});
    let tracking = json!({"target_value": 70, "scale_in_cooldown": 60, "predefined_metric_specification": [metric]});
    let step = json!({"metric_interval_lower_bound": "0", "metric_interval_upper_bound": "", "scaling_adjustment": 1});
    let stepping = json!({"adjustment_type": "ChangeInCapacity", "cooldown": 60, "step_adjustment": [step]});
    vec![
        (
            "aws_appautoscaling_target.app",
            scaled(json!({"min_capacity": 1, "max_capacity": 3})),
        ),
        (
            "aws_appautoscaling_policy.tracking",
            scaled(json!({
                "policy_type": "TargetTrackingScaling",
                "target_tracking_scaling_policy_configuration": [tracking],
            })),
        ),
        (
            "aws_appautoscaling_policy.stepping",
            scaled(json!({"policy_type": "StepScaling", "step_scaling_policy_configuration": [stepping]})),
        ),
        (
            "aws_appautoscaling_scheduled_action.open",
            scaled(json!({
                "schedule": "cron(0 8 ? * MON-FRI *)",
                "timezone": "Europe/Madrid",
                "start_time": "2026-01-01T00:00:00Z",
                "scalable_target_action": [{"min_capacity": "2", "max_capacity": "3"}],
            })),
        ),
    ]
}

fn alarms() -> Vec<(&'static str, Json)> {
    let metric = json!({
        "metric_name": "errors", "namespace": "app", "period": 60, "stat": "Sum",
        "dimensions": {"TargetGroup": "${aws_lb_target_group.app.arn_suffix}"},
    });
    let queries = json!([
        {"id": "errors", "metric": [metric]},
        {"id": "rate", "expression": "FILL(errors, 0) / 60", "return_data": true},
    ]);
    vec![
        (
            "aws_cloudwatch_metric_alarm.app",
            json!({
                "alarm_name": "errors",
                "metric_query": queries,
                "evaluation_periods": 3,
                "datapoints_to_alarm": 2,
                "comparison_operator": "GreaterThanThreshold",
                "threshold": 1,
                "treat_missing_data": "ignore",
                "alarm_actions": ["${aws_appautoscaling_policy.stepping.arn}"],
            }),
        ),
        (
            "aws_cloudwatch_composite_alarm.app",
            json!({"alarm_name": "any", "alarm_rule": "ALARM(${aws_cloudwatch_metric_alarm.app.arn})"}),
        ),
        (
            "aws_cloudwatch_log_metric_filter.app",
            json!({
                "name": "slow",
                "log_group_name": "${aws_cloudwatch_log_group.app.name}",
                "pattern": "{ $.ms > 100 }",
                "metric_transformation": [{
                    "name": "slow", "namespace": "app", "value": "$.ms", "dimensions": {"Path": "$.path"},
                }],
            }),
        ),
    ]
}

/// A reference of a resource to itself is no oddity: it marks what the evaluation has already reported.
fn oddities_for(address: &str) -> impl Iterator<Item = Json> {
    let oddities = [
        Json::Null,
        json!(true),
        json!(-1),
        json!(70_000),
        json!(""),
        json!("é:*/@-${aws_lb.app.dns_name}"),
        json!("${aws_lb_target_group.app.arn}"),
        json!("${aws_ecs_service.app.name}"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"name": []}),
    ];
    let itself = format!("${{{address}.");
    oddities
        .into_iter()
        .filter(move |oddity| !oddity.to_string().contains(&itself))
}

/// Every place in a value, the value itself first.
fn places(json: &Json) -> Vec<String> {
    let nested: Vec<(String, &Json)> = match json {
        Json::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| (index.to_string(), element))
            .collect(),
        Json::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        _ => Vec::new(),
    };
    let below = nested.into_iter().flat_map(|(name, value)| {
        let below = places(value);
        below.into_iter().map(move |place| format!("/{name}{place}"))
    });
    std::iter::once(String::new()).chain(below).collect()
}

#[test]
fn the_whole_stack_is_read_without_a_word() {
    assert_eq!(read(&whole()).1, Vec::<String>::new());
}

#[test]
fn an_oddity_anywhere_is_told_or_harmless() {
    for position in 0..whole().len() {
        // The first place is the resource itself, which is always an object.
        for place in places(&whole()[position].1).into_iter().skip(1) {
            for oddity in oddities_for(whole()[position].0) {
                let mut resources = whole();
                *resources[position]
                    .1
                    .pointer_mut(&place)
                    .expect("a place in this value") = oddity.clone();
                let (fleet, complaints) = read(&resources);
                if !complaints.iter().any(|complaint| complaint.starts_with("error")) {
                    let loose = loose_ends(&fleet);
                    assert!(
                        loose.is_empty(),
                        "{oddity} at {} {place}: {loose:?}",
                        resources[position].0
                    );
                }
            }
        }
    }
}

/// References into the fleet that lead nowhere.
fn loose_ends(fleet: &Fleet) -> Vec<String> {
    let mut loose = Vec::new();
    let mut expect = |found: bool, what: String| loose.extend((!found).then_some(what));
    for (address, service) in &fleet.services {
        let definition = fleet.task_definitions.contains_key(&service.task_definition);
        expect(definition, format!("{address} -> {}", service.task_definition));
        for entry in &service.load_balancers {
            expect(
                fleet.target_groups.contains_key(&entry.target_group),
                format!("{address} -> {}", entry.target_group),
            );
        }
    }
    for (address, target) in &fleet.scalable_targets {
        let service = fleet.services.contains_key(&target.service);
        expect(service, format!("{address} -> {}", target.service));
    }
    for (address, listener) in &fleet.listeners {
        let load_balancer = fleet.load_balancers.contains_key(&listener.load_balancer);
        expect(load_balancer, format!("{address} -> {}", listener.load_balancer));
        let actions = listener
            .rules
            .iter()
            .map(|rule| &rule.action)
            .chain([&listener.default_action]);
        let forwards = actions.filter_map(|action| match action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        });
        for target in forwards.flat_map(|forward| &forward.target_groups) {
            expect(
                fleet.target_groups.contains_key(&target.target_group),
                format!("{address} -> {}", target.target_group),
            );
        }
    }
    loose
}
