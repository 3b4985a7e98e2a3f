//! How services and their Service Connect names are read.

use std::time::Duration;

use karma_fleet::{ClientAlias, DeploymentConfiguration, Service};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet, read};

type Resources = Vec<(&'static str, Json)>;

const SERVICE: &str = r#"aws_ecs_service.agents["hello"]"#;

fn around(service: Json) -> Resources {
    let containers =
        json!([{"name": "app", "image": "nginx", "portMappings": [{"name": "http", "containerPort": 9002}]}]);
    vec![
        ("aws_ecs_cluster.main", json!({"name": "main"})),
        ("aws_service_discovery_http_namespace.main", json!({"name": "karma"})),
        ("aws_lb_target_group.app", json!({"name": "app", "port": 80})),
        (
            "aws_ecs_task_definition.app",
            json!({"family": "app", "container_definitions": containers.to_string()}),
        ),
        (SERVICE, service),
    ]
}

fn service(members: Json) -> Service {
    fleet(&around(complete(members)))
        .services
        .remove(&address(SERVICE))
        .expect("it was read")
}

fn complete(mut members: Json) -> Json {
    for (name, value) in [
        ("name", "hello-service"),
        ("task_definition", "${aws_ecs_task_definition.app.arn}"),
    ] {
        members
            .as_object_mut()
            .expect("members")
            .entry(name)
            .or_insert(value.into());
    }
    members
}

fn check_service_complaint(members: Json, words: &[&str]) {
    check_complaint(&around(complete(members)), words);
}

#[test]
fn a_bare_service_takes_the_defaults_of_ecs() {
    let service = service(json!({"desired_count": 2}));
    assert_eq!(
        (service.label.as_str(), service.name.as_str(), service.desired_count),
        ("hello", "hello-service", 2)
    );
    assert_eq!(
        service.deployment,
        DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
        }
    );
    assert_eq!(service.health_check_grace_period, Duration::ZERO);
    assert_eq!((service.cluster, service.service_connect), (None, None));
}

#[test]
fn a_service_is_found_by_label_and_by_name() {
    let fleet = fleet(&around(complete(json!({}))));
    for text in ["hello", "hello-service"] {
        assert_eq!(fleet.service(text).map(|(at, _)| at), Some(&address(SERVICE)), "{text}");
    }
    assert!(fleet.service("nobody").is_none());
}

#[test]
fn a_label_that_two_services_share_is_given_up() {
    let mut resources = around(complete(json!({})));
    resources.push((
        r#"aws_ecs_service.workers["hello"]"#,
        complete(json!({"name": "hello-worker"})),
    ));
    let fleet = fleet(&resources);
    let labels: Vec<&str> = fleet.services.values().map(|service| service.label.as_str()).collect();
    assert_eq!(labels, ["hello-service", "hello-worker"]);
}

fn check_cluster(cluster: &str, expected: Option<&str>) {
    assert_eq!(
        service(json!({"cluster": cluster})).cluster,
        expected.map(address),
        "{cluster}"
    );
}

#[test]
fn the_cluster_is_found_by_reference_and_by_name() {
    check_cluster("${aws_ecs_cluster.main.id}", Some("aws_ecs_cluster.main"));
    check_cluster("${aws_ecs_cluster.main.arn}", Some("aws_ecs_cluster.main"));
    check_cluster("main", Some("aws_ecs_cluster.main"));
    check_cluster("elsewhere", None);
    check_cluster("${data.aws_ecs_cluster.far.arn}", None);
}

#[test]
fn the_task_definition_may_be_family_and_revision() {
    let by_revision = service(json!({"task_definition": "app:${aws_ecs_task_definition.app.revision}"}));
    assert_eq!(by_revision.task_definition, address("aws_ecs_task_definition.app"));
    assert_eq!(
        service(json!({"task_definition": "app"})).task_definition,
        by_revision.task_definition
    );
}

#[test]
fn links_to_the_wrong_kind_are_errors() {
    let words = |name| vec![name, "Unresolved reference", "`aws_lb_target_group.app.arn` does not"];
    let wrong = "${aws_lb_target_group.app.arn}";
    check_service_complaint(json!({"cluster": wrong}), &words("error @cluster"));
    check_service_complaint(json!({"task_definition": wrong}), &words("error @task_definition"));
    check_service_complaint(
        json!({"task_definition": "app:7"}),
        &["an `aws_ecs_task_definition` of this stack", "\"app:7\""],
    );
}

fn load_balancer(container: &str, port: u16) -> Json {
    let entry = json!({
        "target_group_arn": "${aws_lb_target_group.app.arn}",
        "container_name": container,
        "container_port": port,
    });
    json!({"load_balancer": [entry]})
}

#[test]
fn the_container_behind_a_target_group_must_exist() {
    let entry = &service(load_balancer("app", 9002)).load_balancers[0];
    assert_eq!(
        (&entry.target_group, entry.container_port),
        (&address("aws_lb_target_group.app"), 9002)
    );
    check_service_complaint(
        load_balancer("web", 9002),
        &["error @load_balancer: Unknown container: ", "it has: app."],
    );
    check_service_complaint(
        load_balancer("app", 80),
        &["error @load_balancer: Unknown container port", "is 80"],
    );
}

#[test]
fn a_target_group_that_is_not_modeled_is_left_out_with_a_warning() {
    let mut resources = around(complete(load_balancer("app", 9002)));
    resources[2].1 = json!({"name": "app", "port": 80, "protocol": "TCP"});
    check_complaint(
        &resources,
        &["warning @load_balancer: Not run locally yet", "aws_lb_target_group.app"],
    );
    assert_eq!(read(&resources).0.services[&address(SERVICE)].load_balancers, []);
}

fn service_connect(entry: &Json) -> Json {
    let namespace = "${aws_service_discovery_http_namespace.main.arn}";
    json!({"service_connect_configuration": [{"enabled": true, "namespace": namespace, "service": [entry]}]})
}

fn check_alias(entry: &Json, dns_name: &str, port: u16) {
    let connect = service(service_connect(entry)).service_connect.expect("it is enabled");
    assert_eq!(connect.namespace.as_deref(), Some("karma"));
    assert_eq!(
        connect.services[0].client_alias,
        ClientAlias {
            dns_name: dns_name.to_owned(),
            port
        }
    );
}

#[test]
fn an_alias_without_name_is_made_of_discovery_name_and_namespace() {
    check_alias(
        &json!({"port_name": "http", "client_alias": [{"port": 80, "dns_name": "hello"}]}),
        "hello",
        80,
    );
    check_alias(
        &json!({"port_name": "http", "client_alias": [{"port": 80}]}),
        "http.karma",
        80,
    );
    check_alias(
        &json!({"port_name": "http", "discovery_name": "hello", "client_alias": [{"port": 80}]}),
        "hello.karma",
        80,
    );
}

/// What the timeouts of the alias are, in seconds, where the port has this protocol and the block these members.
#[track_caller]
fn check_timeouts(protocol: Json, block: &Json, idle: Option<u64>, per_request: Option<u64>) {
    let mut entry = json!({"port_name": "http", "client_alias": [{"port": 80, "dns_name": "hello"}]});
    if !block.is_null() {
        entry["timeout"] = json!([block]);
    }
    let mut resources = around(complete(service_connect(&entry)));
    let definition = resources
        .iter_mut()
        .find(|(name, _)| name.starts_with("aws_ecs_task_definition"));
    let definitions = &mut definition.expect("it is there").1["container_definitions"];
    let mut containers: Json = serde_json::from_str(definitions.as_str().expect("JSON")).expect("JSON");
    containers[0]["portMappings"][0]["appProtocol"] = protocol;
    *definitions = containers.to_string().into();
    let connect = fleet(&resources)
        .services
        .remove(&address(SERVICE))
        .expect("it was read")
        .service_connect;
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    let timeouts = connect.expect("it is enabled").services[0].timeouts;
    assert_eq!(
        (seconds(timeouts.idle), seconds(timeouts.per_request)),
        (idle, per_request)
    );
}

#[test]
fn timeouts_follow_the_protocol_unless_they_are_set() {
    check_timeouts(Json::Null, &Json::Null, Some(3600), None);
    check_timeouts("http".into(), &Json::Null, Some(300), Some(15));
    check_timeouts(
        "grpc".into(),
        &json!({"per_request_timeout_seconds": 60}),
        Some(300),
        Some(60),
    );
    let off = json!({"idle_timeout_seconds": 0, "per_request_timeout_seconds": 0});
    check_timeouts("http".into(), &off, None, None);
}

#[test]
fn the_port_name_must_exist() {
    let entry = |port_name: &str| json!({"port_name": port_name, "client_alias": [{"port": 80, "dns_name": "hello"}]});
    check_service_complaint(
        service_connect(&entry("grpc")),
        &[
            "error @service_connect_configuration: Unknown port name: ",
            "service[0].port_name",
            "it has: http.",
        ],
    );
    let without_alias = json!({"port_name": "http"});
    check_service_complaint(
        service_connect(&without_alias),
        &["Missing required argument", "service[0].client_alias`"],
    );
}

#[test]
fn service_connect_that_is_off_is_none() {
    assert_eq!(
        service(json!({"service_connect_configuration": [{"enabled": false}]})).service_connect,
        None
    );
}

#[test]
fn the_namespace_may_be_the_clusters() {
    let mut resources = around(complete(json!({
        "cluster": "${aws_ecs_cluster.main.arn}",
        "service_connect_configuration": [{"enabled": true}],
    })));
    resources[0].1["service_connect_defaults"] =
        json!([{"namespace": "${aws_service_discovery_http_namespace.main.arn}"}]);
    let mut fleet = fleet(&resources);
    let connect = fleet
        .services
        .remove(&address(SERVICE))
        .and_then(|service| service.service_connect);
    assert_eq!(connect.and_then(|connect| connect.namespace).as_deref(), Some("karma"));
}

#[test]
fn a_broken_task_definition_is_told_once() {
    let mut resources = around(complete(load_balancer("app", 9002)));
    resources[3].1["container_definitions"] = "[{}]".into();
    let (fleet, complaints) = read(&resources);
    assert_eq!(complaints.len(), 2, "name and image: {complaints:#?}");
    assert_eq!(fleet.services.len(), 1);
}
