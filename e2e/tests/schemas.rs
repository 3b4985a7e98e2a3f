//! The embedded schemas are the provider's: what `terraform providers schema -json` says, less what no ECS stack uses, plus defaults.

use karma_e2e::karma::repository;
use karma_e2e::skip;
use karma_e2e::terraform::Terraform;
use karma_terraform::schema::{Block, NestedBlock, Nesting};
use serde_json::Value as Json;

#[test]
fn the_embedded_schemas_are_the_providers() {
    let stack = repository().join("e2e/stacks/every_resource");
    let answer = Terraform::with_stack("schemas", &stack).and_then(|terraform| terraform.schemas());
    let theirs = match answer {
        Ok(schemas) => schemas,
        Err(reason) => return skip("the_embedded_schemas_are_the_providers", &reason),
    };
    let ours = karma_fleet::provider().schemas;
    let mut found = Vec::new();
    for (section, table) in [
        ("resource_schemas", &ours.resources),
        ("data_source_schemas", &ours.data_sources),
    ] {
        for (name, block) in table {
            compare(name, &theirs[section][name]["block"], block, &mut found);
        }
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

fn compare(path: &str, theirs: &Json, ours: &Block, found: &mut Vec<String>) {
    let attributes = ours.attributes.keys().map(String::as_str);
    if !attributes.eq(names(&theirs["attributes"]))
        || !ours.blocks.keys().map(String::as_str).eq(names(&theirs["block_types"]))
    {
        return found.push(format!("{path} has other members"));
    }
    for (name, attribute) in &ours.attributes {
        let theirs = &theirs["attributes"][name];
        let flags = [attribute.required, attribute.sensitive];
        if attribute.ty != theirs["type"] || flags != ["required", "sensitive"].map(|flag| theirs[flag] == true) {
            found.push(format!("{path}.{name} is {theirs}"));
        }
    }
    for (name, nested) in &ours.blocks {
        compare_nested(&format!("{path}.{name}"), &theirs["block_types"][name], nested, found);
    }
}

fn compare_nested(path: &str, theirs: &Json, ours: &NestedBlock, found: &mut Vec<String>) {
    let nesting = match ours.nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    };
    let limits = ["min_items", "max_items"].map(|limit| theirs[limit].as_u64().unwrap_or(0));
    if theirs["nesting_mode"] != nesting || limits != [ours.min_items, ours.max_items].map(|limit| limit as u64) {
        found.push(format!("{path} nests otherwise"));
    }
    compare(path, &theirs["block"], &ours.block, found);
}

/// In the order of the alphabet, whatever order the document has.
fn names(object: &Json) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = object
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.into_iter()
}
