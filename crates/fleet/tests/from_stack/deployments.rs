//! How it is read what tasks run on, where they stand, and how they are replaced.

use karma_fleet::{AvailabilityZone, CircuitBreaker, DeploymentAlarms, Service};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet};

type Resources = Vec<(&'static str, Json)>;

const SERVICE: &str = "aws_ecs_service.hello";

fn around(service: &Json) -> Resources {
    let containers = json!([{"name": "app", "image": "nginx"}]);
    let mut members = json!({
        "name": "hello",
        "cluster": "${aws_ecs_cluster.main.id}",
        "task_definition": "${aws_ecs_task_definition.app.arn}",
    });
    let object = members.as_object_mut().expect("members");
    object.extend(service.as_object().expect("members").clone());
    vec![
        ("aws_ecs_cluster.main", json!({"name": "main"})),
        (
            "aws_ecs_cluster_capacity_providers.main",
            json!({
                "cluster_name": "main",
                "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
            }),
        ),
        ("aws_subnet.known", json!({"availability_zone": "us-east-1b"})),
        ("aws_subnet.same", json!({"availability_zone": "us-east-1b"})),
        (
            "aws_subnet.unknown",
            json!({"availability_zone": "${data.aws_availability_zones.all.names}"}),
        ),
        (
            "aws_ecs_task_definition.app",
            json!({"family": "app", "container_definitions": containers.to_string()}),
        ),
        (SERVICE, members),
    ]
}

fn service(members: &Json) -> Service {
    let services = fleet(&around(members)).services;
    services[&address(SERVICE)].clone()
}

#[test]
fn the_strategy_is_the_services_own_or_its_launch_type_or_the_clusters() {
    let check = |members: Json, expected: &[&str]| {
        let strategy = service(&members).capacity_provider_strategy;
        let found: Vec<_> = strategy.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{members}");
    };
    let own = json!([
        {"capacity_provider": "FARGATE_SPOT", "weight": 4},
        {"capacity_provider": "FARGATE", "base": 1, "weight": 1},
    ]);
    check(
        json!({"capacity_provider_strategy": own}),
        &["FARGATE base 1 weight 1", "FARGATE_SPOT base 0 weight 4"],
    );
    check(json!({"launch_type": "FARGATE"}), &["FARGATE base 0 weight 1"]);
    check(json!({}), &["FARGATE_SPOT base 0 weight 1"]);
    check(json!({"cluster": "elsewhere"}), &[]);
}

#[test]
fn a_strategy_that_ecs_refuses_is_an_error() {
    let check = |items: Json, words: &[&str]| {
        let members = json!({"capacity_provider_strategy": items});
        check_complaint(&around(&members), words);
    };
    check(
        json!([{"capacity_provider": "FARGATE", "weight": 0}]),
        &["Invalid capacity provider strategy", "above zero"],
    );
    check(
        json!([
            {"capacity_provider": "FARGATE", "base": 1, "weight": 1},
            {"capacity_provider": "FARGATE_SPOT", "base": 1, "weight": 1},
        ]),
        &["Invalid capacity provider strategy", "more than one"],
    );
}

#[test]
fn zones_are_those_of_the_subnets_each_once() {
    let subnets = json!([
        "${aws_subnet.known.id}",
        "${aws_subnet.same.id}",
        "${aws_subnet.unknown.id}",
        "subnet-elsewhere"
    ]);
    let network = service(&json!({"network_configuration": [{"subnets": subnets}]})).network;
    let unknown = |text: &str| AvailabilityZone::Unknown(text.to_owned());
    let expected = [
        AvailabilityZone::Known("us-east-1b".to_owned()),
        unknown("data.aws_availability_zones.all.names"),
        unknown("subnet-elsewhere"),
    ];
    assert_eq!(network.availability_zones, expected);
    assert_eq!(network.subnets[0], "aws_subnet.known.id");
    assert!(!network.assign_public_ip);
}

#[test]
fn breaker_and_alarms_count_where_they_are_enabled() {
    let check = |enable: bool, rollback: bool| {
        let service = service(&json!({
            "deployment_circuit_breaker": [{"enable": enable, "rollback": rollback}],
            "alarms": [{"enable": enable, "rollback": rollback, "alarm_names": ["errors"]}],
        }));
        let breaker = CircuitBreaker { rollback };
        let alarms = DeploymentAlarms {
            alarm_names: vec!["errors".to_owned()],
            rollback,
        };
        assert_eq!(service.deployment.circuit_breaker, enable.then_some(breaker));
        assert_eq!(service.deployment_alarms, enable.then_some(alarms));
    };
    check(true, true);
    check(true, false);
    check(false, true);
}

#[test]
fn rebalancing_and_forced_deployments_are_off_unless_the_stack_says_so() {
    let plain = service(&json!({}));
    assert!(!plain.availability_zone_rebalancing && !plain.force_new_deployment);
    let set = service(&json!({"availability_zone_rebalancing": "ENABLED", "force_new_deployment": true}));
    assert!(set.availability_zone_rebalancing && set.force_new_deployment);
}

#[test]
fn another_deployment_controller_is_told() {
    let members = json!({"deployment_controller": [{"type": "CODE_DEPLOY"}]});
    check_complaint(&around(&members), &["Not run locally yet", "CODE_DEPLOY"]);
}
