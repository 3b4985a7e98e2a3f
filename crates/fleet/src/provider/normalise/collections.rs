//! How collections of texts and numbers survive the older Terraform Plugin SDK, which keeps state as a flat map of texts.
//! <https://developer.hashicorp.com/terraform/plugin/sdkv2/schemas/schema-types>
//!
//! A set or map with one unknown member is wholly unknown. An empty collection is one that was not written, except inside a set of blocks.
//! A map has no null members.

use karma_terraform::schema::{Attribute, Block, NestedBlock, Nesting};
use karma_terraform::{Address, AttributePath, Object, PathStep, Unknown, Value};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    List,
    Set,
    Map,
}

/// What an empty collection turns into.
#[derive(Debug, Clone, Copy)]
enum Empty {
    Unwritten,
    Kept,
}

/// Where we are in which resource.
#[derive(Clone)]
struct Place<'a> {
    of: &'a Address,
    path: Vec<PathStep>,
    empty: Empty,
}

/// Settles every collection of a resource.
pub(super) fn settle(of: &Address, schema: &Block, attributes: &mut Object) {
    settle_block(
        &Place {
            of,
            path: Vec::new(),
            empty: Empty::Unwritten,
        },
        schema,
        attributes,
    );
}

fn settle_block(place: &Place<'_>, schema: &Block, attributes: &mut Object) {
    for (name, attribute) in &schema.attributes {
        if let (Some(kind), Some(value)) = (collection_of_primitives(attribute), attributes.get_mut(name)) {
            settle_attribute(&place.step(PathStep::Attribute(name.clone())), attribute, kind, value);
        }
    }
    for (name, nested) in &schema.blocks {
        if let Some(blocks) = attributes.get_mut(name) {
            settle_nested(&place.step(PathStep::Attribute(name.clone())), nested, blocks);
        }
    }
}

fn settle_nested(place: &Place<'_>, nested: &NestedBlock, blocks: &mut Value) {
    match blocks {
        Value::Object(block) if nested.nesting == Nesting::Single => settle_block(place, &nested.block, block),
        Value::List(list) => settle_each(place, &nested.block, list),
        Value::Set(elements) => {
            let mut elements = std::mem::take(elements);
            settle_each(
                &Place {
                    empty: Empty::Kept,
                    ..place.clone()
                },
                &nested.block,
                &mut elements,
            );
            *blocks = Value::set(elements);
        }
        Value::Sensitive(inner) => settle_nested(place, nested, inner),
        _ => {}
    }
}

fn settle_each(place: &Place<'_>, schema: &Block, blocks: &mut [Value]) {
    for (index, block) in blocks.iter_mut().enumerate() {
        if let Value::Object(block) = block {
            settle_block(&place.step(PathStep::Index(index)), schema, block);
        }
    }
}

fn settle_attribute(place: &Place<'_>, attribute: &Attribute, kind: Kind, value: &mut Value) {
    match value {
        Value::Sensitive(inner) => return settle_attribute(place, attribute, kind, inner),
        Value::Object(members) if kind == Kind::Map => members.retain(|_, member| !member.is_null()),
        _ => {}
    }
    if is_empty(value) {
        if let Empty::Unwritten = place.empty {
            *value = if attribute.computed {
                place.unknown()
            } else {
                Value::Null
            };
        }
    } else if kind != Kind::List && value.as_unknown().is_none() && value.contains_unknown() {
        let function = if kind == Kind::Set { "toset" } else { "tomap" };
        let arguments = vec![std::mem::replace(value, Value::Null)];
        *value = Value::Unknown(Box::new(Unknown::Call { function, arguments }));
    }
}

fn collection_of_primitives(attribute: &Attribute) -> Option<Kind> {
    let [kind, element] = attribute.ty.as_array()?.as_slice() else {
        return None;
    };
    element.as_str()?;
    match kind.as_str()? {
        "list" => Some(Kind::List),
        "set" => Some(Kind::Set),
        "map" => Some(Kind::Map),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

impl<'a> Place<'a> {
    fn step(&self, step: PathStep) -> Place<'a> {
        let mut path = self.path.clone();
        path.push(step);
        Place { path, ..self.clone() }
    }

    fn unknown(&self) -> Value {
        let path = AttributePath(self.path.clone());
        Value::Unknown(Box::new(Unknown::Attribute {
            of: self.of.clone(),
            path,
        }))
    }
}
