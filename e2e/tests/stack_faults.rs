//! Faults that are common in stacks of this kind, and that the project's own does not have: one test for each, over what Terraform would make of
//! the defaults and of each profile.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use karma_e2e::karma::repository;
use karma_e2e::{evaluation, iam, readable};
use karma_terraform::Stack;
use serde_json::{Value as Json, json};

/// Actions that AWS allows on every resource or none.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const WITHOUT_RESOURCES: [&str; 9] = [
    "ecr:GetAuthorizationToken",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

fn stack(variables: &str) -> Stack {
    evaluation::stack(&repository().join("terraform"), "variables.tfvars", variables).expect("the stack is right")
}

/// The defaults and the profiles by name.
static STACKS: LazyLock<BTreeMap<&str, Stack>> = LazyLock::new(|| {
    let image = "nat_instance_ami = \"ami-0123456789abcdef0\"";
    let profile = |name| {
        let path = repository().join(format!("terraform/profiles/{name}.tfvars"));
        let text = fs::read_to_string(path).expect("the profile is there");
        (name, stack(&format!("{text}\n{image}")))
    };
    ["seed", "lean", "resilient"]
        .map(profile)
        .into_iter()
        .chain([("defaults", stack(""))])
        .collect()
});

/// Something holds for every resource of a type, of which each stack has at least so many.
fn check(kind: &str, least: usize, holds: impl Fn(&Json) -> bool) {
    for (name, stack) in &*STACKS {
        let resources = readable::resources(stack, kind);
        assert!(resources.len() >= least, "{name}: {} {kind}", resources.len());
        for (address, attributes) in resources {
            assert!(holds(&attributes), "{name}: {address}: {attributes:#}");
        }
    }
}

fn container(task_definition: &Json) -> Json {
    readable::document(&task_definition["container_definitions"])[0].clone()
}

fn source(file: &str) -> String {
    fs::read_to_string(repository().join("terraform").join(file)).expect("the stack is there")
}

#[test]
fn a_rule_matches_the_bare_path_too() {
    for (name, stack) in &*STACKS {
        for (address, rule) in readable::resources(stack, "aws_lb_listener_rule") {
            let agent = address.split('"').nth(1).unwrap();
            let expected = json!([format!("/{agent}"), format!("/{agent}/*")]);
            assert_eq!(
                rule["condition"][0]["path_pattern"][0]["values"], expected,
                "{name}: {address}"
            );
        }
    }
}

#[test]
fn a_rule_by_host_comes_after_every_rule_by_path() {
    let stack = stack("domain_name = \"agents.example.com\"");
    let rules = readable::resources(&stack, "aws_lb_listener_rule");
    let priorities = |block: &str| -> Vec<u64> {
        let with = rules.iter().filter(|(address, _)| address.contains(block));
        with.map(|(_, rule)| rule["priority"].as_u64().unwrap()).collect()
    };
    let (paths, hosts) = (priorities("rule.agents["), priorities("rule.hosts["));
    assert_eq!((paths.len(), hosts.len()), (5, 5));
    assert!(paths.iter().max() < hosts.iter().min(), "{paths:?} {hosts:?}");
}

#[test]
fn the_health_check_is_a_program_that_the_image_has() {
    let karma_toml = source("karma.toml");
    check("aws_ecs_task_definition", 5, |definition| {
        let command = &container(definition)["healthCheck"]["command"];
        command[0] == "CMD" && karma_toml.contains(&format!("path = {}\n", command[1]))
    });
}

#[test]
fn an_image_is_never_latest_and_a_tag_never_moves() {
    check("aws_ecs_task_definition", 5, |definition| {
        let container = container(definition);
        let image = container["image"].as_str().unwrap();
        !image.ends_with(":latest") && image.contains("}:")
    });
    check("aws_ecr_repository", 5, |repository| {
        repository["image_tag_mutability"] == "IMMUTABLE"
    });
}

#[test]
fn old_images_expire_whatever_their_tags() {
    check("aws_ecr_lifecycle_policy", 5, |policy| {
        let policy = readable::document(&policy["policy"]);
        policy["rules"][1]["selection"]["tagStatus"] == "any"
    });
}

#[test]
fn a_bad_deployment_is_taken_back_and_applying_it_fails() {
    check("aws_ecs_service", 5, |service| {
        service["deployment_circuit_breaker"] == json!([{ "enable": true, "rollback": true }])
            && service["wait_for_steady_state"] == true
    });
    let services = source("main.tf");
    assert!(services.contains("postcondition") && services.contains("self.task_definition =="));
}

#[test]
fn a_deployment_can_always_start_or_stop_a_task_and_keeps_all_healthy() {
    check("aws_ecs_service", 5, |service| {
        service["deployment_minimum_healthy_percent"] == 100 && service["deployment_maximum_percent"] == 200
    });
}

#[test]
fn terraform_does_not_undo_autoscaling_and_redeploys_nothing_that_did_not_change() {
    check("aws_ecs_service", 5, |service| {
        service["triggers"].is_null() || service["triggers"].is_string()
    });
    check("aws_appautoscaling_target", 5, |target| {
        target["min_capacity"].as_u64() < target["max_capacity"].as_u64()
    });
    assert!(source("main.tf").contains("ignore_changes = [desired_count]"));
}

#[test]
fn only_the_load_balancer_is_open_and_every_rule_is_one_port() {
    check("aws_vpc_security_group_ingress_rule", 8, |rule| {
        let open = rule["cidr_ipv4"] == "0.0.0.0/0";
        let of_load_balancer = rule["security_group_id"] == "${aws_security_group.alb.id}";
        let web = rule["from_port"] == 80 || rule["from_port"] == 443;
        rule["ip_protocol"] == "tcp" && rule["from_port"] == rule["to_port"] && (!open || (of_load_balancer && web))
    });
    check("aws_vpc_security_group_egress_rule", 12, |rule| {
        rule["ip_protocol"] == "tcp" && rule["from_port"] == rule["to_port"] && !rule["description"].is_null()
    });
    check("aws_ecs_service", 5, |service| {
        service["network_configuration"][0]["assign_public_ip"] == false
    });
}

#[test]
fn the_default_security_group_lets_nothing_through() {
    check("aws_default_security_group", 1, |group| {
        let computed = "${aws_default_security_group.main.";
        ["ingress", "egress"].iter().all(|rules| match &group[*rules] {
            Json::Array(rules) => rules.is_empty(),
            Json::String(text) => text.starts_with(computed),
            rules => rules.is_null(),
        })
    });
}

#[test]
fn no_policy_has_a_wildcard_where_a_name_would_do() {
    for (name, stack) in &*STACKS {
        let policies = iam::role_policies(stack);
        assert!(policies.len() >= 10, "{name}: {} policies", policies.len());
        for (policy, statement) in policies
            .iter()
            .flat_map(|(policy, all)| all.iter().map(move |one| (policy, one)))
        {
            assert!(
                statement.actions.iter().all(|action| !action.contains('*')),
                "{name}: {policy}: {statement:?}"
            );
            let needs_none = statement
                .actions
                .iter()
                .all(|action| WITHOUT_RESOURCES.contains(&action.as_str()));
            for resource in &statement.resources {
                assert!(
                    is_named(resource) || (needs_none && resource == "*"),
                    "{name}: {policy}: {statement:?}"
                );
            }
        }
    }
}

/// A wildcard may only stand at the end, after the name of one thing: for the streams of a log group, the objects below a prefix, the alarms
/// of a service.
fn is_named(resource: &str) -> bool {
    let beginning = resource.trim_end_matches('*');
    beginning.starts_with("${") && !beginning.contains('*')
}

#[test]
fn an_agent_reads_only_its_own_secret_log_group_and_data() {
    let policies = iam::role_policies(&stack(""));
    let own = policies
        .iter()
        .filter(|(policy, _)| policy.starts_with("aws_iam_role_policy.task"));
    let mut count = 0;
    for (policy, statements) in own {
        let agent = policy.split('"').nth(1).unwrap();
        for resource in statements.iter().flat_map(|statement| &statement.resources) {
            let named = resource.contains(&format!("[\"{agent}\"]")) || resource.contains(&format!("/{agent}/"));
            let bucket = resource == "${aws_s3_bucket.data.arn}"; // Listing it has a condition on the prefix.
            assert!(named || bucket || resource == "*", "{policy}: {resource}");
            count += 1;
        }
    }
    assert!(count >= 20, "{count}");
    assert!(source("iam.tf").contains("variable = \"s3:prefix\""));
}

#[test]
fn no_secret_has_a_value_here() {
    for (name, stack) in &*STACKS {
        assert!(
            readable::resources(stack, "aws_secretsmanager_secret_version").is_empty(),
            "{name}"
        );
    }
    check("aws_secretsmanager_secret", 5, |secret| {
        secret["recovery_window_in_days"] == 30
    });
}

#[test]
fn every_role_is_assumed_by_something_in_the_stack() {
    let takers = [
        (
            "ecs-tasks.amazonaws.com",
            "aws_ecs_task_definition",
            "execution_role_arn",
        ),
        ("ecs-tasks.amazonaws.com", "aws_ecs_task_definition", "task_role_arn"),
        (
            "application-autoscaling.amazonaws.com",
            "aws_appautoscaling_target",
            "role_arn",
        ),
        ("scheduler.amazonaws.com", "aws_scheduler_schedule", "target/0/role_arn"),
    ];
    for (name, stack) in &*STACKS {
        let roles = iam::trusted(stack);
        assert_eq!(roles.len(), 3 + 5, "{name}: {roles:?}");
        for (role, principals) in roles {
            let arn = format!("${{{role}.arn}}");
            let is_assumed = |(principal, kind, attribute): &(&str, &str, &str)| {
                let mut resources = readable::resources(stack, kind).into_values();
                principals == [principal.to_owned()]
                    && resources.any(|resource| {
                        resource
                            .pointer(&format!("/{attribute}"))
                            .is_some_and(|role| *role == arn)
                    })
            };
            assert!(
                takers.iter().any(is_assumed),
                "{name}: nothing takes {role} as {principals:?}"
            );
        }
    }
}

#[test]
fn the_defaults_pay_for_one_way_to_aws_not_for_two() {
    let stack = stack("");
    let endpoints = readable::resources(&stack, "aws_vpc_endpoint");
    assert!(
        endpoints
            .values()
            .all(|endpoint| endpoint["vpc_endpoint_type"] == "Gateway"),
        "{endpoints:?}"
    );
    assert_eq!(readable::resources(&stack, "aws_nat_gateway").len(), 1);
}

#[test]
fn a_task_has_no_more_power_than_it_needs() {
    check("aws_ecs_task_definition", 5, |definition| {
        let container = container(definition);
        container["readonlyRootFilesystem"] == true
            && container["user"] == "65532:65532"
            && container["linuxParameters"]["initProcessEnabled"] == true
            && container["stopTimeout"] == 120
            && container["privileged"].is_null()
    });
}

#[test]
fn the_data_bucket_is_private_encrypted_and_versioned() {
    let of_data = |resource: &Json| resource["bucket"] == "${aws_s3_bucket.data.id}";
    check("aws_s3_bucket_public_access_block", 1, |block| {
        let all = [
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        ];
        of_data(block) && all.iter().all(|what| block[what] == true)
    });
    check("aws_s3_bucket_server_side_encryption_configuration", 1, of_data);
    check("aws_s3_bucket_lifecycle_configuration", 1, of_data);
    check("aws_s3_bucket_versioning", 1, |versioning| {
        of_data(versioning) && versioning["versioning_configuration"][0]["status"] == "Enabled"
    });
}

#[test]
fn the_stack_has_all_that_was_announced() {
    let stack = stack("");
    let managed = readable::everything(&stack)
        .into_keys()
        .filter(|address| !address.starts_with("data."))
        .count();
    assert!(managed >= 130, "{managed}");
    for (kind, count) in [
        ("aws_appautoscaling_policy", 10),
        ("aws_appautoscaling_target", 5),
        ("aws_cloudwatch_dashboard", 1),
        ("aws_cloudwatch_log_group", 5),
        ("aws_cloudwatch_log_metric_filter", 5),
        ("aws_cloudwatch_metric_alarm", 20),
        ("aws_ecr_lifecycle_policy", 5),
        ("aws_ecs_service", 5),
        ("aws_lb_target_group", 5),
        ("aws_security_group", 6),
        ("aws_subnet", 4),
        ("aws_xray_sampling_rule", 1),
    ] {
        assert_eq!(readable::resources(&stack, kind).len(), count, "{kind}");
    }
}
