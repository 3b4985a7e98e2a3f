//! One step of the walk: one thing in one instance of its module.

use super::expand::Repetition;
use super::limits;
use super::scope::{Evaluated, Poisoned};
use super::walk::{InstanceId, Walk};
use crate::graph::Item;
use crate::{Diagnostic, Span, Value};

impl<'m> Walk<'m> {
    /// Evaluates one thing and keeps its value. What is part of a cycle has none.
    pub(super) fn visit(&mut self, id: InstanceId, item: Item<'m>, sound: Result<(), Poisoned>) {
        match item {
            Item::Variable(name) => {
                let place = &self.config(id).variables[name].declared_at;
                let value = sound
                    .and_then(|()| self.variable(id, name))
                    .and_then(|value| self.bounded(value, place));
                self.instances[id].variables.insert(name, value);
            }
            Item::Validation(name) => {
                if let Err(poisoned) = self.validated(id, name) {
                    self.instances[id].variables.insert(name, Err(poisoned));
                }
            }
            Item::Local(name) => {
                let local = &self.config(id).locals[name];
                let value = sound.and_then(|()| self.scope(id, &Repetition::Once).evaluate(&local.value));
                let value = value.and_then(|value| self.bounded(value, &local.name_span));
                self.instances[id].locals.insert(name, value);
            }
            Item::Provider(name) => {
                let body = &self.config(id).providers[name].body;
                let block = self.scope(id, &Repetition::Once).open_body(body);
                self.instances[id].providers.insert(name, block);
            }
            Item::Resource(key) => {
                let place = &self.config(id).resources[key].declared_at;
                let value = sound
                    .and_then(|()| self.resource(id, key))
                    .and_then(|(value, instances)| {
                        let value = self.bounded(value, place)?;
                        self.stack
                            .resources
                            .extend(instances.into_iter().map(|one| (one.address.clone(), one)));
                        Ok(value)
                    });
                self.instances[id].resources.insert(key, value);
            }
            Item::Call(name) => {
                let calls = sound.and_then(|()| self.module_call(id, name));
                self.instances[id].calls.insert(name, calls);
            }
            Item::Output(name) => {
                let place = &self.config(id).outputs[name].declared_at;
                let value = sound
                    .and_then(|()| self.output(id, name))
                    .and_then(|value| self.bounded(value, place));
                self.instances[id].outputs.insert(name, value);
            }
        }
    }

    fn output(&self, id: InstanceId, name: &str) -> Evaluated {
        let output = &self.config(id).outputs[name];
        let scope = self.scope(id, &Repetition::Once);
        scope.check_rules(&output.preconditions, "Module output value precondition failed");
        let value = scope.evaluate(&output.value)?;
        if output.sensitive {
            return Ok(value.sensitive());
        }
        if id == 0 && value.contains_sensitive() {
            let detail = "To reduce the risk of accidentally exporting sensitive data that was intended to be only internal, any root module output containing sensitive data has to be explicitly marked as sensitive.";
            let diagnostic = Diagnostic::error("Output refers to sensitive values", detail, output.declared_at.clone());
            self.shared
                .report(diagnostic.with_help("If you do intend to export this data, add sensitive = true."));
        }
        Ok(value)
    }

    /// A value that is small enough to be referred to.
    fn bounded(&self, value: Value, place: &Span) -> Evaluated {
        if limits::is_within(&value) {
            return Ok(value);
        }
        let detail = "This value has more parts, or is nested deeper, than is evaluated here.";
        Err(self
            .shared
            .report(Diagnostic::error("Value too large", detail, place.clone())))
    }
}
