//! Agents in the registry of identities on a real node: what stands there, what proves it, and what is said where it fails.

use karma_e2e::chain::{Agent, Chain};
use karma_e2e::karma::wait_until;
use karma_e2e::skip;
use serde_json::json;

/// Whose agents these are.
const SELLER: usize = 1;

/// A chain, unless there is none to be had here.
fn chain(test: &str) -> Option<Chain> {
    Chain::start().map_err(|reason| skip(test, &reason)).ok()
}

#[test]
fn who_is_registered_proves_it_and_who_cannot_be_says_why() {
    let Some(chain) = chain("who_is_registered_proves_it_and_who_cannot_be_says_why") else {
        return;
    };
    let standing = |agent: &Agent| {
        let deep = agent.get("/health?deep=1").json();
        let dependencies = deep["dependencies"].as_array().unwrap();
        dependencies
            .iter()
            .find(|it| it["name"] == "registration")
            .unwrap()
            .clone()
    };
    let registered = |agent: &Agent| {
        wait_until("a registration", || {
            let standing = standing(agent);
            (standing["reachable"] == true).then(|| standing["agent_id"].clone())
        })
    };
    let proof = |agent: &Agent| agent.get("/.well-known/agent-registration.json");
    let first = chain.agent("karma-hello", SELLER, &[("PUBLIC_URL", "https://one.example")]);
    let id = registered(&first);
    let shown = proof(&first).json();
    let entry = &shown["registrations"][0];
    assert_eq!(entry["agentId"].to_string(), id.as_str().unwrap(), "{shown}");
    let registry = format!("eip155:31337:{}", chain.variable("IDENTITY_REGISTRY"));
    assert_eq!(entry["agentRegistry"], registry, "{shown}");
    assert_eq!(
        shown["services"][0]["endpoint"],
        "https://one.example/.well-known/agent-card.json"
    );
    drop(first);

    // Who has no gas is told so, and so is everybody who asks.
    chain.ask("anvil_setBalance", &json!([chain.account(SELLER), "0x0"]));
    let poor = chain.agent("karma-hello", SELLER, &[("PUBLIC_URL", "https://two.example")]);
    let told = wait_until("a failure", || {
        let standing = standing(&poor);
        standing["error"]
            .as_str()
            .filter(|error| error.contains("could not be registered"))
            .map(str::to_owned)
    });
    assert!(
        told.to_lowercase().contains("fund") || told.to_lowercase().contains("gas"),
        "{told}"
    );
    assert_eq!(proof(&poor).status, 404);
}

#[test]
fn who_has_moved_is_registered_where_he_is_now() {
    let Some(chain) = chain("who_has_moved_is_registered_where_he_is_now") else {
        return;
    };
    let start = |url: &str| chain.agent("karma-hello", SELLER, &[("PUBLIC_URL", url)]);
    let proven = |agent: &Agent| {
        wait_until("a proof", || {
            let proof = agent.get("/.well-known/agent-registration.json");
            (proof.status == 200).then(|| proof.json())
        })
    };
    let before = proven(&start("https://one.example"));
    let after = proven(&start("https://two.example"));
    assert_eq!(before["registrations"], after["registrations"]);
    assert_eq!(chain.balance_of_agents(SELLER), 1);
    // What stands in the registry already is not written again.
    let sent = || chain.ask("eth_getTransactionCount", &json!([chain.account(SELLER), "latest"]));
    let sent_before = sent();
    let again = proven(&start("https://two.example"));
    assert_eq!(sent(), sent_before);
    assert_eq!(again, after);
}
