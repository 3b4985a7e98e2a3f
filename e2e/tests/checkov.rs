//! [Checkov](https://www.checkov.io) judges the plan of the stack, ours and Terraform's: what it finds is mended, or accepted for a reason that
//! `e2e/checkov/accepted.toml` gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use karma_e2e::karma::{repository, target_directory};
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, python, skip};
use serde::Deserialize;
use serde_json::Value as Json;

/// A finding of a check that the stack lives with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    /// Addresses without their keys.
    resources: BTreeSet<String>,
    /// For people: a line without one is not accepted.
    reason: String,
    /// The plan in which it is found, if not in both.
    plan: Option<String>,
}

/// Addresses without their keys, by check.
type Findings = BTreeMap<String, BTreeSet<String>>;

#[test]
fn checkov_accepts_the_plan_of_karma() {
    let plan =
        || evaluation::plan(&repository().join("terraform"), "none.tfvars.json", "{}").map_err(|said| said.join("; "));
    check("checkov_accepts_the_plan_of_karma", "karma", plan);
}

#[test]
fn checkov_accepts_the_plan_of_terraform() {
    let test = "checkov_accepts_the_plan_of_terraform";
    let stack = repository().join("terraform");
    check(test, "terraform", || {
        Terraform::with_stack(test, &stack)?.plan("defaults", "{}")
    });
}

fn check(test: &str, planner: &str, plan: impl FnOnce() -> Result<Json, String>) {
    let found = python::program("checkov", "checkov").and_then(|checkov| findings(&checkov, planner, plan()?));
    match found {
        Ok(found) => assert_eq!(found, accepted(planner), "left: found, right: accepted"),
        Err(reason) => skip(test, &reason),
    }
}

/// What Checkov finds in a plan. It takes a document for a plan when that says which Terraform made it.
fn findings(checkov: &Path, planner: &str, mut plan: Json) -> Result<Findings, String> {
    plan["terraform_version"] = "1.11.4".into();
    let file = target_directory().join("e2e").join(format!("checkov-{planner}.json"));
    fs::write(&file, plan.to_string()).map_err(|error| format!("{}: {error}", file.display()))?;
    let output = Command::new(checkov)
        .args([
            "--framework",
            "terraform_plan",
            "--skip-download",
            "--compact",
            "--quiet",
            "--output",
            "json",
            "--file",
        ])
        .arg(&file)
        .output()
        .map_err(|error| format!("checkov cannot be run: {error}"))?;
    let report: Json = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    assert!(
        report["summary"]["passed"].as_u64() > Some(0),
        "Checkov checked nothing: {report}"
    );
    Ok(failed(&report))
}

fn failed(report: &Json) -> Findings {
    let mut found = Findings::new();
    for check in report["results"]["failed_checks"].as_array().into_iter().flatten() {
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let address = text("resource").split('[').next().unwrap_or_default().to_owned();
        found.entry(text("check_id")).or_default().insert(address);
    }
    found
}

fn accepted(planner: &str) -> Findings {
    let text = fs::read_to_string(repository().join("e2e/checkov/accepted.toml")).expect("it is in the repository");
    let lines: BTreeMap<String, Accepted> = toml::from_str(&text).expect("it is TOML as described");
    let applies = |line: &Accepted| line.plan.as_deref().is_none_or(|plan| plan == planner);
    assert!(
        lines.values().all(|line| !line.reason.is_empty()),
        "every line has its reason"
    );
    lines
        .into_iter()
        .filter(|(_, line)| applies(line))
        .map(|(check, line)| (check, line.resources))
        .collect()
}
