//! Calls of modules: <https://developer.hashicorp.com/terraform/language/modules/syntax>.

use super::expand::Repetition;
use super::scope::{Evaluated, Poisoned};
use super::walk::{Calls, InstanceId, Walk};
use crate::module::{Call, Config};
use crate::{Diagnostic, ModuleStep, Object, Value};

impl<'m> Walk<'m> {
    /// Adds the instances of a called module.
    pub(super) fn module_call(&mut self, id: InstanceId, name: &'m str) -> Result<Calls, Poisoned> {
        let call = &self.config(id).calls[name];
        let module = self.tree.child(self.instances[id].module, name).ok_or(Poisoned)?;
        self.check_arguments(call, self.tree.config(module), name);
        let expansion = self.scope(id, &Repetition::Once).expand(&call.repetition)?;
        let mut instances = Vec::new();
        for repetition in expansion.repetitions {
            let mut path = self.instances[id].path.clone();
            path.push(ModuleStep {
                name: name.to_owned(),
                key: repetition.key(),
            });
            instances.push(self.add_instance(module, Some(id), path, repetition));
        }
        Ok(Calls {
            shape: expansion.shape,
            instances,
        })
    }

    /// A call may set only what the module declares, and has to set what has no default.
    fn check_arguments(&self, call: &Call, called: &Config, name: &str) {
        for argument in call
            .arguments
            .values()
            .filter(|argument| !called.variables.contains_key(&argument.name))
        {
            let known = called.variables.keys().map(String::as_str);
            let diagnostic = crate::parse::shape::unsupported_argument(&argument.name, known);
            if !called.incomplete {
                self.shared.report(diagnostic.at(&argument.name_span));
            }
        }
        for (variable, declared) in &called.variables {
            if declared.default.is_none() && !call.arguments.contains_key(variable) {
                let detail = format!(
                    "The argument \"{variable}\" of module \"{name}\" is required, but no definition was found."
                );
                self.shared.report(Diagnostic::error(
                    "Missing required argument",
                    detail,
                    call.declared_at.clone(),
                ));
            }
        }
    }

    /// The outputs of a called module, in the shape of the call.
    pub(super) fn outputs_of(&self, calls: &Calls) -> Evaluated {
        let mut values = Vec::new();
        for id in &calls.instances {
            let instance = &self.instances[*id];
            if self.config(*id).incomplete {
                return Err(Poisoned);
            }
            let mut outputs = Object::new();
            for (name, value) in &instance.outputs {
                outputs.insert((*name).to_owned(), value.clone()?);
            }
            values.push((instance.repetition.key(), Value::Object(outputs)));
        }
        Ok(calls.shape.combine(values))
    }
}
