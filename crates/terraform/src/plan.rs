//! A stack in the shape of `terraform show -json` of a first plan: <https://developer.hashicorp.com/terraform/internals/json-format>.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::{Address, InstanceKey, Mode, Object, ResourceInstance, Stack, Value};

/// The plan as Terraform would print it.
///
/// Unknown values are left out as Terraform leaves them out: an object lacks the key, a list has null. Sensitive values are shown, with
/// the places marked beside them, since that is what the format asks for: whoever prints it decides who sees it.
pub fn plan_json(stack: &Stack) -> Json {
    let (planned, read): (Vec<_>, Vec<_>) = stack.resources.values().partition(|instance| is_planned(instance));
    json!({
        "format_version": "1.2",
        "planned_values": {
            "outputs": stack.outputs.iter().map(|(name, output)| (name.clone(), output_json(output))).collect::<Map<_, _>>(),
            "root_module": module_json(&planned, &Vec::new()),
        },
        "prior_state": { "values": { "root_module": module_json(&read, &Vec::new()) } },
        "resource_changes": planned.iter().map(|instance| change_json(instance)).collect::<Vec<_>>(),
    })
}

/// Data sources that could be read while planning belong to the state before, not to what is planned.
fn is_planned(instance: &ResourceInstance) -> bool {
    instance.address.mode == Mode::Managed || instance.attributes.values().any(Value::contains_unknown)
}

fn output_json(output: &crate::Output) -> Json {
    let mut json = Map::from_iter([("sensitive".to_owned(), Json::Bool(output.sensitive))]);
    if !output.value.contains_unknown() {
        json.extend(known(&output.value).map(|value| ("value".to_owned(), value)));
    }
    Json::Object(json)
}

/// The resources of a module and, below it, those of the modules it calls.
fn module_json(planned: &[&ResourceInstance], path: &Vec<crate::ModuleStep>) -> Json {
    let own = planned.iter().filter(|instance| instance.address.module == *path);
    let mut children: BTreeMap<_, Vec<&ResourceInstance>> = BTreeMap::new();
    for instance in planned
        .iter()
        .filter(|instance| instance.address.module.len() > path.len())
    {
        children
            .entry(instance.address.module[..=path.len()].to_vec())
            .or_default()
            .push(instance);
    }
    let mut json = Map::new();
    if !path.is_empty() {
        json.insert("address".into(), module_address(path).into());
    }
    let resources: Vec<Json> = own.map(|instance| resource_json(instance)).collect();
    if !resources.is_empty() {
        json.insert("resources".into(), resources.into());
    }
    if !children.is_empty() {
        let children = children.iter().map(|(path, planned)| module_json(planned, path));
        json.insert("child_modules".into(), children.collect());
    }
    Json::Object(json)
}

fn resource_json(instance: &ResourceInstance) -> Json {
    let mut json = head(&instance.address);
    json.insert("values".into(), object_known(&instance.attributes));
    json.insert("sensitive_values".into(), marks_of(&instance.attributes));
    Json::Object(json)
}

fn change_json(instance: &ResourceInstance) -> Json {
    let mut json = head(&instance.address);
    let action = match instance.address.mode {
        Mode::Managed => "create",
        Mode::Data => "read",
    };
    let unknown = instance
        .attributes
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), unknown_places(value)?)));
    let change = json!({
        "actions": [action],
        "before": null,
        "after": object_known(&instance.attributes),
        "after_unknown": unknown.collect::<Map<_, _>>(),
        "before_sensitive": false,
        "after_sensitive": marks_of(&instance.attributes),
    });
    json.insert("change".into(), change);
    Json::Object(json)
}

fn head(address: &Address) -> Map<String, Json> {
    let mode = match address.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    };
    let mut json = Map::new();
    json.insert("address".into(), address.to_string().into());
    if !address.module.is_empty() {
        json.insert("module_address".into(), module_address(&address.module).into());
    }
    json.insert("mode".into(), mode.into());
    json.insert("type".into(), address.kind.clone().into());
    json.insert("name".into(), address.name.clone().into());
    match &address.key {
        Some(InstanceKey::Index(index)) => drop(json.insert("index".into(), (*index).into())),
        Some(InstanceKey::Key(key)) => drop(json.insert("index".into(), key.clone().into())),
        None => {}
    }
    json
}

fn module_address(path: &[crate::ModuleStep]) -> String {
    let step = |step: &crate::ModuleStep| {
        let key = step.key.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("module.{}{key}", step.name)
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

fn object_known(members: &Object) -> Json {
    Json::Object(
        members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), known(value)?)))
            .collect(),
    )
}

/// What is known of a value; nothing of one that is unknown itself.
fn known(value: &Value) -> Option<Json> {
    match value {
        Value::Unknown(_) => None,
        Value::Sensitive(inner) => known(inner),
        Value::List(elements) | Value::Set(elements) => Some(
            elements
                .iter()
                .map(|element| known(element).unwrap_or(Json::Null))
                .collect(),
        ),
        Value::Object(members) => Some(object_known(members)),
        primitive => primitive.to_json(),
    }
}

/// `true` at each place that is unknown: lists keep their length, objects lose what is known. `None` for what is wholly known and has no inside.
fn unknown_places(value: &Value) -> Option<Json> {
    match value {
        Value::Unknown(_) => Some(Json::Bool(true)),
        Value::Sensitive(inner) => unknown_places(inner),
        Value::List(elements) | Value::Set(elements) => Some(
            elements
                .iter()
                .map(|element| unknown_places(element).unwrap_or(Json::Bool(false)))
                .collect(),
        ),
        Value::Object(members) => Some(Json::Object(
            members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), unknown_places(value)?)))
                .collect(),
        )),
        _ => None,
    }
}

/// `true` at each place that is sensitive, in the manner of [`unknown_places`].
fn marks_of(members: &Object) -> Json {
    Json::Object(
        members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), marks(value)?)))
            .collect(),
    )
}

fn marks(value: &Value) -> Option<Json> {
    match value {
        Value::Sensitive(_) => Some(Json::Bool(true)),
        Value::List(elements) | Value::Set(elements) => Some(
            elements
                .iter()
                .map(|element| marks(element).unwrap_or(Json::Bool(false)))
                .collect(),
        ),
        Value::Object(members) => Some(marks_of(members)),
        _ => None,
    }
}
