//! `karma up --fidelity` and `--strict`: what a stack sets, and what of it has an effect here.

mod support;

use std::path::Path;

use support::{karma, stack};

const STACK: &str = r#"
resource "aws_ecr_repository" "api" {
  name = "demo/api"
  tags = { owner = "us" }
}
resource "aws_ecs_task_definition" "api" {
  family                = "api"
  network_mode          = "awsvpc"
  container_definitions = jsonencode([{
    name         = "api"
    image        = "${aws_ecr_repository.api.repository_url}:1"
    portMappings = [{ containerPort = 80 }]
    interactive  = true
  }])
}
resource "aws_ecs_service" "api" {
  name            = "api"
  task_definition = aws_ecs_task_definition.api.arn
}
resource "aws_sqs_queue" "jobs" {}
"#;

#[test]
fn every_attribute_that_is_set_has_a_line() {
    let stack = stack(&[("main.tf", STACK)]);
    let answer = karma(stack.path(), &["up", "--fidelity"]);
    // What follows depends on the machine.
    let (table, means) = answer.split_once("On this machine:").unwrap_or((&answer, ""));
    insta::assert_snapshot!(table);
    assert!(
        means.contains("Service Connect names") && means.contains("memory"),
        "{answer}"
    );
    assert!(
        !stack.path().join(".karma").exists(),
        "nothing is started, nothing is left"
    );
}

#[test]
fn strict_refuses_what_has_no_effect_here() {
    let stack = stack(&[("main.tf", STACK)]);
    insta::assert_snapshot!(karma(stack.path(), &["up", "--strict"]));
}

/// `karma docs terraform` writes it anew.
#[test]
fn the_page_of_the_products_own_stack_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let answer = karma(&root, &["docs", "--check", "terraform"]);
    assert!(!answer.contains("FIDELITY.md"), "{answer}");
}
