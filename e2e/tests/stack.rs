//! The project's own stack is good Terraform, and refuses wrong values with the same sentence in Terraform and in `karma`.

use std::fs;
use std::path::PathBuf;

use karma_e2e::karma::repository;
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, skip};
use serde_json::{Value as Json, json};

fn stack() -> PathBuf {
    repository().join("terraform")
}

#[test]
fn the_stack_is_formatted_and_valid() {
    let terraform = match Terraform::with_stack("stack_validate", &stack()) {
        Ok(terraform) => terraform,
        Err(reason) => return skip("the_stack_is_formatted_and_valid", &reason),
    };
    let stack = stack().display().to_string();
    for arguments in [
        &["fmt", "-check", "-recursive", "-diff", &stack][..],
        &["validate", "-no-color"],
    ] {
        let output = terraform.run(arguments).unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "terraform {}: {said}", arguments.join(" "));
    }
}

/// Variables that are wrong, many at a time since a plan takes seconds, and a part of each sentence they are refused with.
fn wrong_values() -> Vec<(Json, Vec<&'static str>)> {
    vec![
        (
            json!({
                "task_cpu": 300,
                "availability_zones": ["us-east-1a"],
                "vpc_cidr": "10.0.0.0/24",
                "log_retention_days": 8,
                "autoscaling_min_capacity": 4,
            }),
            vec![
                "Fargate offers 256, 512,",
                "two to six different zones",
                "between /16 and /22",
                "CloudWatch Logs offers 1, 3, 5, 7,",
                "not below autoscaling_min_capacity",
            ],
        ),
        (
            json!({
                "agents": {
                    "a": { "port": 80, "priority": 1, "cpu": 512, "memory": 512, "calls": ["c"] },
                    "b": { "port": 80, "priority": 1, "health_check_path": "health" },
                },
                "aws_region": "eu-west-1",
            }),
            vec![
                "512 with 1024 to 4096",
                "a priority of its own",
                "a port of its own",
                "between 1024 and 65535",
                "only call the other agents",
                "begins with a slash",
                "one of the region in aws_region",
            ],
        ),
        (
            json!({
                "project_name": "a-name-that-is-much-too-long",
                "task_memory": 4096,
            }),
            vec!["at most 32 characters", "cpu 256 with memory 512, 1024 or 2048"],
        ),
        (json!({ "agents": {} }), vec!["at least one agent"]),
        (
            json!({ "image_digests": { "nobody": "sha256:1" } }),
            vec!["one of agents", "64 hexadecimal digits"],
        ),
    ]
}

#[test]
fn the_example_of_variables_is_accepted_and_shows_every_one() {
    let example = fs::read_to_string(stack().join("terraform.tfvars.example")).unwrap();
    let declarations = fs::read_to_string(stack().join("variables.tf")).unwrap();
    assert!(evaluation::plan(&stack(), "terraform.tfvars", &example).is_ok());
    for line in declarations.lines() {
        if let Some(name) = line.strip_prefix("variable \"").and_then(|rest| rest.split('"').next()) {
            let shown = example.lines().any(|line| line.split_whitespace().next() == Some(name));
            assert!(shown, "terraform.tfvars.example does not show {name}");
        }
    }
}

#[test]
fn karma_refuses_wrong_values_with_a_sentence() {
    for (variables, sentences) in wrong_values() {
        let said = evaluation::plan(&stack(), "variables.tfvars.json", &variables.to_string())
            .expect_err("the values are wrong");
        check(&variables, &said.join("\n"), &sentences);
    }
}

#[test]
fn terraform_refuses_wrong_values_with_the_same_sentence() {
    let terraform = match Terraform::with_stack("stack_refuses", &stack()) {
        Ok(terraform) => terraform,
        Err(reason) => return skip("terraform_refuses_wrong_values_with_the_same_sentence", &reason),
    };
    for (variables, sentences) in wrong_values() {
        let said = terraform
            .plan("wrong", &variables.to_string())
            .expect_err("the values are wrong");
        check(&variables, &said, &sentences);
    }
}

/// Terraform wraps its lines.
fn check(variables: &Json, said: &str, sentences: &[&str]) {
    let unwrapped = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in sentences {
        assert!(
            unwrapped.contains(sentence),
            "{sentence:?} is missing for {variables}: {unwrapped}"
        );
    }
}
