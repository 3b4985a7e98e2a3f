//! `karma secrets` before AWS is asked.

mod support;

use support::{karma, karma_with, stack};

const STACK: &str = r#"
resource "aws_secretsmanager_secret" "a" {
  name = "demo/a"
}
"#;

#[track_caller]
fn check(arguments: &[&str], exit: &str, words: &str) {
    let stack = stack(&[("main.tf", STACK), ("value.txt", "hunter2\n")]);
    let environment = [("AWS_EC2_METADATA_DISABLED", "true")];
    let answer = karma_with(stack.path(), &[&["secrets"], arguments].concat(), &environment);
    assert!(answer.starts_with(&format!("exit: {exit}\n")), "{answer}");
    assert!(answer.contains(words), "{answer}");
    assert!(!answer.contains("hunter2"), "{answer}");
}

#[test]
fn what_cannot_be_done_says_why_and_shows_no_value() {
    check(&["set", "demo/b"], "2", "did you mean `demo/a`?");
    check(&["set", "demo/a"], "2", "no AWS region is given");
    check(&["set", "demo/a", "--region", "us-east-1"], "2", "the value is empty");
    check(
        &["set", "demo/a", "--from-file", "value.txt", "--region", "us-east-1"],
        "2",
        "credentials",
    );
    check(
        &["set", "demo/a.K", "--from-file", "value.txt", "--region", "us-east-1"],
        "2",
        "no task of the stack reads K",
    );
    check(&["list", "--region", "us-east-1"], "2", "credentials");
    check(&["check"], "2", "--region");
    check(&["set", "demo/a", "hunter"], "64", "unexpected argument");
}

#[test]
fn without_a_stack_there_are_no_secrets() {
    let answer = karma(stack(&[]).path(), &["secrets", "list"]);
    assert!(answer.starts_with("exit: 2\n"), "{answer}");
    assert!(answer.contains("no .tf files"), "{answer}");
}
