//! Every directory below `tests/cases` is a small stack that uses one part of the language, beside what the real Terraform plans for it.
//!
//! `plan.json` holds, of `terraform show -json` of a first plan, the outputs (without their types) and for each resource instance what is
//! known, unknown and sensitive after apply. All of it has to be the same here: what Terraform does not know we do not know either.

#![expect(clippy::disallowed_methods, reason = "tests find their cases on the disk")]

use std::path::{Path, PathBuf};

use karma_terraform::{Inputs, Provider, Severity, evaluate, parse, plan_json, read};
use serde_json::{Map, Value as Json, json};

#[test]
fn every_case_agrees_with_terraform() {
    let mut cases = directories(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases found", cases.len());
    let disagreements: Vec<String> = cases.iter().flat_map(|case| check(case)).collect();
    assert!(disagreements.is_empty(), "\n{}", disagreements.join("\n"));
}

/// What differs from Terraform in one case.
fn check(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let expected = std::fs::read_to_string(case.join("plan.json")).expect("every case has a plan.json");
    let expected: Json = serde_json::from_str(&expected).expect("plan.json is JSON");
    let (planned, errors) = plan(case);
    let mut found: Vec<String> = errors.into_iter().map(|error| format!("{name}: {error}")).collect();
    for part in ["outputs", "resources"] {
        let (ours, theirs) = (members(&planned[part]), members(&expected[part]));
        let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for of in names.into_iter().filter(|of| ours.get(*of) != theirs.get(*of)) {
            let show = |json: Option<&Json>| json.map_or_else(|| "nothing".to_owned(), Json::to_string);
            found.push(format!(
                "{name}: {of}\n  Terraform: {}\n  ours:      {}",
                show(theirs.get(of)),
                show(ours.get(of))
            ));
        }
    }
    found
}

/// Our plan in the form of `plan.json`, and what is reported about it.
fn plan(case: &Path) -> (Json, Vec<String>) {
    let sources = read(case).expect("the case can be read");
    let (module, mut problems) = parse(&sources);
    let (stack, more) = evaluate(&module, &Inputs::default(), &Provider::default());
    problems.extend(more);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors = errors
        .map(|error| format!("{}: {}", error.summary, error.detail))
        .collect();
    let plan = plan_json(&stack);
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let resources: Map<String, Json> = changes
        .iter()
        .map(|change| (text(&change["address"]), after(change)))
        .collect();
    (
        json!({ "outputs": plan["planned_values"]["outputs"], "resources": resources }),
        errors,
    )
}

fn after(change: &Json) -> Json {
    let change = &change["change"];
    json!({
        "after": change["after"],
        "after_unknown": change["after_unknown"],
        "after_sensitive": marked(&change["after_sensitive"]).unwrap_or_else(|| json!({})),
    })
}

/// Only the places that are marked: around them the format repeats the shape of the value.
fn marked(json: &Json) -> Option<Json> {
    match json {
        Json::Bool(true) => Some(json.clone()),
        Json::Array(elements) => {
            let elements: Vec<Option<Json>> = elements.iter().map(marked).collect();
            elements
                .iter()
                .any(Option::is_some)
                .then(|| elements.into_iter().collect())
        }
        Json::Object(members) => {
            let members: Map<String, Json> = members
                .iter()
                .filter_map(|(name, member)| Some((name.clone(), marked(member)?)))
                .collect();
            (!members.is_empty()).then_some(Json::Object(members))
        }
        _ => None,
    }
}

fn members(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap_or_default()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn directories(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).expect("the cases are there");
    entries
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.is_dir())
        .collect()
}
