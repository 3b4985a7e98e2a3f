//! The command line itself: help, versions, wrong usage.

mod support;

use support::{karma, stack};

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let stack = stack(&[]);
    insta::assert_snapshot!(karma(stack.path(), &["--help"]));
}

#[test]
fn wrong_usage_exits_with_64() {
    let stack = stack(&[]);
    for arguments in [
        &["plann"][..],
        &["plan", "--nope"],
        &[],
        &["up", "--port", "x"],
        &["plan", "--account-id", "1"],
    ] {
        let answer = karma(stack.path(), arguments);
        assert!(answer.starts_with("exit: 64"), "{arguments:?}: {answer}");
    }
}

#[test]
fn a_misspelt_command_is_suggested() {
    let stack = stack(&[]);
    let answer = karma(stack.path(), &["plann"]);
    assert!(answer.contains("'plan'"), "{answer}");
}

#[test]
fn completions_know_the_commands() {
    let stack = stack(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let answer = karma(stack.path(), &["completions", shell]);
        assert!(
            answer.starts_with("exit: 0") && answer.contains("status"),
            "{shell}: {answer}"
        );
    }
}

#[test]
fn nothing_running_is_the_answer_no() {
    let stack = stack(&[("main.tf", "")]);
    for command in [
        &["status"][..],
        &["down"],
        &["tasks"],
        &["wait"],
        &["scale", "a=1"],
        &["restart", "a"],
        &["rollback", "a"],
        &["metrics"],
        &["alarms"],
        &["traces"],
        &["demo"],
        &["cost", "--region", "us-east-1", "--usage-from", "local"],
        &["drill", "spot"],
    ] {
        let answer = karma(stack.path(), command);
        assert!(
            answer.starts_with("exit: 1") && answer.contains("hint: start the stack with `karma up`"),
            "{answer}"
        );
    }
}

#[test]
fn every_command_has_an_example_that_it_understands() {
    let stack = stack(&[]);
    let help = karma(stack.path(), &["-h"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> = listed.map_while(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"up") && commands.contains(&"completions"), "{help}");
    for command in commands {
        let help = karma(stack.path(), &[command, "--help"]);
        let example = help.lines().find_map(|line| line.strip_prefix("Example: karma "));
        let example = example.unwrap_or_else(|| panic!("no example: {help}"));
        let ours = example.split(" > ").next().and_then(|line| line.split(" -- ").next());
        let words = ours.unwrap_or_default().split(' ');
        let answer = karma(stack.path(), &words.chain(["--help"]).collect::<Vec<_>>());
        assert!(answer.starts_with("exit: 0"), "{example}: {answer}");
    }
}
