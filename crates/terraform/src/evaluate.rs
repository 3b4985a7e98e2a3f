//! The evaluation of a module: one walk in the order of the reference graph, no fixed point.

mod blocks;
mod call;
mod conditional;
mod data;
mod dynamic;
mod expand;
mod expression;
mod for_expr;
mod limits;
mod module_call;
mod names;
mod nodes;
mod operators;
mod resource;
mod rules;
mod scope;
mod template;
mod traversal;
mod variable;
mod walk;

use crate::module::{Expression, Module};
use crate::{Diagnostic, Diagnostics, Inputs, Provider, Sources, Stack, Value};
use scope::{Names, Poisoned, Scope, Shared};

/// Evaluates a module with these inputs.
///
/// What fails is reported once and is unknown for everything that depends on it, so that one mistake makes one diagnostic. The stack holds
/// whatever could be evaluated; with errors among the diagnostics it is not what Terraform would plan, because Terraform would not plan.
pub fn evaluate(module: &Module, inputs: &Inputs, provider: &Provider) -> (Stack, Diagnostics) {
    walk::Walk::new(module, inputs, provider).run()
}

/// The value of an expression that may refer to nothing and call nothing.
pub(crate) fn constant(expression: &Expression) -> Result<Value, Diagnostic> {
    let sources = Sources::default();
    let shared = Shared::new(&sources, "default", None);
    let scope = Scope {
        shared: &shared,
        names: Names::Constant,
        file: &expression.file,
        bound: None,
    };
    let evaluated = scope.evaluate(expression);
    evaluated.map_err(|Poisoned| {
        let first = shared.diagnostics.take().into_iter().next();
        first.expect("a constant fails only with a diagnostic: it depends on nothing that could fail elsewhere")
    })
}
