//! `karma up` of the project's own stack, whatever its variables say: what a laptop cannot do is told, and the agents run all the same.

use karma_e2e::karma::{StackCopy, repository};

/// A fleet of five agents is up and healthy with these flags; returns what `karma` said on the way.
fn check(flags: &[&str]) -> String {
    let stack = StackCopy::new();
    let port = stack.port().to_string();
    let up = stack.run(&[&["up", "--detach", "--port", &port], flags].concat());
    assert_eq!(up.code, Some(0), "{up:?}");
    let status = stack.status();
    let services = status["services"].as_array().expect("a list of services");
    assert_eq!(services.len(), 5, "{status:#}");
    let sick: Vec<_> = services
        .iter()
        .filter(|service| service["health"] != "healthy")
        .collect();
    assert!(sick.is_empty(), "{sick:#?}");
    up.stderr
}

fn check_profile(name: &str) -> String {
    let profile = repository().join("terraform/profiles").join(name);
    check(&["--var-file", &profile.display().to_string()])
}

#[test]
fn the_defaults_come_up_without_a_warning() {
    let said = check(&[]);
    assert!(!said.contains('⚠'), "{said}");
}

#[test]
fn the_seed_profile_comes_up_and_names_the_secrets_without_a_value() {
    let said = check_profile("seed.tfvars");
    assert!(
        said.contains("OPENAI_API_KEY") && said.contains("PRIVATE_KEY"),
        "{said}"
    );
}

#[test]
fn the_lean_profile_comes_up() {
    check_profile("lean.tfvars");
}

#[test]
fn the_resilient_profile_comes_up() {
    check_profile("resilient.tfvars");
}

#[test]
fn a_stack_with_a_certificate_and_names_of_its_own_comes_up() {
    let stack = "certificate_arn=arn:aws:acm:us-east-1:123456789012:certificate/x";
    check(&["--var", stack, "--var", "domain_name=agents.example.com"]);
}
