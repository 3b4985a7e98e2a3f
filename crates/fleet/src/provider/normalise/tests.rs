//! What is expected here was planned by hashicorp/aws 5.100.0.

use std::collections::BTreeMap;

use karma_terraform::provider::Context;
use karma_terraform::{Address, AttributePath, Mode, Object, PathStep, Unknown, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::normalise;

fn object(json: &Json) -> Object {
    Value::from_json(json).as_object().expect("an object").clone()
}

fn address(kind: &str) -> Address {
    Address {
        module: vec![],
        mode: Mode::Managed,
        kind: kind.into(),
        name: "x".into(),
        key: None,
    }
}

fn normalised(kind: &str, provider: &Json, mut attributes: Object) -> Result<Object, String> {
    let context = Context {
        address: &address(kind),
        provider: &object(provider),
        facts: &BTreeMap::new(),
    };
    normalise(context, &mut attributes).map(|()| attributes)
}

fn plan(kind: &str, attributes: &Json) -> Object {
    normalised(kind, &json!({}), object(attributes)).unwrap()
}

fn unknown() -> Value {
    let path = AttributePath(vec![PathStep::Attribute("id".into())]);
    Value::Unknown(Box::new(Unknown::Attribute {
        of: address("aws_vpc"),
        path,
    }))
}

fn definitions(written: &Json) -> String {
    let planned = plan(
        "aws_ecs_task_definition",
        &json!({ "container_definitions": written.to_string() }),
    );
    planned["container_definitions"].as_str().unwrap().to_owned()
}

#[test]
fn container_definitions_are_sorted_and_stripped() {
    let written = json!([
        {
            "name": "b", "image": "x:1", "cpu": 0, "memory": 0, "unknownField": "x", "repositoryCredentials": null,
            "environment": [{ "name": "Z", "value": "1" }, { "name": "A", "value": "<&>é \" \u{2028}" }, { "name": "B", "value": "" }],
            "secrets": [{ "name": "S2", "valueFrom": "arn:b" }, { "name": "S1", "valueFrom": "arn:a" }],
            "portMappings": [{ "containerPort": 81, "hostPort": 0 }, { "containerPort": 80 }],
            "ulimits": [{ "name": "nofile", "softLimit": 0, "hardLimit": 0 }],
            "command": [], "workingDirectory": "", "privileged": false,
            "logConfiguration": { "logDriver": "awslogs", "options": { "z": "1", "awslogs-group": "g" }, "secretOptions": [] },
        },
        { "Name": "a", "Image": "y", "ESSENTIAL": false, "cpu": 10, "environment": null },
    ]);
    assert_eq!(
        definitions(&written),
        concat!(
            r#"[{"cpu":10,"essential":false,"image":"y","name":"a"},"#,
            r#"{"command":[],"environment":[{"name":"A","value":"\u003c\u0026\u003eé \" \u2028"},{"name":"B","value":""},{"name":"Z","value":"1"}],"#,
            r#""image":"x:1","logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","z":"1"},"secretOptions":[]},"#,
            r#""memory":0,"name":"b","portMappings":[{"containerPort":81,"hostPort":0},{"containerPort":80}],"privileged":false,"#,
            r#""secrets":[{"name":"S1","valueFrom":"arn:a"},{"name":"S2","valueFrom":"arn:b"}],"#,
            r#""ulimits":[{"hardLimit":0,"name":"nofile","softLimit":0}],"workingDirectory":""}]"#
        )
    );
}

#[test]
fn variables_without_a_name_are_lost() {
    let written = json!([{ "name": "a", "image": "b", "environment": [{ "name": "A" }, { "name": "", "value": "" }, {}], "secrets": [{}] }]);
    assert_eq!(
        definitions(&written),
        r#"[{"environment":[{"name":"","value":""},{"name":"A"}],"image":"b","name":"a","secrets":[]}]"#
    );
}

#[test]
fn wrong_container_definitions_say_where() {
    for (written, part) in [
        ("[{ \"memory\": \"512\" }]", "[0].memory must be a whole number"),
        (
            "[{}, { \"environment\": { \"A\": 1 } }]",
            "[1].environment must be a list",
        ),
        (
            "[{ \"environment\": [{ \"value\": 1 }] }]",
            "[0].environment[0].value must be a string",
        ),
        (
            "[{ \"stopTimeout\": 99999999999 }]",
            "[0].stopTimeout must be a whole number",
        ),
        ("{}", "it must be a list"),
        ("[", "EOF"),
    ] {
        let attributes = object(&json!({ "container_definitions": written }));
        let message = normalised("aws_ecs_task_definition", &json!({}), attributes).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_unknown_definition_keeps_what_it_is_made_of() {
    let call = Value::Unknown(Box::new(Unknown::Call {
        function: "jsonencode",
        arguments: vec![unknown()],
    }));
    let attributes = Object::from([("container_definitions".to_owned(), call.clone())]);
    let planned = normalised("aws_ecs_task_definition", &json!({}), attributes).unwrap();
    assert_eq!(planned["container_definitions"], call);
}

#[test]
fn documents_are_kept_sorted_and_a_roles_own_policies_with_their_version_in_front() {
    let document = "{ \"Version\": \"2012-10-17\", \"Statement\": [\"<\"] }";
    let role = plan("aws_iam_role", &json!({ "assume_role_policy": document }));
    assert_eq!(
        role["assume_role_policy"].as_str(),
        Some(r#"{"Statement":["\u003c"],"Version":"2012-10-17"}"#)
    );
    let policy = plan("aws_iam_role_policy", &json!({ "policy": document }));
    assert_eq!(
        policy["policy"].as_str(),
        Some(r#"{"Version":"2012-10-17","Statement":["\u003c"]}"#)
    );
    let input = plan("aws_cloudwatch_event_target", &json!({ "input": document }));
    assert_eq!(input["input"].as_str(), Some(document));
}

#[test]
fn tags_all_is_the_default_tags_under_the_own_ones() {
    for block in [
        json!([{ "tags": { "a": "1", "b": "1" } }]),
        json!({ "tags": { "a": "1", "b": "1" } }),
    ] {
        let provider = json!({ "default_tags": block });
        let planned = normalised(
            "aws_vpc",
            &provider,
            object(&json!({ "tags": { "b": "2", "c": null } })),
        )
        .unwrap();
        assert_eq!(planned["tags_all"], Value::from_json(&json!({ "a": "1", "b": "2" })));
        assert_eq!(planned["tags"], Value::from_json(&json!({ "b": "2" })));
    }
}

#[test]
fn tags_all_is_unknown_where_a_tag_is_and_where_there_are_none() {
    let tagged = Value::Object(Object::from([
        ("Name".to_owned(), unknown()),
        ("b".to_owned(), Value::String("c".into())),
    ]));
    let attributes = Object::from([("tags".to_owned(), tagged.clone()), ("tags_all".to_owned(), unknown())]);
    let planned = normalised("aws_vpc", &json!({}), attributes).unwrap();
    let whole = Value::Unknown(Box::new(Unknown::Call {
        function: "tomap",
        arguments: vec![tagged],
    }));
    assert_eq!((&planned["tags"], &planned["tags_all"]), (&whole, &unknown()));

    let mut untagged = object(&json!({ "tags": null }));
    untagged.insert("tags_all".into(), unknown());
    assert_eq!(
        normalised("aws_vpc", &json!({}), untagged.clone()).unwrap()["tags_all"],
        unknown()
    );
    let framework = normalised("aws_vpc_security_group_ingress_rule", &json!({}), untagged).unwrap();
    assert_eq!(framework["tags_all"], Value::Object(Object::new()));
}

#[test]
fn an_empty_tag_is_not_known_beside_others_and_hides_all_of_its_kind() {
    let provider = json!({ "default_tags": { "tags": { "empty": "" } } });
    let planned = |tags: &Json| {
        let mut attributes = object(&json!({ "tags": tags }));
        attributes.insert("tags_all".into(), unknown());
        normalised("aws_vpc", &provider, attributes)
            .unwrap()
            .remove("tags_all")
            .unwrap()
    };
    let beside_another = planned(&json!({ "a": "1" }));
    assert!(beside_another.as_object().unwrap()["empty"].as_unknown().is_some());
    assert_eq!(beside_another.as_object().unwrap()["a"].as_str(), Some("1"));
    assert_eq!(planned(&Json::Null), unknown());
    assert_eq!(planned(&json!({ "b": "", "a": "1" })), unknown());
}

#[test]
fn a_set_with_an_unknown_member_is_unknown() {
    let subnets = Value::set([unknown(), Value::String("subnet-1".into())]);
    let network = Value::Object(Object::from([("subnets".to_owned(), subnets.clone())]));
    let attributes = Object::from([("network_configuration".to_owned(), Value::List(vec![network]))]);
    let planned = normalised("aws_ecs_service", &json!({}), attributes).unwrap();
    let network = planned["network_configuration"].as_elements().unwrap()[0]
        .as_object()
        .unwrap();
    let made_of = Unknown::Call {
        function: "toset",
        arguments: vec![subnets],
    };
    assert_eq!(network["subnets"].as_unknown(), Some(&made_of));
}

#[test]
fn an_empty_collection_is_one_that_was_not_written() {
    let alarm = normalised(
        "aws_cloudwatch_metric_alarm",
        &json!({}),
        Object::from([("alarm_actions".to_owned(), Value::Set(vec![]))]),
    );
    assert!(alarm.unwrap()["alarm_actions"].is_null());
    let balancer = normalised(
        "aws_lb",
        &json!({}),
        Object::from([("security_groups".to_owned(), Value::Set(vec![]))]),
    )
    .unwrap();
    let Some(Unknown::Attribute { path, .. }) = balancer["security_groups"].as_unknown() else {
        panic!("computed")
    };
    assert_eq!(path.to_string(), "security_groups");
}

#[test]
fn a_network_load_balancer_has_no_idle_timeout() {
    let network = plan(
        "aws_lb",
        &json!({ "load_balancer_type": "network", "idle_timeout": 60 }),
    );
    assert!(network["idle_timeout"].is_null());
    assert_eq!(network["enable_cross_zone_load_balancing"].as_bool(), Some(false));
    let application = plan(
        "aws_lb",
        &json!({ "load_balancer_type": "application", "idle_timeout": 60 }),
    );
    assert!(application["enable_cross_zone_load_balancing"].is_null());
    assert_eq!(application["idle_timeout"], Value::from_json(&json!(60)));
}

#[test]
fn a_certificate_says_for_which_names_it_needs_records() {
    let written = json!({ "domain_name": "example.com", "validation_method": "DNS", "subject_alternative_names": ["www.example.com"] });
    let planned = plan("aws_acm_certificate", &written);
    assert_eq!(planned["subject_alternative_names"].as_elements().unwrap().len(), 2);
    let names: Vec<&str> = planned["domain_validation_options"]
        .as_elements()
        .unwrap()
        .iter()
        .map(|option| option.as_object().unwrap()["domain_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["example.com", "www.example.com"]);
}

#[test]
fn a_record_is_named_in_lower_case_without_the_last_dot() {
    let record = plan("aws_route53_record", &json!({ "name": "A.Example.com." }));
    assert_eq!(record["name"].as_str(), Some("a.example.com"));
}

#[test]
fn an_instance_with_an_interface_of_its_own_does_not_check_sources() {
    let instance = plan(
        "aws_instance",
        &json!({ "source_dest_check": true, "network_interface": [{}] }),
    );
    assert!(instance["source_dest_check"].is_null());
    let instance = plan(
        "aws_instance",
        &json!({ "source_dest_check": true, "network_interface": [] }),
    );
    assert_eq!(instance["source_dest_check"].as_bool(), Some(true));
}

#[test]
fn of_an_instances_user_data_a_checksum_is_kept() {
    // What `printf hello | sha1sum` says.
    let hello = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
    for written in ["hello", "aGVsbG8=", "aGVs\nbG8="] {
        let instance = plan("aws_instance", &json!({ "user_data": written }));
        assert_eq!(instance["user_data"].as_str(), Some(hello), "{written}");
    }
    for nothing in [json!(null), json!("")] {
        let instance = plan("aws_instance", &json!({ "user_data": nothing }));
        assert_eq!(instance["user_data"], Value::from_json(&nothing));
    }
}

#[test]
fn logs_that_are_not_enabled_have_no_bucket() {
    let logs = json!([{ "enabled": false, "bucket": "b", "prefix": "p" }]);
    let balancer = plan(
        "aws_lb",
        &json!({ "access_logs": logs, "connection_logs": [{ "enabled": true, "bucket": "b" }] }),
    );
    assert_eq!(
        balancer["access_logs"],
        Value::from_json(&json!([{ "enabled": false, "bucket": "", "prefix": null }]))
    );
    assert_eq!(
        balancer["connection_logs"],
        Value::from_json(&json!([{ "enabled": true, "bucket": "b" }]))
    );
}

#[test]
fn a_rule_inside_a_security_group_is_complete() {
    let rule = Value::from_json(&json!({ "protocol": "ALL", "from_port": 0, "to_port": 0 }));
    let attributes = Object::from([("ingress".to_owned(), Value::set([rule]))]);
    let group = normalised("aws_security_group", &json!({}), attributes).unwrap();
    let rule = group["ingress"].as_elements().unwrap()[0].as_object().unwrap();
    assert_eq!(rule["protocol"].as_str(), Some("-1"));
    assert_eq!(rule["description"].as_str(), Some(""));
    assert_eq!(rule["self"].as_bool(), Some(false));
    assert_eq!(rule["cidr_blocks"], Value::List(vec![]));
    assert_eq!(rule["security_groups"], Value::Set(vec![]));
}

/// Container definitions with names, variables and CPU in any order, present or not.
fn container() -> impl Strategy<Value = Json> {
    let name = || prop::option::of("[a-c]{1,2}");
    let variable = (name(), ".{0,3}").prop_map(|(name, value)| json!({ "name": name, "value": value }));
    (name(), 0..2, prop::collection::vec(variable, 0..4), any::<bool>()).prop_map(
        |(name, cpu, environment, essential)| json!({ "name": name, "cpu": cpu, "environment": environment, "essential": essential, "x": 1 }),
    )
}

fn containers() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec(container(), 0..4)
}

proptest! {
    #[test]
    fn what_was_normalised_stays(containers in containers()) {
        let once = definitions(&Json::from(containers));
        prop_assert_eq!(definitions(&once.parse().unwrap()), once);
    }

    #[test]
    fn any_text_is_normalised_or_refused(text in ".{0,40}|[\\[\\]{}:,\"a-c0-9]{0,40}") {
        let attributes = object(&json!({ "container_definitions": text }));
        if let Err(message) = normalised("aws_ecs_task_definition", &json!({}), attributes) {
            prop_assert!(message.starts_with("container_definitions is not what ECS expects"));
        }
    }
}
