//! The recipe "Add an agent" of CONTRIBUTING.md, followed to the letter: one entry in the stack's map, one in `karma.toml`, and it is there.

use std::fs;

use karma_e2e::evaluation;
use karma_e2e::karma::{StackCopy, agents};
use serde_json::Value;

/// The stack with a sixth entry, behind the last of the map. Its program is one that there is: what it answers as names it.
fn with_a_sixth() -> StackCopy {
    let stack = StackCopy::new();
    let append = |file: &str, after: &str, text: &str| {
        let old = fs::read_to_string(stack.path().join(file)).expect("the stack has the file");
        let (before, rest) = old.split_once(after).unwrap_or_else(|| panic!("no {after} in {file}"));
        stack.write(file, &format!("{before}{after}{text}{rest}"));
    };
    let last = "voice-extractor = { port = 9005, priority = 500, calls = [\"karma-hello\"] }\n";
    append(
        "variables.tf",
        last,
        "    sixth           = { port = 9006, priority = 600, calls = [\"validator\"] }\n",
    );
    let last = "[image.\"karmacadabra/voice-extractor\"]\nargs = [\"voice-extractor\"]\n";
    append(
        "karma.toml",
        last,
        "[image.\"karmacadabra/sixth\"]\nargs = [\"validator\"]\n",
    );
    stack
}

/// The addresses of a plan, each without the name of the agent that it is for.
fn addresses(plan: &Value) -> Vec<String> {
    let resources = plan["planned_values"]["root_module"]["resources"]
        .as_array()
        .expect("a plan lists resources");
    let address = |resource: &Value| {
        resource["address"]
            .as_str()
            .expect("a resource has an address")
            .to_owned()
    };
    resources.iter().map(address).collect()
}

#[test]
fn a_sixth_entry_plans_what_every_agent_has() {
    let plan = |stack: &StackCopy| addresses(&evaluation::plan(stack.path(), "no.tfvars", "").unwrap());
    let (five, six) = (plan(&StackCopy::new()), plan(&with_a_sixth()));
    let of = |agent: &str| -> Vec<String> {
        let key = format!("[\"{agent}\"]");
        let own = six.iter().filter_map(|address| address.strip_suffix(&key));
        own.map(str::to_owned).collect()
    };
    for agent in agents() {
        assert_eq!(of("sixth"), of(agent), "{agent}");
    }
    let added: Vec<&String> = six.iter().filter(|address| !five.contains(address)).collect();
    assert!(added.iter().all(|address| address.contains("sixth")), "{added:?}");
    // What every agent has, and the rules of both security groups for its one call.
    assert_eq!(added.len(), of("sixth").len() + 2, "{added:?}");
    assert_eq!(six.len(), five.len() + added.len());
}

#[test]
fn a_sixth_entry_runs_behind_the_load_balancer() {
    let stack = with_a_sixth();
    let _up = stack.up(&[]);
    let status = stack.wait_for("six healthy agents", |status| {
        let services = status["services"].as_array().map_or(&[][..], Vec::as_slice);
        services.len() == agents().len() + 1 && services.iter().all(|service| service["health"] == "healthy")
    });
    let labels = status["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| &service["label"]);
    assert_eq!(labels.filter(|label| **label == "sixth").count(), 1, "{status:#}");
    // The rule is there: it is the program that does not know the path, which is another agent's, and not the load balancer.
    let answer = stack.get("/sixth/health");
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (404, &"no_such_route".into()),
        "{answer:?}"
    );
    let stranger = stack.get("/seventh/health");
    assert!(
        stranger.status == 404 && !stranger.body.contains("no_such_route"),
        "{stranger:?}"
    );
    let tasks = stack.run(&["tasks", "sixth"]);
    assert_eq!(tasks.code, Some(0), "{tasks:?}");
}
