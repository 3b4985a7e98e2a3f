//! The way of the project's stack to AWS and back, by `karma` with real Terraform and a real registry, against a server that speaks AWS's API.
//!
//! That server runs no task, so how a deployment ends is *driven*: the test says it. What is behind the load balancer is a `karma up` of the same stack.

use std::fs;

use karma_e2e::account::{Account, ECR};
use karma_e2e::karma::{StackCopy, agents};
use karma_e2e::moto::Rollout;
use karma_e2e::skip;
use serde_json::{Value as Json, json};

const VALIDATOR: &str = "karmacadabra-validator";

#[test]
fn driven_a_stack_is_deployed_changed_rolled_back_and_destroyed() {
    let name = "driven_a_stack_is_deployed_changed_rolled_back_and_destroyed";
    let fleet = StackCopy::new();
    let account = match Account::new(name, fleet.port()) {
        Ok(account) => account,
        Err(reason) => return skip(name, &reason),
    };
    let up = fleet.up(&[]);
    fleet.wait_for("all agents to be healthy", |status| {
        status["services"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["health"] == "healthy"))
    });
    let before = account.moto.inventory("us-east-1");
    everything_is_deployed_and_pinned(&account);
    a_second_deploy_changes_nothing(&account);
    a_changed_agent_redeploys_only_itself(&account);
    a_deployment_that_fails_tells_why(&account);
    an_earlier_image_comes_back(&account);
    let (events, destroyed) = account.events(&["destroy", "--yes"]);
    assert_eq!(destroyed.code, Some(0), "{destroyed:?}");
    let left = events
        .iter()
        .find(|event| event["event"] == "left")
        .expect("what is left is told");
    let left = left["what"].as_array().expect("a list");
    assert_eq!(left.len(), 1, "{left:?}");
    let remembered = format!(
        "ECS remembers {} revisions of 5 task definitions",
        history(&account).len()
    );
    assert!(text(&left[0]).starts_with(&remembered), "{left:?}");
    assert_eq!(
        account.moto.inventory("us-east-1"),
        before,
        "destroy leaves something, or takes too much"
    );
    drop(up);
}

fn everything_is_deployed_and_pinned(account: &Account) {
    let (events, answer) = account.events(&["deploy", "--yes"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(
        names(&events, "service", |event| event["outcome"] == "stable"),
        agents()
    );
    assert_eq!(names(&events, "health", |event| event["healthy"] == true), agents());
    assert_eq!(last(&events)["outcome"], "deployed");
    let digests = account.digests();
    for running in history(account).iter().filter(|revision| revision["running"] == true) {
        let agent = running["service"].as_str().expect("a label");
        let digest = digests[agent].as_str().expect("a digest");
        let image = running["images"][agent].as_str().expect("an image");
        assert!(image.ends_with(&format!("/karmacadabra/{agent}@{digest}")), "{image}");
    }
    assert_eq!(revisions_running(account), vec![1; agents().len()]);
}

#[expect(
    clippy::print_stdout,
    reason = "how long it takes is of interest, and no reason to fail"
)]
fn a_second_deploy_changes_nothing(account: &Account) {
    let (digests, blobs, requests) = (account.digests(), account.blobs(), account.registry.requests().len());
    let (events, answer) = account.events(&["deploy", "--yes"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(last(&events)["outcome"], "unchanged");
    assert_eq!(account.digests(), digests);
    assert_eq!(account.blobs(), blobs, "something was packed anew");
    assert!(images_pushed(&events).is_empty(), "{answer:?}");
    let writes: Vec<String> = account.registry.requests().split_off(requests);
    assert!(writes.iter().all(|request| is_reading(request)), "{writes:#?}");
    assert!(changes(&events).is_empty(), "{answer:?}");
    let applied = events
        .iter()
        .find(|event| event["event"] == "step_finished" && event["step"] == "apply");
    assert_eq!(applied.expect("every step is told")["what"], "nothing to change");
    println!("a deploy with nothing to do took {} s", last(&events)["seconds"]);
}

/// Of `GET /v2/… 200`.
fn is_reading(request: &str) -> bool {
    ["GET ", "HEAD "].iter().any(|method| request.starts_with(method))
}

fn a_changed_agent_redeploys_only_itself(account: &Account) {
    account.write_images("changed");
    let (events, answer) = account.events(&["deploy", "--yes"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(images_pushed(&events), ["karmacadabra/validator"]);
    assert_eq!(
        changes(&events),
        [
            "aws_ecs_service.agents[\"validator\"] update",
            "aws_ecs_task_definition.agents[\"validator\"] replace"
        ]
    );
    assert_eq!(revisions_running(account), [1, 1, 1, 2, 1]);
}

fn a_deployment_that_fails_tells_why(account: &Account) {
    account.write_images("broken");
    account.moto.drive(&[(VALIDATOR, Rollout::InProgress)]);
    let mut story = account.start(&["deploy", "--yes"]);
    story.until(&json!({ "event": "step_started", "step": "wait" }));
    account.moto.drive(&[(VALIDATOR, Rollout::Failed)]);
    let told = story.until(&json!({ "event": "service", "service": "validator" }));
    assert_eq!(told["outcome"], "rolled_back", "{told}");
    let stopped = &told["stopped"][0];
    assert_eq!(
        stopped["stopped_reason"], "Essential container in task exited",
        "{told}"
    );
    let lines = stopped["last_lines"].as_array().expect("lines");
    assert_eq!((lines.len(), &lines[19]), (20, &json!("last word 25")), "{told}");
    assert_eq!(story.end(), Some(1));
    account.moto.drive(&[]);
    assert_eq!(revisions_running(account), [1, 1, 1, 2, 1]);
}

fn an_earlier_image_comes_back(account: &Account) {
    let broken = account.digests();
    let (events, answer) = account.events(&["rollback", "--on", "aws", "validator", "--yes"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(last(&events)["outcome"], "deployed");
    let digests = account.digests();
    assert_ne!(digests["validator"], broken["validator"]);
    assert_eq!(digests["abracadabra"], broken["abracadabra"]);
    assert_eq!(revisions_running(account), [1, 1, 1, 4, 1]);
    let (one, other) = (image_of(account, 4), image_of(account, 2));
    assert_eq!(one, other);
}

#[test]
fn driven_a_deploy_that_is_killed_goes_on_where_it_was() {
    let name = "driven_a_deploy_that_is_killed_goes_on_where_it_was";
    let account = match Account::new(name, 9) {
        Ok(account) => account,
        Err(reason) => return skip(name, &reason),
    };
    account.moto.drive(&[(VALIDATOR, Rollout::InProgress)]);
    for step in ["init", "repositories", "images", "plan", "apply", "wait"] {
        let mut story = account.start(&["deploy", "--yes"]);
        story.until(&json!({ "event": "step_started", "step": step }));
        story.kill();
    }
    account.moto.drive(&[]);
    let (events, answer) = account.events(&["deploy", "--yes", "--no-wait"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(last(&events)["outcome"], "unchanged", "{answer:?}");
    assert_eq!(revisions_running(&account), vec![1; agents().len()]);
}

#[test]
fn driven_terraform_waits_for_a_service_no_longer_than_it_may() {
    let name = "driven_terraform_waits_for_a_service_no_longer_than_it_may";
    let account = match Account::new(name, 9) {
        Ok(account) => account,
        Err(reason) => return skip(name, &reason),
    };
    let variables = account.directory().join("terraform.tfvars");
    let text = fs::read_to_string(&variables).expect("the stack has values");
    let waiting = text.replace("= false", "= true");
    assert_ne!(waiting, text);
    fs::write(&variables, waiting).expect("the directory is ours");
    account.moto.drive(&[(VALIDATOR, Rollout::InProgress)]);
    let late = account.run(&["deploy", "--yes", "--timeout", "5s"]);
    assert_eq!(late.code, Some(1), "{late:?}");
    let address = "aws_ecs_service.agents[\"validator\"]";
    for said in [
        "terraform has waited long enough",
        address,
        &format!("untaint '{address}'"),
    ] {
        assert!(late.stderr.contains(said), "{late:?}");
    }
    // The lock is free, and the state knows what was made.
    account.moto.drive(&[]);
    let (events, answer) = account.events(&["deploy", "--yes", "--no-wait"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(last(&events)["outcome"], "deployed");
    assert_eq!(
        history(&account)
            .iter()
            .filter(|revision| revision["running"] == true)
            .count(),
        agents().len()
    );
}

#[test]
fn images_go_to_the_accounts_own_registry_with_a_login_of_the_account() {
    let name = "images_go_to_the_accounts_own_registry_with_a_login_of_the_account";
    let account = match Account::new(name, 9) {
        Ok(account) => account,
        Err(reason) => return skip(name, &reason),
    };
    let built = account.run(&["image", "build"]);
    assert_eq!(built.code, Some(0), "{built:?}");
    let pushed = account.run(&["image", "push", "--json"]);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let pushed: Json = serde_json::from_str(&pushed.stdout).expect("JSON was asked for");
    assert_eq!(pushed["registry"], ECR);
    for agent in agents() {
        let image = &pushed["images"][format!("karmacadabra/{agent}")];
        let (reference, digest) = (text(&image["reference"]), text(&image["digest"]));
        assert!(
            reference.starts_with(&format!("{ECR}/karmacadabra/{agent}:")),
            "{image}"
        );
        assert!(reference.ends_with(&digest) && image["changed"] == true, "{image}");
    }
    let requests = account.registry.requests();
    let refused = requests.iter().filter(|request| request.ends_with(" 401")).count();
    assert!(refused > 0, "nobody was asked who he is: {requests:#?}");
    // The same by its name; and whoever says another password is not let in.
    let again = account.run(&["image", "push", "--to", ECR, "validator"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let wrong = ["image", "push", "--to", ECR, "--username", "AWS", "--password-stdin"];
    let wrong = account.run(&wrong);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.stderr.contains("does not accept the credentials of `AWS`"),
        "{wrong:?}"
    );
}

#[test]
fn a_budget_stops_a_deploy_before_anything_is_made() {
    let name = "a_budget_stops_a_deploy_before_anything_is_made";
    let account = match Account::new(name, 9) {
        Ok(account) => account,
        Err(reason) => return skip(name, &reason),
    };
    let before = account.moto.inventory("us-east-1");
    let answer = account.run(&["deploy", "--yes", "--budget", "5"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("Over the budget of 5"), "{answer:?}");
    let unasked = account.run(&["deploy"]);
    assert_eq!(unasked.code, Some(2), "{unasked:?}");
    assert!(unasked.stderr.contains("hint: answer beforehand: --yes"), "{unasked:?}");
    assert_eq!(account.moto.inventory("us-east-1"), before);
}

fn last(events: &[Json]) -> &Json {
    events.last().expect("there are events")
}

/// The services of the events of this kind that are as they should be.
fn names<'e>(events: &'e [Json], kind: &str, is_well: impl Fn(&Json) -> bool) -> Vec<&'e str> {
    let well = events.iter().filter(|event| event["event"] == kind && is_well(event));
    let mut names: Vec<&str> = well.filter_map(|event| event["service"].as_str()).collect();
    names.sort_unstable();
    names
}

fn images_pushed(events: &[Json]) -> Vec<&str> {
    let pushed = events
        .iter()
        .filter(|event| event["event"] == "image" && event["pushed"] == true);
    pushed.filter_map(|event| event["repository"].as_str()).collect()
}

/// `address action` of what the last plan changes.
fn changes(events: &[Json]) -> Vec<String> {
    let plan = events
        .iter()
        .rfind(|event| event["event"] == "plan")
        .expect("there is a plan");
    let changes = plan["changes"].as_array().into_iter().flatten();
    let mut changes: Vec<String> = changes
        .map(|change| format!("{} {}", text(&change["address"]), text(&change["action"])))
        .collect();
    changes.sort();
    changes
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn history(account: &Account) -> Vec<Json> {
    let answer = account.run(&["history", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    serde_json::from_str(&answer.stdout).expect("JSON was asked for")
}

/// Of each agent, in the order of their names.
fn revisions_running(account: &Account) -> Vec<u64> {
    let running = history(account)
        .into_iter()
        .filter(|revision| revision["running"] == true);
    running.filter_map(|revision| revision["revision"].as_u64()).collect()
}

fn image_of(account: &Account, revision: u64) -> Json {
    let is_it = |one: &Json| one["service"] == "validator" && one["revision"] == revision;
    let found = history(account).into_iter().find(is_it);
    found.expect("the validator has this revision")["images"]["validator"].take()
}
