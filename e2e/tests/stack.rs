//! The project's own stack is good Terraform, and refuses wrong values with the same sentence in Terraform and in `karma`.

use std::fs;
use std::path::PathBuf;

use karma_e2e::karma::repository;
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, skip};
use serde::Deserialize;
use serde_json::Value as Json;

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
#[derive(Deserialize)]
struct Wrong {
    variables: Json,
    sentences: Vec<String>,
}

/// What `e2e/stacks/wrong_values.json` lists.
fn wrong_values() -> Vec<Wrong> {
    let text = fs::read_to_string(repository().join("e2e/stacks/wrong_values.json")).expect("the values are there");
    serde_json::from_str(&text).expect("the values are JSON")
}

#[test]
fn the_example_of_variables_is_accepted_and_shows_every_one() {
    let example = fs::read_to_string(stack().join("terraform.tfvars.example")).unwrap();
    let declarations = ["variables.tf", "variables_connections.tf", "variables_operations.tf"]
        .map(|file| fs::read_to_string(stack().join(file)).unwrap())
        .concat();
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
    for Wrong { variables, sentences } in wrong_values() {
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
    for Wrong { variables, sentences } in wrong_values() {
        let said = terraform
            .plan("wrong", &variables.to_string())
            .expect_err("the values are wrong");
        check(&variables, &said, &sentences);
    }
}

/// Terraform wraps its lines.
fn check(variables: &Json, said: &str, sentences: &[String]) {
    let unwrapped = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in sentences {
        assert!(
            unwrapped.contains(sentence),
            "{sentence:?} is missing for {variables}: {unwrapped}"
        );
    }
}
