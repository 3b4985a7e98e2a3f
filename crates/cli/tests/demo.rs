//! `karma demo`, as far as nothing has to run for it.

mod support;

use support::{karma, stack};

#[test]
fn nothing_running_is_the_answer_no_and_says_how_to_begin() {
    let stack = stack(&[("main.tf", "")]);
    insta::assert_snapshot!(karma(stack.path(), &["demo"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: nothing is running here
    hint: start the stack with `karma up`
    ");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let stack = stack(&[]);
    let answer = karma(stack.path(), &["demo", "nowhere"]);
    assert!(
        answer.starts_with("exit: 2") && answer.contains("`nowhere` is not a directory"),
        "{answer}"
    );
}

#[test]
fn help_says_what_it_needs_and_what_it_spends() {
    let stack = stack(&[]);
    insta::assert_snapshot!(karma(stack.path(), &["demo", "--help"]));
}
