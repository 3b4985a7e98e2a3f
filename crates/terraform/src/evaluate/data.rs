//! What a data source answers: what the user told, else what can be computed, else nothing yet.

use super::walk::Walk;
use crate::module::Resource;
use crate::provider::Context;
use crate::references::{self, Reference};
use crate::schema::Block as Schema;
use crate::types::{Type, convert};
use crate::{Address, Diagnostic, Mode, Object, Unknown, Value};

impl Walk<'_> {
    /// Fills in the answer; what it does not say stays unknown.
    pub(super) fn answer(
        &self,
        context: Context<'_>,
        resource: &Resource,
        schema: Option<&Schema>,
        attributes: &mut Object,
    ) {
        let told = self.inputs.data.get(&context.address.to_string());
        let answer = match told {
            Some(told) => Some(told.clone()),
            None => self.computed(context, resource, attributes),
        };
        for (name, value) in answer.into_iter().flatten() {
            let ty = schema.and_then(|schema| schema.attributes.get(&name));
            let ty = ty
                .and_then(|attribute| Type::from_json(&attribute.ty).ok())
                .unwrap_or(Type::Any);
            match convert(value, &ty) {
                Ok(value) => drop(attributes.insert(name, value)),
                Err(message) => {
                    let detail = format!(
                        "The answer for {} is not suitable in \"{name}\": {message}.",
                        context.address
                    );
                    self.shared.report(Diagnostic::error(
                        "Invalid data source answer",
                        detail,
                        resource.declared_at.clone(),
                    ));
                }
            }
        }
    }

    /// Terraform reads a data source while planning only if all its arguments are known and it waits for no resource.
    fn computed(&self, context: Context<'_>, resource: &Resource, attributes: &Object) -> Option<Object> {
        let deferred = waits_for_resources(resource)
            || attributes
                .values()
                .any(|value| comes_from_elsewhere(value, context.address));
        let source = self
            .provider
            .data_sources
            .get(context.address.kind.as_str())
            .filter(|_| !deferred)?;
        source(context, attributes).unwrap_or_else(|message| {
            self.shared.report(Diagnostic::error(
                "Invalid data source arguments",
                message,
                resource.declared_at.clone(),
            ));
            None
        })
    }
}

/// Whether `depends_on` names something that exists only after apply.
fn waits_for_resources(resource: &Resource) -> bool {
    let references = resource
        .depends_on
        .iter()
        .flat_map(|expression| references::of(&expression.syntax));
    references.into_iter().any(|reference| match reference {
        Reference::Resource(key) => key.mode == Mode::Managed,
        Reference::Output { .. } => true,
        Reference::Variable(_) | Reference::Local(_) => false,
    })
}

/// Whether a value is unknown for another reason than that this very data source has yet to answer.
fn comes_from_elsewhere(value: &Value, own: &Address) -> bool {
    match value {
        Value::Unknown(unknown) => !matches!(&**unknown, Unknown::Attribute { of, .. } if of == own),
        Value::Sensitive(inner) => comes_from_elsewhere(inner, own),
        Value::List(elements) | Value::Set(elements) => {
            elements.iter().any(|element| comes_from_elsewhere(element, own))
        }
        Value::Object(members) => members.values().any(|member| comes_from_elsewhere(member, own)),
        _ => false,
    }
}
