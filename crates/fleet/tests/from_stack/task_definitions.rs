//! How task definitions are read.

use std::time::Duration;

use crate::support::{address, check_complaint, fleet, read};
use karma_fleet::{
    Container, ContainerLimits, CpuArchitecture, DependencyCondition, EnvironmentValue, TaskDefinition, Ulimit,
    UlimitName,
};
use serde_json::{Value as Json, json};

/// A task definition and what its containers may refer to.
fn around(containers: &Json) -> Vec<(&'static str, Json)> {
    vec![
        ("aws_ecr_repository.app", json!({"name": "shop/app"})),
        ("data.aws_ecr_repository.base", json!({"name": "platform/base"})),
        ("aws_cloudwatch_log_group.app", json!({"name": "/ecs/app"})),
        ("aws_secretsmanager_secret.app", json!({"name": "shop/app"})),
        (
            "aws_secretsmanager_secret_version.app",
            json!({"secret_id": "${aws_secretsmanager_secret.app.id}"}),
        ),
        ("aws_ssm_parameter.token", json!({"name": "/shop/token"})),
        (
            "aws_ecs_task_definition.app",
            json!({"family": "app", "cpu": "256", "memory": "512", "container_definitions": containers}),
        ),
    ]
}

fn definition(containers: &Json) -> TaskDefinition {
    let mut fleet = fleet(&around(containers));
    fleet
        .task_definitions
        .remove(&address("aws_ecs_task_definition.app"))
        .expect("it was read")
}

/// The one container of a known definition, from its members beside name and image.
fn container(members: Json) -> Container {
    let text = Json::from(vec![complete(members)]).to_string();
    definition(&text.into()).containers.remove(0)
}

fn complete(mut members: Json) -> Json {
    for (name, value) in [("name", "app"), ("image", "nginx:1")] {
        members
            .as_object_mut()
            .expect("members")
            .entry(name)
            .or_insert(value.into());
    }
    members
}

fn check_container_complaint(members: Json, words: &[&str]) {
    let text = Json::from(vec![complete(members)]).to_string();
    check_complaint(&around(&text.into()), words);
}

#[test]
fn a_bare_container_takes_the_defaults_of_ecs() {
    let container = container(json!({}));
    assert!(container.essential);
    assert_eq!(container.stop_timeout, Duration::from_secs(30));
    assert_eq!((container.command, container.entry_point), (None, None));
    assert_eq!(container.unmodeled, Vec::<String>::new());
}

#[test]
fn limits_are_read_and_zeros_are_none() {
    let limited = container(json!({
        "cpu": 128, "memory": 256, "memoryReservation": 0,
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": -1}],
        "startTimeout": 60, "workingDirectory": "/app", "user": "1000", "readonlyRootFilesystem": true,
    }));
    let limits = &limited.limits;
    assert_eq!(
        (limits.cpu, limits.memory, limits.memory_reservation),
        (Some(128), Some(256), None)
    );
    let open_files = Ulimit {
        name: UlimitName::OpenFiles,
        soft: 1024,
        hard: u64::MAX,
    };
    assert_eq!(limits.ulimits, [open_files]);
    assert_eq!(limited.start_timeout, Some(Duration::from_mins(1)));
    assert_eq!(
        (limited.working_directory.as_deref(), limited.user.as_deref()),
        (Some("/app"), Some("1000"))
    );
    assert!(limited.readonly_root_filesystem);
    assert_eq!(limited.unmodeled, Vec::<String>::new());
    assert_eq!(container(json!({})).limits, ContainerLimits::default());
    check_container_complaint(
        json!({"ulimits": [{"name": "files", "softLimit": 1, "hardLimit": 1}]}),
        &["nofile"],
    );
}

#[test]
fn a_restart_policy_counts_only_where_it_is_enabled() {
    let policy = |members: Json| container(json!({"restartPolicy": members})).restart_policy;
    let check = |members: Json, ignored: &[i32], period: u64| {
        let read = policy(members).expect("it is enabled");
        assert_eq!(
            (
                read.ignored_exit_codes.as_slice(),
                read.restart_attempt_period.as_secs()
            ),
            (ignored, period)
        );
    };
    check(json!({"enabled": true}), &[], 300);
    check(
        json!({"enabled": true, "ignoredExitCodes": [0, 3], "restartAttemptPeriod": 60}),
        &[0, 3],
        60,
    );
    assert_eq!(policy(json!({"enabled": false})), None);
}

#[test]
fn a_tasks_disk_has_its_usual_size_unless_the_definition_says() {
    let check = |block: Option<Json>, expected: u32| {
        let mut resources = around(&Json::from(Json::from(vec![complete(json!({}))]).to_string()));
        let (_, definition) = resources.last_mut().expect("the definition comes last");
        if let Some(block) = block {
            definition["ephemeral_storage"] = block;
        }
        let fleet = fleet(&resources);
        assert_eq!(
            fleet.task_definitions[&address("aws_ecs_task_definition.app")].ephemeral_storage,
            expected
        );
    };
    check(None, 20);
    check(Some(json!([{"size_in_gib": 50}])), 50);
}

#[test]
fn images_are_built_for_what_the_definition_runs_on() {
    let check = |block: Option<Json>, expected: CpuArchitecture| {
        let mut resources = around(&Json::from(Json::from(vec![complete(json!({}))]).to_string()));
        let (_, definition) = resources.last_mut().expect("the definition comes last");
        if let Some(block) = block {
            definition["runtime_platform"] = block;
        }
        let definition = &fleet(&resources).task_definitions[&address("aws_ecs_task_definition.app")];
        assert_eq!(definition.cpu_architecture, expected);
    };
    check(None, CpuArchitecture::X86_64);
    check(
        Some(json!([{"operating_system_family": "LINUX"}])),
        CpuArchitecture::X86_64,
    );
    check(Some(json!([{"cpu_architecture": "ARM64"}])), CpuArchitecture::Arm64);
}

#[test]
fn every_form_of_the_argument_reads_the_same() {
    let list = json!([{"name": "app", "image": "${aws_ecr_repository.app.repository_url}:1.0", "cpu": 0}]);
    let encoded = definition(&json!({"jsonencode": list}));
    let template = r#"[{"name": "app", "image": "${aws_ecr_repository.app.repository_url}:1.0"}]"#;
    assert_eq!(encoded.containers, definition(&template.into()).containers);
    assert_eq!(encoded.containers[0].image.to_string(), "shop/app:1.0");
    assert_eq!((encoded.cpu, encoded.memory), (Some(256), Some(512)));
}

#[test]
fn numbers_may_be_texts() {
    let container =
        container(json!({"stopTimeout": "120", "essential": "true", "portMappings": [{"containerPort": "9001"}]}));
    assert_eq!(container.stop_timeout, Duration::from_mins(2));
    assert_eq!(container.port_mappings[0].container_port, 9001);
}

#[test]
fn sizes_may_have_units() {
    let mut resources = around(&json!(r#"[{"name": "app", "image": "nginx"}]"#));
    resources.last_mut().expect("the definition").1["cpu"] = ".5 vCPU".into();
    resources.last_mut().expect("the definition").1["memory"] = "1 GB".into();
    let fleet = fleet(&resources);
    let definition = &fleet.task_definitions[&address("aws_ecs_task_definition.app")];
    assert_eq!((definition.cpu, definition.memory), (Some(512), Some(1024)));
}

#[test]
fn what_is_set_and_not_read_is_named() {
    let members =
        json!({"hostname": "65532:65532", "ulimits": [], "cpu": 0, "logConfiguration": {"logDriver": "splunk"}});
    assert_eq!(container(members).unmodeled, ["hostname", "logConfiguration"]);
}

#[test]
fn a_health_check_takes_the_defaults_of_ecs() {
    let container = container(json!({"healthCheck": {"command": ["CMD-SHELL", "exit 0"], "interval": 0}}));
    let check = container.health_check.expect("a health check");
    assert_eq!(check.command, ["CMD-SHELL", "exit 0"]);
    let seconds = [check.interval, check.timeout, check.start_period].map(|duration| duration.as_secs());
    assert_eq!((seconds, check.retries), ([30, 5, 0], 3));
    check_container_complaint(
        json!({"healthCheck": {"command": ["curl", "localhost"]}}),
        &[
            "error @container_definitions: Invalid value: ",
            "[0].healthCheck.command`",
            "`CMD-SHELL`",
        ],
    );
}

#[test]
fn an_unknown_environment_value_says_what_it_is_made_of() {
    let list = json!([{"name": "app", "image": "nginx", "environment": [
        {"name": "BUCKET", "value": "s3://${aws_s3_bucket.data.id}/in"},
        {"name": "PORT", "value": "9001"},
        {"name": "EMPTY"},
    ]}]);
    let environment = &definition(&json!({"jsonencode": list})).containers[0].environment;
    assert_eq!(
        environment["BUCKET"],
        EnvironmentValue::Unknown("s3://${aws_s3_bucket.data.id}/in".to_owned())
    );
    assert_eq!(environment["PORT"], EnvironmentValue::Known("9001".to_owned()));
    assert_eq!(environment["EMPTY"], EnvironmentValue::Known(String::new()));
}

#[test]
fn a_known_environment_value_never_shows_in_debug() {
    let container = container(json!({"environment": [{"name": "PASSWORD", "value": "hunter2"}]}));
    assert!(!format!("{container:?}").contains("hunter2"));
}

#[test]
fn a_sensitive_definition_never_shows_in_diagnostics() {
    let containers = json!({"sensitive": r#"[{"name": "app", "image": "nginx", "essential": "hunter2"}]"#});
    check_complaint(
        &around(&containers),
        &["[0].essential`", "but it is (sensitive value)."],
    );
}

#[test]
fn an_environment_value_must_be_a_text() {
    let members = json!({"environment": [{"name": "PORT", "value": 9001}]});
    check_container_complaint(
        members,
        &["[0].environment[0].value`", "must be text, but it is `9001`"],
    );
}

fn check_image(image: &str, expected: &str) {
    let definition = definition(&json!({"jsonencode": [{"name": "app", "image": image}]}));
    assert_eq!(definition.containers[0].image.to_string(), expected, "{image}");
}

#[test]
fn images_of_the_stack_lose_their_registry() {
    check_image("${aws_ecr_repository.app.repository_url}", "shop/app");
    check_image(
        "${aws_ecr_repository.app.repository_url}@sha256:00",
        "shop/app@sha256:00",
    );
    check_image("${data.aws_ecr_repository.base.repository_url}:2", "platform/base:2");
    check_image(
        "${data.aws_caller_identity.me.account_id}.dkr.ecr.eu-west-1.amazonaws.com/shop/app:1",
        "shop/app:1",
    );
    check_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/app:1", "shop/app:1");
    check_image(
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/other:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/other:1",
    );
    check_image("localhost:5000/shop/app:1", "localhost:5000/shop/app:1");
}

#[test]
fn an_image_that_cannot_be_told_is_an_error() {
    for image in [
        "${aws_ecr_repository.app.repository_url}:${null_resource.x.id}",
        "${aws_ecr_repository.app.arn}:1",
    ] {
        let containers = json!({"jsonencode": [{"name": "app", "image": image}]});
        check_complaint(
            &around(&containers),
            &["Value not known before apply", "container_definitions[0].image", image],
        );
    }
}

/// A secret is given as `address|name|key`.
fn check_secret(value_from: &str, expected: &str) {
    let secrets = json!([{"name": "TOKEN", "valueFrom": value_from}]);
    let definition = definition(&json!({"jsonencode": [{"name": "app", "image": "nginx", "secrets": secrets}]}));
    let secret = &definition.containers[0].secrets[0];
    let declared = secret.secret.as_ref().map(ToString::to_string).unwrap_or_default();
    let key = secret.json_key.as_deref().unwrap_or_default();
    assert_eq!(
        format!("{declared}|{}|{key}", secret.secret_name),
        expected,
        "{value_from}"
    );
}

#[test]
fn secrets_are_found_by_reference_and_by_name() {
    const APP: &str = "aws_secretsmanager_secret.app|shop/app|";
    check_secret("${aws_secretsmanager_secret.app.arn}", APP);
    check_secret("${aws_secretsmanager_secret.app.arn}:KEY::", &format!("{APP}KEY"));
    check_secret("${aws_secretsmanager_secret.app.id}::AWSPREVIOUS:", APP);
    check_secret(
        "${aws_secretsmanager_secret_version.app.arn}:KEY::",
        &format!("{APP}KEY"),
    );
    check_secret(
        "arn:aws:secretsmanager:us-east-1:1:secret:shop/app-a1B2c3:KEY::",
        &format!("{APP}KEY"),
    );
    check_secret(
        "arn:aws:secretsmanager:us-east-1:${data.aws_caller_identity.me.account_id}:secret:shop/app",
        APP,
    );
    check_secret("arn:aws:secretsmanager:us-east-1:1:secret:other-a1B2c3", "|other|");
    check_secret(
        "${data.aws_secretsmanager_secret.far.arn}:KEY::",
        "|data.aws_secretsmanager_secret.far.arn|KEY",
    );
    check_secret("/${random_pet.x.id}/token", "|/${random_pet.x.id}/token|");
}

#[test]
fn parameters_are_secrets_without_keys() {
    check_secret("/shop/token", "|/shop/token|");
    check_secret("${aws_ssm_parameter.token.arn}", "|/shop/token|");
    check_secret("arn:aws:ssm:us-east-1:1:parameter/shop/token", "|/shop/token|");
    check_secret("arn:aws:ssm:us-east-1:1:parameter/token", "|token|");
}

#[test]
fn a_secret_with_the_wrong_number_of_colons_is_refused_in_the_words_of_ecs() {
    let arn = "arn:aws:secretsmanager:us-east-1:1:secret:shop/app";
    for value_from in [
        "${aws_secretsmanager_secret.app.arn}:KEY",
        &format!("{arn}:KEY"),
        &format!("{arn}:KEY:::"),
    ] {
        let secrets = json!([{"name": "TOKEN", "valueFrom": value_from}]);
        let containers = json!({"jsonencode": [{"name": "app", "image": "nginx", "secrets": secrets}]});
        check_complaint(
            &around(&containers),
            &["Invalid secret reference", "secrets[0].valueFrom", "invalid ARN format"],
        );
    }
}

#[test]
fn the_log_group_may_be_given_by_reference() {
    let options = json!({"awslogs-group": "${aws_cloudwatch_log_group.app.id}", "awslogs-stream-prefix": "ecs"});
    let log = json!({"logDriver": "awslogs", "options": options});
    let definition = definition(&json!({"jsonencode": [{"name": "app", "image": "nginx", "logConfiguration": log}]}));
    let log = definition.containers[0].log.as_ref().expect("a log configuration");
    assert_eq!((log.group.as_str(), log.stream_prefix.as_str()), ("/ecs/app", "ecs"));
}

#[test]
fn dependencies_are_checked() {
    let with = |condition: &str, health_check: Json| {
        let other = json!({"name": "db", "image": "db", "essential": false, "healthCheck": health_check});
        let on = json!([{"containerName": "db", "condition": condition}]);
        Json::from(json!([{"name": "app", "image": "nginx", "dependsOn": on}, other]).to_string())
    };
    let healthy = definition(&with("HEALTHY", json!({"command": ["CMD", "true"]})));
    assert_eq!(
        healthy.containers[0].depends_on[0].condition,
        DependencyCondition::Healthy
    );
    check_complaint(
        &around(&with("HEALTHY", Json::Null)),
        &["\"app\" depends on \"db\"", "no health check"],
    );
    check_complaint(
        &around(&with("RUNNING", Json::Null)),
        &["dependsOn[0].condition`", "`COMPLETE`"],
    );
}

#[test]
fn a_circle_of_dependencies_is_an_error() {
    let waits = |name: &str, on: &str| json!({"name": name, "image": "x", "dependsOn": [{"containerName": on, "condition": "START"}]});
    let circle = json!([waits("a", "b"), waits("b", "a"), {"name": "c", "image": "x"}]).to_string();
    check_complaint(
        &around(&circle.into()),
        &["Invalid container definitions", "in a circle: a, b."],
    );
    let nobody = json!([waits("a", "z")]).to_string();
    check_complaint(&around(&nobody.into()), &["\"a\" depends on \"z\"", "does not have"]);
}

#[test]
fn definitions_that_are_not_a_list_of_objects_are_errors() {
    for (containers, found) in [
        (json!("[{"), "a JSON list is expected, but there is \"[{\""),
        (json!("{}"), "there is \"{}\""),
        (json!("[1]"), "an object is expected at 0, but there is `1`"),
        (
            json!("${terraform_data.x.output}"),
            "a JSON list is expected, but there is `terraform_data.x.output`",
        ),
        (
            json!({"jsonencode": ["${terraform_data.x.output}"]}),
            "at 0, but there is `terraform_data.x.output`",
        ),
    ] {
        check_complaint(
            &around(&containers),
            &["error @container_definitions: Invalid container definitions", found],
        );
    }
}

#[test]
fn a_task_needs_an_essential_container_and_distinct_names() {
    check_container_complaint(json!({"essential": false}), &["no container is essential"]);
    let twice = json!([complete(json!({})), complete(json!({}))]).to_string();
    check_complaint(&around(&twice.into()), &["two containers are named \"app\""]);
}

#[test]
fn everything_wrong_with_a_container_is_told_at_once() {
    let (fleet, complaints) = read(&around(&json!(r#"[{"portMappings": [{}], "stopTimeout": -1}]"#)));
    assert_eq!(complaints.len(), 4, "name, image, port and time: {complaints:#?}");
    assert!(fleet.task_definitions.is_empty());
}
