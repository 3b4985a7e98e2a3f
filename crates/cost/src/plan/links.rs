//! Which resource another one means, in a state: nothing there is unknown, and a reference is the ARN or the id that AWS has given.

use std::collections::BTreeMap;

use karma_terraform::{Address, AttributePath, Object, PathStep, Unknown, Value};

/// What AWS gives, and others name a resource by.
const NAMES: [&str; 2] = ["arn", "id"];

/// Puts a reference in the place of each text that is another resource's ARN or id.
pub(super) fn restore(resources: &mut BTreeMap<Address, Object>) {
    let given = given(resources);
    for (address, attributes) in resources {
        for value in attributes.values_mut() {
            *value = restored(value, address, &given);
        }
    }
}

/// The resources by what AWS gave them.
fn given(resources: &BTreeMap<Address, Object>) -> BTreeMap<String, (Address, &'static str)> {
    let mut given = BTreeMap::new();
    for (address, attributes) in resources {
        for name in NAMES {
            let text = attributes.get(name).and_then(Value::as_str);
            if let Some(text) = text.filter(|text| is_given(text)) {
                given.entry(text.to_owned()).or_insert_with(|| (address.clone(), name));
            }
        }
    }
    given
}

/// `arn:aws:…`, `subnet-0a1b2c3d4e5f60718`; an id that is a name somebody chose is no reference wherever it stands.
fn is_given(text: &str) -> bool {
    let is_id = |(_, random): (&str, &str)| random.len() >= 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.starts_with("arn:") || text.rsplit_once('-').is_some_and(is_id)
}

fn restored(value: &Value, own: &Address, given: &BTreeMap<String, (Address, &'static str)>) -> Value {
    match value {
        Value::String(text) => match given.get(text) {
            Some((of, name)) if of != own => Value::Unknown(Box::new(Unknown::Attribute {
                of: of.clone(),
                path: AttributePath(vec![PathStep::Attribute((*name).to_owned())]),
            })),
            _ => value.clone(),
        },
        Value::List(elements) => Value::List(elements.iter().map(|element| restored(element, own, given)).collect()),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, member)| (name.clone(), restored(member, own, given)))
                    .collect(),
            )
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::read_plan;

    /// What the attribute `of` of the service is, where the definition has this ARN and id.
    fn check(attribute: &str, value: &str, expected: &str) {
        let state = serde_json::json!({ "values": { "root_module": { "resources": [
            { "address": "aws_ecs_task_definition.a", "mode": "managed", "type": "aws_ecs_task_definition", "name": "a",
              "values": { "arn": "arn:aws:ecs:r:1:task-definition/a:3", "id": "a-task" } },
            { "address": "aws_subnet.a", "mode": "managed", "type": "aws_subnet", "name": "a", "values": { "id": "subnet-0a1b2c3d" } },
            { "address": "aws_ecs_service.a", "mode": "managed", "type": "aws_ecs_service", "name": "a",
              "values": { "id": "arn:aws:ecs:r:1:service/a", attribute: value } },
        ] } } });
        let stack = read_plan(&state.to_string()).unwrap();
        let service = stack
            .resources
            .values()
            .find(|one| one.address.kind == "aws_ecs_service")
            .unwrap();
        let found = match &service.attributes[attribute] {
            karma_terraform::Value::Unknown(unknown) => format!("{unknown:?}"),
            known => known.as_str().unwrap().to_owned(),
        };
        assert!(found.contains(expected), "{attribute} = {value}: {found}");
    }

    #[test]
    fn an_arn_or_an_id_of_another_resource_is_a_reference_to_it() {
        check(
            "task_definition",
            "arn:aws:ecs:r:1:task-definition/a:3",
            "aws_ecs_task_definition",
        );
        check("subnet", "subnet-0a1b2c3d", "aws_subnet");
    }

    #[test]
    fn names_and_what_is_nobodys_stay_texts() {
        check("name", "a-task", "a-task");
        check("arn", "arn:aws:ecs:r:1:service/a", "arn:aws:ecs:r:1:service/a");
        check(
            "cluster",
            "arn:aws:ecs:r:1:cluster/gone",
            "arn:aws:ecs:r:1:cluster/gone",
        );
    }
}
