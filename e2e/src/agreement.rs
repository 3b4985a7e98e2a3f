//! Two plans of one stack, Terraform's and ours, compared address by address and value by value.

use std::collections::{BTreeMap, BTreeSet};

use karma_terraform::schema::{Block, Nesting, Schemas};
use serde_json::{Map, Value as Json, json};

/// Stands for a value that is not known before apply.
const UNKNOWN: &str = "(known after apply)";

/// Longer values are cut where they are printed.
const SHOWN_CHARACTERS: usize = 300;

/// What the two plans do not agree on, one sentence each; both in the shape of `terraform show -json`. Sets compare as sets.
pub fn disagreements(terraform: &Json, ours: &Json, schemas: &Schemas) -> Vec<String> {
    let mut found = Vec::new();
    compare_members(
        "",
        &resources(terraform, schemas),
        &resources(ours, schemas),
        &mut found,
    );
    compare_members("output ", &outputs(terraform), &outputs(ours), &mut found);
    found
}

/// Every resource by address, as one tree with the unknown in its place.
fn resources(plan: &Json, schemas: &Schemas) -> BTreeMap<String, Json> {
    let unknown = unknown_by_address(plan);
    let mut found = BTreeMap::new();
    for root in ["/planned_values/root_module", "/prior_state/values/root_module"] {
        collect(plan.pointer(root).unwrap_or(&Json::Null), &mut |resource| {
            let address = text(resource, "address");
            let values = merged(&known(resource), unknown.get(address).unwrap_or(&&Json::Null));
            found.insert(
                address.to_owned(),
                with_sorted_sets(values, schema_of(resource, schemas)),
            );
        });
    }
    found
}

/// Terraform leaves the values away where none is known.
fn known(resource: &Json) -> Json {
    match &resource["values"] {
        Json::Null => json!({}),
        values => values.clone(),
    }
}

fn unknown_by_address(plan: &Json) -> BTreeMap<&str, &Json> {
    let changes = plan["resource_changes"].as_array().into_iter().flatten();
    changes
        .map(|change| (text(change, "address"), &change["change"]["after_unknown"]))
        .collect()
}

fn collect(module: &Json, take: &mut dyn FnMut(&Json)) {
    module["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(&mut *take);
    for child in module["child_modules"].as_array().into_iter().flatten() {
        collect(child, take);
    }
}

fn schema_of<'a>(resource: &Json, schemas: &'a Schemas) -> Option<&'a Block> {
    let table = if text(resource, "mode") == "data" {
        &schemas.data_sources
    } else {
        &schemas.resources
    };
    table.get(text(resource, "type"))
}

/// Outputs: whether they are sensitive, and their value where all of it is known.
fn outputs(plan: &Json) -> BTreeMap<String, Json> {
    let declared = plan
        .pointer("/planned_values/outputs")
        .and_then(Json::as_object)
        .into_iter()
        .flatten();
    let told = |(name, output): (&String, &Json)| {
        let value = output.get("value").cloned().unwrap_or_else(|| UNKNOWN.into());
        (
            name.clone(),
            json!({ "sensitive": output["sensitive"], "value": value }),
        )
    };
    declared.map(told).collect()
}

/// The values with a placeholder wherever the second tree says `true`.
fn merged(values: &Json, unknown: &Json) -> Json {
    match (values, unknown) {
        (_, Json::Bool(true)) => UNKNOWN.into(),
        (Json::Object(members), Json::Object(unknown)) => {
            let names: BTreeSet<&String> = members.keys().chain(unknown.keys()).collect();
            names
                .into_iter()
                .filter_map(|name| member(members.get(name), unknown.get(name)).map(|tree| (name.clone(), tree)))
                .collect()
        }
        (Json::Array(elements), Json::Array(unknown)) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| merged(element, unknown.get(index).unwrap_or(&Json::Null)))
            .collect(),
        (known, _) => known.clone(),
    }
}

/// `false`, `{}` or `[]` beside nothing say nothing.
fn member(known: Option<&Json>, unknown: Option<&Json>) -> Option<Json> {
    match (known, unknown.unwrap_or(&Json::Null)) {
        (Some(known), unknown) => Some(merged(known, unknown)),
        (None, Json::Bool(true)) => Some(UNKNOWN.into()),
        (None, _) => None,
    }
}

fn with_sorted_sets(mut values: Json, schema: Option<&Block>) -> Json {
    if let (Json::Object(members), Some(schema)) = (&mut values, schema) {
        sort_sets(members, schema);
    }
    values
}

fn sort_sets(members: &mut Map<String, Json>, schema: &Block) {
    for (name, nested) in &schema.blocks {
        let Some(blocks) = members.get_mut(name) else { continue };
        sort_inside(blocks, &nested.block);
        if let (Nesting::Set, Json::Array(elements)) = (nested.nesting, blocks) {
            elements.sort_by_key(Json::to_string);
        }
    }
    for (name, attribute) in &schema.attributes {
        if let Some(value) = members.get_mut(name) {
            sort_by_type(value, &attribute.ty);
        }
    }
}

/// Types are written as `terraform providers schema -json` writes them: `["set", "string"]`.
fn sort_by_type(value: &mut Json, ty: &Json) {
    let [Json::String(kind), element] = ty.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return;
    };
    match (value, element) {
        (Json::Array(elements), element) => {
            for each in elements.iter_mut() {
                sort_by_type(each, element);
            }
            if kind == "set" {
                elements.sort_by_key(Json::to_string);
            }
        }
        (Json::Object(members), Json::Object(types)) if kind == "object" => {
            for (name, value) in members {
                sort_by_type(value, &types[name]);
            }
        }
        (Json::Object(members), element) => members.values_mut().for_each(|each| sort_by_type(each, element)),
        _ => {}
    }
}

fn sort_inside(blocks: &mut Json, schema: &Block) {
    match blocks {
        Json::Array(each) => each.iter_mut().for_each(|block| sort_inside(block, schema)),
        Json::Object(members) => sort_sets(members, schema),
        _ => {}
    }
}

fn compare_members(
    prefix: &str,
    terraform: &BTreeMap<String, Json>,
    ours: &BTreeMap<String, Json>,
    found: &mut Vec<String>,
) {
    let names: BTreeSet<&String> = terraform.keys().chain(ours.keys()).collect();
    for name in names {
        compare(&format!("{prefix}{name}"), terraform.get(name), ours.get(name), found);
    }
}

fn compare(path: &str, terraform: Option<&Json>, ours: Option<&Json>, found: &mut Vec<String>) {
    match (terraform, ours) {
        (Some(Json::Object(terraform)), Some(Json::Object(ours))) => {
            let names: BTreeSet<&String> = terraform.keys().chain(ours.keys()).collect();
            for name in names {
                compare(&format!("{path}.{name}"), terraform.get(name), ours.get(name), found);
            }
        }
        (Some(Json::Array(terraform)), Some(Json::Array(ours))) if terraform.len() == ours.len() => {
            let pairs = terraform.iter().zip(ours).enumerate();
            pairs.for_each(|(index, (a, b))| compare(&format!("{path}[{index}]"), Some(a), Some(b), found));
        }
        (terraform, ours) if terraform == ours => {}
        (terraform, ours) => found.push(format!(
            "{path}: Terraform has {}, karma has {}",
            shown(terraform),
            shown(ours)
        )),
    }
}

fn shown(value: Option<&Json>) -> String {
    match value {
        None => "nothing".into(),
        Some(Json::String(text)) if text == UNKNOWN => UNKNOWN.into(),
        Some(value) => value.to_string().chars().take(SHOWN_CHARACTERS).collect(),
    }
}

fn text<'a>(object: &'a Json, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
