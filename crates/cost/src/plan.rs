//! A plan that Terraform made, as a [`Stack`]: for stacks that cannot be evaluated here, such as those with modules from a registry.
//!
//! [The format](https://developer.hashicorp.com/terraform/internals/json-format) shows what is known of each resource (`planned_values`) and
//! which others each argument refers to (`configuration`), not which of their instances. What is unknown here is therefore made of every
//! instance of the blocks it refers to, or of the one with the same key where the argument names `each.key` or `count.index`. A list that a
//! condition makes shorter counts as whole, and what is inside an unknown text, such as the containers of a task, stays unknown. A state knows all
//! values and no references; they are found again by what AWS has given.

mod links;
mod references;

use std::collections::BTreeMap;

use karma_terraform::{Address, InstanceKey, Mode, ModuleStep, Object, ResourceInstance, Span, Stack, Value};
use serde_json::{Map, Value as Json};

use references::Configuration;

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is no JSON.
    #[error("the plan cannot be read")]
    Json(#[from] serde_json::Error),
    /// It is JSON of something else, such as `terraform plan -json`.
    #[error(
        "this is not what `terraform show -json` says of a plan or a state: it has no `planned_values` and no `values`"
    )]
    NotAPlan,
}

/// Reads what `terraform show -json` says of a plan, or of a state.
pub fn read_plan(text: &str) -> Result<Stack, PlanError> {
    let json: Json = serde_json::from_str(text)?;
    let values = json.get("planned_values").or_else(|| json.get("values"));
    let root = values
        .and_then(|values| values.get("root_module"))
        .ok_or(PlanError::NotAPlan)?;
    let mut resources = BTreeMap::new();
    collect(root, &[], &mut resources);
    if json.get("planned_values").is_none() {
        links::restore(&mut resources);
    }
    let configuration = Configuration::of(&json, resources.keys());
    for (address, attributes) in &mut resources {
        attributes.extend(configuration.unknowns(address, attributes));
    }
    Ok(Stack {
        resources: resources.into_iter().map(instance).collect(),
        providers: configuration.providers(&json),
        variables: variables(&json),
        ..Stack::default()
    })
}

/// The resources of a module and of those it calls.
fn collect(module: &Json, path: &[ModuleStep], resources: &mut BTreeMap<Address, Object>) {
    for resource in elements(module, "resources") {
        resources.extend(resource_of(resource, path));
    }
    for child in elements(module, "child_modules") {
        let address = child.get("address").and_then(Json::as_str);
        if let Some(path) = address.and_then(module_path) {
            collect(child, &path, resources);
        }
    }
}

fn elements<'j>(json: &'j Json, name: &str) -> impl Iterator<Item = &'j Json> {
    json.get(name).and_then(Json::as_array).into_iter().flatten()
}

fn resource_of(json: &Json, path: &[ModuleStep]) -> Option<(Address, Object)> {
    let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
    let address = Address {
        module: path.to_vec(),
        mode: if text("mode")? == "data" {
            Mode::Data
        } else {
            Mode::Managed
        },
        kind: text("type")?,
        name: text("name")?,
        key: json.get("index").and_then(key),
    };
    let values = json.get("values").and_then(Json::as_object);
    let attributes = values
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), Value::from_json(value)));
    Some((address, attributes.collect()))
}

fn key(index: &Json) -> Option<InstanceKey> {
    match index {
        Json::String(key) => Some(InstanceKey::Key(key.clone())),
        Json::Number(number) => number
            .as_u64()
            .and_then(|index| usize::try_from(index).ok())
            .map(InstanceKey::Index),
        _ => None,
    }
}

/// `module.network["eu"].module.subnets[0]`; keys may hold dots and brackets, but quotes only behind a backslash.
fn module_path(address: &str) -> Option<Vec<ModuleStep>> {
    let mut steps = Vec::new();
    let mut rest = address;
    while !rest.is_empty() {
        rest = rest.strip_prefix("module.")?;
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut key = None;
        if let Some(inside) = rest.strip_prefix('[') {
            let (json, after) = bracketed(inside)?;
            key = self::key(&json);
            rest = after;
        }
        steps.push(ModuleStep { name, key });
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    Some(steps)
}

/// The JSON value before a closing bracket, and what follows that.
fn bracketed(text: &str) -> Option<(Json, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    let value = values.next()?.ok()?;
    let after = text.get(values.byte_offset()..)?.strip_prefix(']')?;
    Some((value, after))
}

fn instance((address, attributes): (Address, Object)) -> (Address, ResourceInstance) {
    let instance = ResourceInstance {
        address: address.clone(),
        attributes,
        // A plan does not say where anything was written.
        declared_at: Span {
            file: "".into(),
            start: 0,
            end: 0,
        },
        argument_spans: BTreeMap::new(),
    };
    (address, instance)
}

fn variables(json: &Json) -> BTreeMap<String, Value> {
    let all = json.get("variables").and_then(Json::as_object).into_iter().flatten();
    all.filter_map(|(name, variable)| Some((name.clone(), Value::from_json(variable.get("value")?))))
        .collect()
}

/// The members of a JSON object, or none.
fn members(json: Option<&Json>) -> impl Iterator<Item = (&String, &Json)> {
    json.and_then(Json::as_object).map(Map::iter).into_iter().flatten()
}

#[cfg(test)]
mod tests;
