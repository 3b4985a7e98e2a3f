//! Before the story begins: is every agent there and well, and does it ask for money?

use std::io;

use reqwest::StatusCode;
use serde::Deserialize;

use super::DemoError;
use super::event::Event;
use super::visitor::Visitor;
use crate::agents::AGENTS;
use crate::chain::Address;
use crate::error::chain as words;
use crate::health;

/// An agent that is there.
pub(super) struct Present {
    pub(super) name: &'static str,
    /// What it is paid to, where it pays and is paid.
    pub(super) account: Option<Address>,
}

/// What an agent says of its health.
#[derive(Deserialize)]
struct Report {
    agent: String,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    reachable: bool,
    error: Option<String>,
    account: Option<Address>,
}

/// What an agent can do without: it says so in its answers.
const DISPENSABLE: &str = "llm";

/// Asks every agent how it is. The story has a part for each, so that one who is not there ends it here.
pub(super) async fn receive<T>(visitor: &Visitor<'_, T>) -> Result<Vec<Present>, DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    let mut present = Vec::new();
    for agent in &AGENTS {
        let url = visitor.url(agent.name, health::PATH);
        let answer = visitor.look(&format!("{url}?deep=1")).await;
        let answer = answer.map_err(|error| silent(agent.name, &words(&error)))?;
        let status = answer.status();
        let body = answer
            .bytes()
            .await
            .map_err(|error| silent(agent.name, &words(&error)))?;
        let report = serde_json::from_slice(&body).ok();
        let report: Report = report
            .filter(|report: &Report| report.agent == agent.name)
            .ok_or_else(|| absent(agent.name, &url, status))?;
        present.push(look_at(agent.name, &report)?);
    }
    Ok(present)
}

fn look_at(name: &'static str, report: &Report) -> Result<Present, DemoError> {
    let needed = |it: &&Dependency| !it.reachable && it.name != DISPENSABLE;
    if let Some(missing) = report.dependencies.iter().find(needed) {
        let why = missing.error.as_deref().unwrap_or("it does not say why");
        let reason = format!("{name} does not reach its {}: {why}", missing.name);
        return Err(DemoError::refused(reason, "`karma status` shows who is not well"));
    }
    let account = report.dependencies.iter().find_map(|it| it.account);
    Ok(Present { name, account })
}

fn silent(name: &str, why: &str) -> DemoError {
    let reason = format!("{name} cannot be asked how it is: {why}");
    DemoError::refused(reason, "`karma status` shows what runs, and where")
}

fn absent(name: &str, url: &str, status: StatusCode) -> DemoError {
    DemoError::refused(
        format!("the story needs {name}, and {url} answers {status}"),
        format!("`karma status` shows what runs; have {name} in var.agents, and `karma up` brings it"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(dependencies: &Value, expected: Result<Option<&str>, &str>) {
        let report = json!({ "status": "ok", "agent": "validator", "dependencies": dependencies });
        let report: Report = serde_json::from_value(report).unwrap();
        let found = look_at("validator", &report);
        let found = found
            .map(|present| present.account.map(|account| account.to_string()))
            .map_err(|error| error.to_string());
        assert_eq!(
            found,
            expected
                .map(|account| account.map(str::to_owned))
                .map_err(str::to_owned)
        );
    }

    #[test]
    fn who_is_well_and_who_has_an_account() {
        const ACCOUNT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        check(&json!([]), Ok(None));
        check(&json!([{ "name": "store", "reachable": true }]), Ok(None));
        check(
            &json!([{ "name": "chain", "reachable": true, "account": ACCOUNT }]),
            Ok(Some(ACCOUNT)),
        );
        check(
            &json!([{ "name": "llm", "reachable": false, "error": "no answer" }]),
            Ok(None),
        );
        check(
            &json!([{ "name": "karma-hello", "reachable": false, "error": "no answer" }]),
            Err("validator does not reach its karma-hello: no answer"),
        );
    }
}
