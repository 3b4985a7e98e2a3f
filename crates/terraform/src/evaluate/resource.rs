//! The instances of a `resource` or `data` block.

use std::collections::BTreeMap;

use super::blocks::Decoder;
use super::expand::Repetition;
use super::scope::{Names, Poisoned, Scope, Surroundings};
use super::walk::{InstanceId, Walk};
use crate::module::{Body, Resource, ResourceKey};
use crate::provider::Context;
use crate::schema::{self, Block as Schema};
use crate::{
    Address, AttributePath, Diagnostic, InstanceKey, Mode, Object, PathStep, ResourceInstance, Span, Unknown, Value,
};

/// What a reference to a block sees, and the block's instances.
type Instances = (Value, Vec<ResourceInstance>);

/// The type that Terraform itself brings along: <https://developer.hashicorp.com/terraform/language/resources/terraform-data>.
const TERRAFORM_DATA: &str = "terraform_data";

impl Walk<'_> {
    pub(super) fn resource(&self, id: InstanceId, key: &ResourceKey) -> Result<Instances, Poisoned> {
        let resource = &self.config(id).resources[key];
        let expansion = self.scope(id, &Repetition::Once).expand(&resource.repetition)?;
        let schema = self.schema(key.mode, &key.kind);
        if schema.is_none() && !self.is_answered(id, key, &expansion.repetitions) {
            self.shared.report(no_schema(key, resource));
        }
        let mut instances = Vec::new();
        for repetition in &expansion.repetitions {
            let address = key.address(&self.instance(id).path, repetition.key());
            instances.push(self.resource_instance(id, resource, schema, address, repetition));
        }
        let values: Vec<(Option<InstanceKey>, Value)> = instances
            .iter()
            .map(|instance| (instance.address.key.clone(), Value::Object(instance.attributes.clone())))
            .collect();
        Ok((expansion.shape.combine(values), instances))
    }

    fn resource_instance(
        &self,
        id: InstanceId,
        resource: &Resource,
        schema: Option<&Schema>,
        address: Address,
        repetition: &Repetition,
    ) -> ResourceInstance {
        let scope = self.scope(id, repetition);
        scope.check_rules(&resource.preconditions, "Resource precondition failed");
        let decoder = Decoder {
            address: &address,
            declared_at: &resource.declared_at,
        };
        let mut attributes = match schema {
            Some(schema) => decoder.block(scope, &resource.body, schema, &AttributePath::default()),
            None => open_resource(scope, resource, &address),
        };
        let context = Context {
            address: &address,
            provider: self.settings(id, resource),
            facts: &self.inputs.facts,
        };
        match address.mode {
            Mode::Data => self.answer(context, resource, schema, &mut attributes),
            Mode::Managed => self.normalise(context, &resource.declared_at, &mut attributes),
        }
        if let Some(schema) = schema {
            mark_sensitive(&mut attributes, schema);
        }
        check_postconditions(scope, resource, &attributes);
        ResourceInstance {
            argument_spans: argument_spans(&resource.body),
            declared_at: resource.declared_at.clone(),
            attributes,
            address,
        }
    }

    /// What is known of a type.
    fn schema(&self, mode: Mode, kind: &str) -> Option<&Schema> {
        let schemas = &self.provider.schemas;
        match mode {
            Mode::Managed if kind == TERRAFORM_DATA => Some(&self.terraform_data),
            Mode::Managed => schemas.resources.get(kind),
            Mode::Data => schemas.data_sources.get(kind),
        }
    }

    /// The provider block that serves a resource; a provider without a block has no settings.
    fn settings(&self, id: InstanceId, resource: &Resource) -> &Object {
        static NONE: Object = BTreeMap::new();
        self.provider_block(id, &resource.provider).unwrap_or(&NONE)
    }

    /// What the provider rewrites while it plans.
    fn normalise(&self, context: Context<'_>, declared_at: &Span, attributes: &mut Object) {
        if context.address.kind == TERRAFORM_DATA {
            // The output mirrors the input after apply; of no input it is known to be null already.
            if attributes.get("input").is_some_and(Value::is_null) {
                attributes.insert("output".to_owned(), Value::Null);
            }
            return;
        }
        let Some(normalise) = self.provider.normalisers.get(context.address.kind.as_str()) else {
            return;
        };
        if let Err(message) = normalise(context, attributes) {
            self.shared.report(Diagnostic::error(
                "Invalid resource configuration",
                message,
                declared_at.clone(),
            ));
        }
    }

    /// Whether the user told the answer of each instance of a data source, so that no schema is needed.
    fn is_answered(&self, id: InstanceId, key: &ResourceKey, repetitions: &[Repetition]) -> bool {
        let path = &self.instance(id).path;
        let answered = |repetition: &Repetition| {
            self.inputs
                .data
                .contains_key(&key.address(path, repetition.key()).to_string())
        };
        key.mode == Mode::Data && repetitions.iter().all(answered)
    }
}

impl Scope<'_> {
    /// A body without a schema: arguments as they are written, and blocks as lists of objects.
    pub(super) fn open_body(&self, body: &Body) -> Object {
        let mut attributes = Object::new();
        for argument in &body.arguments {
            let value = self.evaluate(&argument.value).unwrap_or(Value::Null);
            attributes.insert(argument.name.clone(), value);
        }
        for block in &body.blocks {
            let mut found = Vec::new();
            let outcome = self.each_block(block, &mut |scope, body, _| {
                found.push(Value::Object(scope.open_body(body)));
            });
            let kind = super::dynamic::produced_kind(block).to_owned();
            match (
                attributes.entry(kind).or_insert_with(|| Value::List(Vec::new())),
                outcome,
            ) {
                (place, Err(Some(unknown))) => *place = super::expression::unknown("dynamic", vec![unknown]),
                (Value::List(blocks), _) => blocks.extend(found),
                _ => {}
            }
        }
        attributes
    }

    /// An attribute that is asked of a resource of a type nobody described: it may well exist. Such a resource is known by its `id`.
    pub(super) fn undescribed(&self, members: &Object, name: &str) -> Option<Value> {
        let Names::Module(surroundings) = self.names else {
            return None;
        };
        match members.get("id")?.as_unknown()? {
            Unknown::Attribute { of, path } if *path == attribute_path("id") => {
                let described = surroundings.walk.schema(of.mode, &of.kind).is_some();
                (!described).then(|| unknown_attribute(of, name))
            }
            _ => None,
        }
    }
}

/// A resource of a type nobody described: what is written, and an unknown `id`.
fn open_resource(scope: Scope<'_>, resource: &Resource, address: &Address) -> Object {
    let mut attributes = scope.open_body(&resource.body);
    attributes
        .entry("id".to_owned())
        .or_insert_with(|| unknown_attribute(address, "id"));
    attributes
}

fn unknown_attribute(of: &Address, name: &str) -> Value {
    Value::Unknown(Box::new(Unknown::Attribute {
        of: of.clone(),
        path: attribute_path(name),
    }))
}

fn attribute_path(name: &str) -> AttributePath {
    AttributePath(vec![PathStep::Attribute(name.to_owned())])
}

/// Conditions that may ask about the resource itself, as `self`.
fn check_postconditions(scope: Scope<'_>, resource: &Resource, attributes: &Object) {
    if resource.postconditions.is_empty() {
        return;
    }
    let this = Value::Object(attributes.clone());
    let Names::Module(surroundings) = scope.names else {
        return;
    };
    let names = Names::Module(Surroundings {
        this: Some(&this),
        ..surroundings
    });
    Scope { names, ..scope }.check_rules(&resource.postconditions, "Resource postcondition failed");
}

/// The schema of `terraform_data`.
pub(super) fn terraform_data() -> Schema {
    let attribute = |computed: bool, optional: bool| schema::Attribute {
        ty: "dynamic".into(),
        required: false,
        computed,
        optional,
        sensitive: false,
        default: None,
    };
    let attributes = [
        ("id", attribute(true, false)),
        ("input", attribute(false, true)),
        ("output", attribute(true, false)),
        ("triggers_replace", attribute(false, true)),
    ];
    Schema {
        attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name.to_owned(), attribute))
            .collect(),
        blocks: BTreeMap::new(),
    }
}

fn no_schema(key: &ResourceKey, resource: &Resource) -> Diagnostic {
    let what = match key.mode {
        Mode::Managed => "resource type",
        Mode::Data => "data source",
    };
    let detail = format!(
        "The {what} \"{}\" is not described here, so its arguments are not checked and everything it computes is unknown.",
        key.kind
    );
    Diagnostic::warning("Resource type without a schema", detail, resource.declared_at.clone())
}

/// Marks what the schema says must not be shown.
fn mark_sensitive(attributes: &mut Object, schema: &Schema) {
    for (name, attribute) in schema.attributes.iter().filter(|(_, attribute)| attribute.sensitive) {
        if let Some(value) = attributes.remove(name) {
            let marked = if value.is_null() || attribute.ty.is_null() {
                value
            } else {
                value.sensitive()
            };
            attributes.insert(name.clone(), marked);
        }
    }
    for (name, nested) in &schema.blocks {
        match attributes.get_mut(name) {
            Some(Value::List(blocks) | Value::Set(blocks)) => {
                for block in blocks {
                    mark_inside(block, &nested.block);
                }
            }
            Some(block) => mark_inside(block, &nested.block),
            None => {}
        }
    }
}

fn mark_inside(block: &mut Value, schema: &Schema) {
    if let Value::Object(members) = block {
        mark_sensitive(members, schema);
    }
}

fn argument_spans(body: &Body) -> BTreeMap<String, Span> {
    let arguments = body.arguments.iter().map(|argument| {
        let span = Span {
            end: argument.value.span().end,
            ..argument.name_span.clone()
        };
        (argument.name.clone(), span)
    });
    let blocks = body
        .blocks
        .iter()
        .rev()
        .map(|block| (super::dynamic::produced_kind(block).to_owned(), block.header.clone()));
    arguments.chain(blocks).collect()
}
