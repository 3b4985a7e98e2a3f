//! `karma doctor` on a machine without credentials.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::{karma, karma_with, stack};

const STACK: &str = r#"
terraform {
  required_version = ">= 1.10"
  backend "s3" {
    bucket = "states"
    key    = "demo.tfstate"
  }
}

provider "aws" {
  region = "eu-central-1"
}

resource "aws_ecs_cluster" "main" {
  name = "demo"
}

resource "aws_ecr_repository" "agent" {
  for_each = toset(["a", "b"])
  name     = "demo/${each.key}"
}

resource "aws_secretsmanager_secret" "a" {
  name = "demo/a"
}

resource "aws_ecs_task_definition" "agent" {
  for_each                 = aws_ecr_repository.agent
  family                   = each.key
  cpu                      = 4096
  memory                   = 8192
  requires_compatibilities = ["FARGATE"]
  container_definitions = jsonencode([{
    name    = each.key
    image   = "${each.value.repository_url}:1"
    secrets = [{ name = "KEY", valueFrom = "${aws_secretsmanager_secret.a.arn}:KEY::" }]
  }])
}

resource "aws_ecs_service" "agent" {
  for_each        = aws_ecs_task_definition.agent
  name            = each.key
  cluster         = aws_ecs_cluster.main.id
  task_definition = each.value.arn
  desired_count   = 1
  launch_type     = "FARGATE"
}
"#;

const IMAGES: &str = r#"
[image."demo/a"]
program = "a"
path    = "/a"
"#;

/// A PATH on which there is one program, which says that it is this Terraform.
fn terraform(version: &str) -> tempfile::TempDir {
    let directory = stack(&[(
        "terraform",
        &format!("#!/bin/sh\necho '{{\"terraform_version\": \"{version}\"}}'\n"),
    )]);
    fs::set_permissions(directory.path().join("terraform"), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn doctor(path: &str, arguments: &[&str]) -> String {
    let stack = stack(&[("main.tf", STACK), ("karma.toml", IMAGES)]);
    // Otherwise a machine of AWS would be asked for its role.
    let environment = [("PATH", path), ("AWS_EC2_METADATA_DISABLED", "true")];
    karma_with(stack.path(), &[&["doctor"], arguments].concat(), &environment)
}

#[test]
fn what_is_missing_stands_with_what_mends_it() {
    let terraform = terraform("1.11.4");
    insta::assert_snapshot!(doctor(terraform.path().to_str().unwrap(), &[]));
}

#[test]
fn the_answer_is_data_too() {
    let terraform = terraform("1.9.0");
    let answer = doctor(terraform.path().to_str().unwrap(), &["--json"]);
    assert!(answer.starts_with("exit: 1\n"), "{answer}");
    let line = answer.lines().find(|line| line.starts_with('{')).unwrap();
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(answer["ready"], false);
    let checks = answer["checks"].as_array().unwrap();
    let terraform = checks.iter().find(|check| check["name"] == "terraform").unwrap();
    assert_eq!(terraform["verdict"], "MISSING");
    assert_eq!(terraform["finding"], "terraform 1.9.0, but the stack wants >= 1.10");
}

#[test]
fn a_machine_without_terraform_is_told_where_it_is() {
    let answer = doctor("/nowhere", &["--region", "us-east-1"]);
    assert!(answer.contains("neither terraform nor tofu is in PATH"), "{answer}");
    assert!(answer.contains("region: --region eu-central-1"), "{answer}");
}

/// What the doctor says of the toolchain for tasks on ARM64, where these scripts are all that there is on the path.
fn check_toolchain(programs: &[(&str, &str)], expected: &str) {
    let path = stack(programs);
    for (name, _) in programs {
        fs::set_permissions(path.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let family = "family                   = each.key";
    let arm = format!("{family}\n  runtime_platform {{\n    cpu_architecture = \"ARM64\"\n  }}");
    let build = format!("{IMAGES}build = [\"cargo\", \"build\", \"--target\", \"{{target}}\"]\n");
    let stack = stack(&[("main.tf", &STACK.replace(family, &arm)), ("karma.toml", &build)]);
    let path = path.path().to_str().unwrap();
    let environment = [("PATH", path), ("AWS_EC2_METADATA_DISABLED", "true")];
    let answer = karma_with(stack.path(), &["doctor", "--json"], &environment);
    let line = answer.lines().find(|line| line.starts_with('{')).unwrap();
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    let mut checks = answer["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["name"] == "toolchain").unwrap();
    let words = ["verdict", "finding", "mend"].map(|name| check[name].as_str().unwrap_or_default());
    assert_eq!(words.join(" | "), expected);
}

#[test]
fn the_toolchain_is_for_what_the_tasks_run_on() {
    let cargo = ("cargo", "#!/bin/sh\n");
    let linker = ("aarch64-linux-gnu-gcc", "#!/bin/sh\n");
    let library = ("rustc", "#!/bin/sh\necho /\n");
    let no_library = ("rustc", "#!/bin/sh\necho /no/such/directory\n");
    check_toolchain(&[cargo, library, linker], "OK | builds for linux/arm64 | ");
    check_toolchain(
        &[cargo, no_library, linker],
        "MISSING | to build for linux/arm64, Rust's library for aarch64-unknown-linux-gnu is missing | \
         rustup target add aarch64-unknown-linux-gnu",
    );
    check_toolchain(
        &[cargo, no_library],
        "MISSING | to build for linux/arm64, Rust's library for aarch64-unknown-linux-gnu and the linker aarch64-linux-gnu-gcc is \
         missing | rustup target add aarch64-unknown-linux-gnu && apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    );
    check_toolchain(
        &[linker],
        "MISSING | to build for linux/arm64, cargo is missing | curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
    );
}

#[test]
fn a_stack_with_an_error_is_no_patient() {
    let broken = stack(&[("main.tf", "resource {")]);
    let answer = karma(broken.path(), &["doctor"]);
    assert!(answer.starts_with("exit: 2\n"), "{answer}");
}
