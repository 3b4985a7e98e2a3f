//! Sets of objects that may be written as blocks, such as `ingress` of a security group: what a block leaves out is empty, not null.
//! <https://developer.hashicorp.com/terraform/language/attr-as-blocks>

use karma_terraform::schema::Block;
use karma_terraform::{Object, Unknown, Value};
use serde_json::{Map, Value as Json};

/// Fills in what the objects leave out.
pub(super) fn fill(schema: &Block, attributes: &mut Object) {
    for (name, attribute) in &schema.attributes {
        if let (Some(members), Some(value)) = (members_of_elements(&attribute.ty), attributes.get_mut(name)) {
            fill_set(value, members);
        }
    }
}

/// The members' types, where `ty` is `["set", ["object", {...}]]`.
fn members_of_elements(ty: &Json) -> Option<&Map<String, Json>> {
    (ty.get(0)? == "set" && ty.get(1)?.get(0)? == "object")
        .then(|| ty[1][1].as_object())
        .flatten()
}

fn fill_set(value: &mut Value, members: &Map<String, Json>) {
    if let Value::Set(elements) = value {
        let mut elements = std::mem::take(elements);
        for element in &mut elements {
            if let Value::Object(object) = element {
                members
                    .iter()
                    .for_each(|(name, ty)| fill_member(object.entry(name.clone()).or_insert(Value::Null), ty));
            }
        }
        *value = Value::set(elements);
    }
}

fn fill_member(value: &mut Value, ty: &Json) {
    let kind = ty.as_str().or_else(|| ty[0].as_str());
    match value {
        Value::Null => *value = empty(kind),
        Value::Set(elements) if elements.iter().any(Value::contains_unknown) => {
            let arguments = vec![std::mem::replace(value, Value::Null)];
            *value = Value::Unknown(Box::new(Unknown::Call {
                function: "toset",
                arguments,
            }));
        }
        _ => {}
    }
}

fn empty(kind: Option<&str>) -> Value {
    match kind {
        Some("string") => Value::String(String::new()),
        Some("bool") => Value::Bool(false),
        Some("number") => Value::Number(0.into()),
        Some("set") => Value::Set(Vec::new()),
        Some("list") => Value::List(Vec::new()),
        _ => Value::Null,
    }
}
