//! What the project promises of a fleet under load, with its own stack and the real agents: nothing is lost while tasks are replaced.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use karma_e2e::karma::{Requests, StackCopy, agents, wait_until};
use serde_json::Value;

/// Two agents, so that a test does not have to start five.
const TWO_AGENTS: &str = "agents = {
  validator   = { port = 9001, priority = 100 }
  karma-hello = { port = 9002, priority = 200 }
}
";

/// A stack that runs, and no other beside it: two loads at once would measure the machine.
struct Alone {
    stack: StackCopy,
    _others_wait: MutexGuard<'static, ()>,
}

impl Deref for Alone {
    type Target = StackCopy;

    fn deref(&self) -> &StackCopy {
        &self.stack
    }
}

/// The stack, up, with so many tasks of each agent.
fn up(tasks: u32, variables: &str, flags: &[&str]) -> Alone {
    static MACHINE: Mutex<()> = Mutex::new(());
    let others_wait = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let stack = StackCopy::new();
    stack.write(
        "drill.auto.tfvars",
        &format!("desired_count_per_service = {tasks}\nautoscaling_min_capacity = {tasks}\n{variables}"),
    );
    let port = stack.port().to_string();
    let up = stack.run(&[&["up", "--detach", "--port", &port], flags].concat());
    assert_eq!(up.code, Some(0), "{up:?}");
    Alone {
        stack,
        _others_wait: others_wait,
    }
}

/// Drills, and returns the exit code and the report.
fn drill(stack: &StackCopy, arguments: &[&str]) -> (Option<i32>, Value) {
    let answer = stack.run(&[&["drill", "--json"], arguments].concat());
    let report = serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    (answer.code, report)
}

/// At 500 requests a second nothing is lost, and `reclaimed` tasks have been replaced.
fn check_nothing_lost(stack: &StackCopy, scenario: &str, service: &str, reclaimed: u64) {
    // A machine that does something else too may answer late; that is not lost.
    let load = ["--rate", "500", "--for", "4s", "--time-out", "1m"];
    let (code, report) = drill(stack, &[&[scenario, "--service", service], &load[..]].concat());
    assert_eq!((code, &report["lost"]), (Some(0), &Value::from(0)), "{report:#}");
    assert_eq!(report["reclaimed"], reclaimed, "{report:#}");
    assert!(report["sent"].as_u64() >= Some(2000), "{report:#}");
    assert!(report["recovered_ms"].is_u64(), "{report:#}");
}

/// The exit code says whether something was lost.
fn check_honest(code: Option<i32>, report: &Value) {
    let lost = report["lost"].as_u64().expect("a number");
    assert_eq!(code, Some(i32::from(lost > 0)), "{report:#}");
    assert!(report["recovered_ms"].is_u64(), "{report:#}");
}

#[test]
fn spot_capacity_is_taken_from_every_task_and_no_request_is_lost() {
    let stack = up(2, "", &[]);
    for agent in agents() {
        check_nothing_lost(&stack, "spot", agent, 2);
    }
}

#[test]
fn rolling_deployments_lose_no_request() {
    let stack = up(2, "", &[]);
    for agent in agents() {
        check_nothing_lost(&stack, "deploy", agent, 2);
    }
}

#[test]
fn what_a_lone_task_or_all_at_once_lose_is_told() {
    let stack = up(1, TWO_AGENTS, &[]);
    let check = |arguments: &[&str], reclaimed: u64| {
        let load = ["--rate", "500", "--for", "3s"];
        let (code, report) = drill(&stack, &[arguments, &load[..]].concat());
        check_honest(code, &report);
        assert!(report["lost"].as_u64() > Some(0), "{report:#}");
        assert_eq!(report["reclaimed"], reclaimed, "{report:#}");
    };
    check(&["spot", "--service", "validator"], 1);
    assert_eq!(stack.run(&["scale", "karma-hello=2"]).code, Some(0));
    check(&["spot", "--service", "karma-hello", "--at-once"], 2);
}

#[test]
fn crashes_lost_zones_and_lack_of_memory_are_recovered_from_and_told_honestly() {
    let stack = up(2, TWO_AGENTS, &[]);
    let load = ["--rate", "500", "--for", "3s"];
    for (scenario, service) in [("crash", "validator"), ("oom", "karma-hello"), ("az", "validator")] {
        let (code, report) = drill(&stack, &[&[scenario, "--service", service], &load[..]].concat());
        check_honest(code, &report);
        assert!(report["reclaimed"].as_u64() > Some(0), "{report:#}");
    }
    let stopped = stack.run(&["tasks", "--stopped"]).stdout;
    for reason in ["Essential container in task exited", "OutOfMemoryError", "is lost"] {
        assert!(stopped.contains(reason), "{reason}: {stopped}");
    }
}

#[test]
fn a_deployment_that_fails_is_taken_back_and_the_old_tasks_lose_no_request() {
    let stack = up(2, TWO_AGENTS, &["--speed", "10"]);
    let requests = Requests::keep_sending(stack.port(), "/validator/health");
    stack.write(
        "z_broken.auto.tfvars",
        &TWO_AGENTS.replace(
            "priority = 100",
            r#"priority = 100, environment = { LOG_LEVEL = "shouting" }"#,
        ),
    );
    let again = stack.run(&["up"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains("LOG_LEVEL"),
        "the last lines of a task say why: {again:?}"
    );
    let (sent, lost) = requests.stop();
    assert!(sent > 20 && lost.is_empty(), "{sent} sent, lost: {lost:?}");
    let status = stack.status();
    let deployed = &status["services"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["label"] == "validator"))
        .expect("it is there")["running_count"];
    assert_eq!(deployed, 2, "{status:#}");
}

#[test]
fn autoscaling_acts_on_the_load_that_is_really_sent() {
    let variables = format!("{TWO_AGENTS}autoscaling_cpu_target = 8\n");
    let stack = up(1, &variables, &["--speed", "60"]);
    let load = ["--rate", "500", "--for", "12s"];
    let (code, report) = drill(&stack, &[&["deploy", "--service", "validator"], &load[..]].concat());
    check_honest(code, &report);
    wait_until("a task more", || {
        let history = stack.run(&["alarms", "--history", "--all", "--json"]).stdout;
        let history: Value = serde_json::from_str(&history).ok()?;
        let activities = history["activities"].as_array()?;
        activities
            .iter()
            .any(|one| one["service"] == "validator" && one["description"] != "Setting desired count to 1.")
            .then_some(())
    });
}
