//! `karma plan`: what is printed, and what happens to bad input.

mod support;

use support::{karma, karma_with, stack};

const BUCKETS: &str = r#"
variable "names" {
  type    = set(string)
  default = ["a", "b"]
}

resource "aws_ecr_repository" "this" {
  for_each = var.names
  name     = "demo/${each.key}"
}

output "urls" {
  value = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "names" {
  value = var.names
}
"#;

#[test]
fn the_tree_the_outputs_and_the_count() {
    let stack = stack(&[("main.tf", BUCKETS)]);
    insta::assert_snapshot!(karma(stack.path(), &["plan"]));
}

#[test]
fn variables_come_from_flags_files_and_the_environment() {
    let stack = stack(&[("main.tf", BUCKETS), ("terraform.tfvars", "names = [\"file\"]")]);
    let count = |answer: &str| answer.lines().find(|line| line.starts_with("Plan:")).map(str::to_owned);
    let from_file = karma_with(stack.path(), &["plan"], &[("TF_VAR_names", r#"["e1", "e2", "e3"]"#)]);
    assert_eq!(
        count(&from_file).as_deref(),
        Some("Plan: 1 to add, 0 to change, 0 to destroy."),
        "{from_file}"
    );
    let from_flag = karma(stack.path(), &["plan", "--var", r#"names=["x", "y"]"#]);
    assert_eq!(
        count(&from_flag).as_deref(),
        Some("Plan: 2 to add, 0 to change, 0 to destroy."),
        "{from_flag}"
    );
}

#[test]
fn flags_count_in_the_order_they_are_typed() {
    let stack = stack(&[("main.tf", BUCKETS), ("one.tfvars", "names = [\"one\"]")]);
    let count = |arguments: &[&str]| {
        let answer = karma(stack.path(), arguments);
        let plan = answer.lines().find(|line| line.starts_with("Plan:")).map(str::to_owned);
        plan.unwrap_or_else(|| panic!("{answer}"))
    };
    let two = r#"names=["x", "y"]"#;
    assert!(count(&["plan", "--var", two, "--var-file", "one.tfvars"]).starts_with("Plan: 1 "));
    assert!(count(&["plan", "--var-file", "one.tfvars", "--var", two]).starts_with("Plan: 2 "));
}

#[test]
fn a_mistake_in_a_variable_file_is_shown_in_that_file() {
    let stack = stack(&[
        ("terraform/main.tf", BUCKETS),
        ("bad.tfvars", "names = [\"a\"]\nnames = 3 +\n"),
    ]);
    let answer = karma(stack.path(), &["plan", "--var-file", "bad.tfvars"]);
    assert!(
        answer.starts_with("exit: 2") && answer.contains("/bad.tfvars:2:"),
        "{answer}"
    );
    let missing = karma(stack.path(), &["plan", "--var-file", "nowhere.tfvars"]);
    assert!(
        missing.starts_with("exit: 2") && missing.contains("nowhere.tfvars"),
        "{missing}"
    );
}

#[test]
fn what_aws_would_answer_can_be_told() {
    let text = r#"
data "aws_caller_identity" "me" {}
data "aws_ami" "nat" { most_recent = true }
output "account" { value = data.aws_caller_identity.me.account_id }
output "image" { value = data.aws_ami.nat.id }
"#;
    let stack = stack(&[
        ("main.tf", text),
        ("data.json", r#"{"data.aws_ami.nat": {"id": "ami-1"}}"#),
    ]);
    let untold = karma(stack.path(), &["plan"]);
    assert!(
        untold.contains("account = (known after apply)") && untold.contains("image = (known after apply)"),
        "{untold}"
    );
    let told = karma(
        stack.path(),
        &["plan", "--account-id", "123456789012", "--data", "data.json"],
    );
    assert!(
        told.contains("account = \"123456789012\"") && told.contains("image = \"ami-1\""),
        "{told}"
    );
}

#[test]
fn broken_hcl_is_shown_where_it_breaks() {
    let stack = stack(&[("main.tf", "resource \"aws_ecs_cluster\" \"main\" {\n  name = \"x\n}\n")]);
    insta::assert_snapshot!(karma(stack.path(), &["plan"]));
}

#[test]
fn an_unknown_variable_is_suggested() {
    let stack = stack(&[(
        "main.tf",
        "variable \"region\" { default = \"x\" }\noutput \"o\" { value = var.regoin }\n",
    )]);
    insta::assert_snapshot!(karma(stack.path(), &["plan"]));
}

#[test]
fn a_variable_that_is_not_declared_cannot_be_set() {
    let stack = stack(&[("main.tf", "variable \"region\" { default = \"x\" }\n")]);
    insta::assert_snapshot!(karma(stack.path(), &["plan", "--var", "regio=eu"]));
}

#[test]
fn errors_are_data_with_json() {
    let stack = stack(&[("main.tf", "output \"o\" {\n  value = local.nothing\n}\n")]);
    insta::assert_snapshot!(karma(stack.path(), &["plan", "--json"]));
}

#[test]
fn a_directory_without_terraform_is_named() {
    let stack = stack(&[("readme.txt", "nothing here")]);
    insta::assert_snapshot!(karma(stack.path(), &["plan"]));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let stack = stack(&[]);
    insta::assert_snapshot!(karma(stack.path(), &["plan", "nowhere"]));
}

#[test]
fn the_terraform_directory_is_found() {
    let stack = stack(&[("terraform/main.tf", "output \"o\" { value = 1 }\n")]);
    assert!(karma(stack.path(), &["plan"]).contains("o = 1"));
}

#[test]
fn sensitive_values_are_not_shown() {
    let text = "variable \"key\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\noutput \"o\" {\n  value     = var.key\n  sensitive = true\n}\n";
    let stack = stack(&[("main.tf", text)]);
    for arguments in [&["plan"][..], &["plan", "-v"]] {
        let answer = karma(stack.path(), arguments);
        assert!(
            answer.contains("(sensitive value)") && !answer.contains("hunter2"),
            "{answer}"
        );
    }
}
