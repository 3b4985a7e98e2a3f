//! Stacks mean to us what they mean to Terraform: every address, every known value, every output.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use karma_e2e::agreement::disagreements;
use karma_e2e::karma::repository;
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, skip};
use serde_json::Value as Json;

/// The stack with some of its variables set.
struct Variation {
    name: String,
    /// A file of variables: its notation's ending, and what stands in it.
    ending: &'static str,
    variables: String,
}

/// The image of a NAT instance is asked for from AWS where nobody says which.
const NAT_INSTANCE_IMAGE: &str = "nat_instance_ami = \"ami-0123456789abcdef0\"";

/// What `e2e/stacks/variations.json` lists.
fn listed() -> Vec<Variation> {
    let text = fs::read_to_string(repository().join("e2e/stacks/variations.json")).expect("the variations are there");
    let listed: BTreeMap<String, Json> = serde_json::from_str(&text).expect("the variations are JSON");
    let variation = |(name, variables): (String, Json)| Variation {
        name,
        ending: "tfvars.json",
        variables: variables.to_string(),
    };
    listed.into_iter().map(variation).collect()
}

/// The profiles, as they are handed to users.
fn profiles() -> Vec<Variation> {
    let profile = |name: &str| Variation {
        name: format!("profile-{name}"),
        ending: "tfvars",
        variables: fs::read_to_string(stack().join(format!("profiles/{name}.tfvars"))).expect("the profile is there")
            + NAT_INSTANCE_IMAGE,
    };
    ["seed", "lean", "resilient"].map(profile).into()
}

#[test]
fn our_plan_of_the_projects_stack_is_terraforms() {
    let variations: Vec<Variation> = listed().into_iter().chain(profiles()).collect();
    assert!(variations.len() > 40, "{}", variations.len());
    check("our_plan_of_the_projects_stack_is_terraforms", &stack(), &variations);
}

#[test]
fn our_plan_of_every_resource_type_is_terraforms() {
    let name = "our_plan_of_every_resource_type_is_terraforms";
    check(name, &repository().join("e2e/stacks/every_resource"), &[unchanged()]);
}

#[test]
fn our_plan_knows_the_providers_habits() {
    check(
        "our_plan_knows_the_providers_habits",
        &repository().join("e2e/stacks/provider_habits"),
        &[unchanged()],
    );
}

fn unchanged() -> Variation {
    Variation {
        name: "defaults".to_owned(),
        ending: "tfvars.json",
        variables: "{}".to_owned(),
    }
}

fn check(test: &str, stack: &Path, variations: &[Variation]) {
    let terraform = match Terraform::with_stack(test, stack) {
        Ok(terraform) => terraform,
        Err(reason) => return skip(test, &reason),
    };
    let found = disagreements_of_all(&terraform, variations);
    assert!(found.is_empty(), "{} disagreements:\n{}", found.len(), found.join("\n"));
}

/// Two at a time: most of the time is Terraform's and its provider's start.
fn disagreements_of_all(terraform: &Terraform, variations: &[Variation]) -> Vec<String> {
    let waiting = Mutex::new(variations.iter());
    let next = || waiting.lock().expect("a comparison does not panic").next();
    let work = || -> Vec<String> { iter::from_fn(next).flat_map(|one| compared(terraform, one)).collect() };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a comparison does not panic"))
            .collect()
    })
}

/// What Terraform and we do not agree on for one variation.
fn compared(
    terraform: &Terraform,
    Variation {
        name,
        ending,
        variables,
    }: &Variation,
) -> Vec<String> {
    let theirs = match terraform.plan_with_file(name, &format!("{name}.{ending}"), variables) {
        Ok(plan) => plan,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    match evaluation::plan(terraform.directory(), &format!("{name}.{ending}"), variables) {
        Ok(ours) => {
            let found = disagreements(&theirs, &ours, &karma_fleet::provider().schemas);
            found
                .into_iter()
                .map(|disagreement| format!("{name}: {disagreement}"))
                .collect()
        }
        Err(said) => vec![format!("{name}: karma says: {}", said.join("; "))],
    }
}

fn stack() -> PathBuf {
    repository().join("terraform")
}
