//! Every verb that operates a fleet, one after the other on the same five agents, as a user does it.

use karma_e2e::karma::{Answer, StackCopy, wait_until};
use serde_json::Value;

/// Runs a command and holds its exit code and some of its words, on either stream, against what is expected.
fn check(stack: &StackCopy, line: &str, code: i32, words: &[&str]) -> Answer {
    let answer = stack.run(&line.split(' ').collect::<Vec<_>>());
    assert_eq!(answer.code, Some(code), "karma {line}: {answer:?}");
    for word in words {
        let is_said = answer.stdout.contains(word) || answer.stderr.contains(word);
        assert!(is_said, "karma {line} does not say {word:?}: {answer:?}");
    }
    answer
}

fn json(stack: &StackCopy, line: &str) -> Value {
    let answer = stack.run(&format!("{line} --json").split(' ').collect::<Vec<_>>());
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("karma {line}: {error}: {answer:?}"))
}

/// The agents as the stack has them, and `validator` with a variable more.
fn changed_agents(value: &str) -> String {
    format!(
        r#"agents = {{
             validator   = {{ port = 9001, priority = 100, environment = {{ CHANGE = "{value}" }} }}
             karma-hello = {{ port = 9002, priority = 200 }}
           }}"#
    )
}

/// A minute of the control loops takes a second here.
#[test]
fn a_fleet_is_looked_at_operated_and_stopped() {
    let stack = StackCopy::new();
    stack.write("agents.auto.tfvars", &changed_agents("no"));
    let up = format!("up --detach --port {} --speed 60", stack.port());
    check(&stack, &up, 0, &["validator", "healthy"]);
    look_at(&stack);
    scale(&stack);
    deploy(&stack);
    reach_into(&stack);
    check(&stack, "down", 0, &[]);
    check(&stack, "logs -p validator", 0, &["validator/"]);
    check(&stack, "status", 1, &["karma up"]);
}

fn look_at(stack: &StackCopy) {
    check(stack, "status", 0, &["validator", "karma-hello", "1/1 (1–"]);
    check(stack, "tasks", 0, &["RUNNING", "validator:1"]);
    wait_until("the first minute to be measured", || {
        // Before that there is nothing, which is the answer no.
        let answer = stack.run(&["metrics", "CPUUtilization", "--json"]);
        let answer: Value = serde_json::from_str(&answer.stdout).ok()?;
        let series = answer["series"].as_array()?;
        (series.len() >= 2).then_some(())
    });
    check(stack, "metrics", 0, &["CPU", "P99", "validator"]);
    let alarms = json(stack, "alarms --all");
    let alarms = alarms["alarms"].as_array().expect("a list");
    assert!(alarms.iter().any(|alarm| alarm["origin"] == "stack"), "{alarms:?}");
    assert!(
        alarms.iter().any(|alarm| alarm["origin"] == "target_tracking"),
        "{alarms:?}"
    );
}

fn scale(stack: &StackCopy) {
    check(stack, "scale validator=2 --suspend", 0, &["stable", "it is suspended"]);
    check(stack, "status", 0, &["2/2 (1–", ", suspended)"]);
    check(
        stack,
        "scale karma-hello=0 --suspend",
        0,
        &["minimum is 0 now instead of 1"],
    );
    check(stack, "scale karma-hello=1 --resume", 0, &["keeps to 0–"]);
    check(stack, "scale nobody=1", 2, &["nobody", "validator"]);
    check(stack, "scale validator", 64, &["SERVICE=COUNT"]);
    check(stack, "wait validator --for stable", 0, &["stable", "validator:1"]);
}

fn deploy(stack: &StackCopy) {
    check(stack, "restart validator", 0, &["stable", "validator:1"]);
    check(
        stack,
        "rollback validator",
        2,
        &["no completed deployment of another revision"],
    );
    stack.write("agents.auto.tfvars", &changed_agents("yes"));
    check(stack, "up", 0, &["validator:2"]);
    check(stack, "rollback validator", 0, &["stable", "validator:1"]);
    let status = json(stack, "status");
    let validator = &status["services"].as_array().expect("a list")[1];
    assert_eq!(
        validator["desired_count"], 2,
        "deployments leave the count: {validator:#}"
    );
}

fn reach_into(stack: &StackCopy) {
    check(stack, "exec validator -- /bin/sh -c exit\t7", 7, &[]);
    let answer = check(stack, "exec validator -- /usr/bin/env", 0, &["CHANGE=no"]);
    assert!(!answer.stdout.contains("KARMA_DIR"), "{answer:?}");
    wait_until("a request to be logged", || {
        stack.get("/validator/.well-known/agent-card.json");
        let logs = stack.run(&["logs", "validator", "-g", "agent-card"]);
        logs.stdout.contains("agent-card").then_some(())
    });
}
