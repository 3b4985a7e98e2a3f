//! What an expression refers to.

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression as Syntax, Traversal, TraversalOperator};
use hcl_edit::visit::{Visit, visit_expr};

use crate::Mode;
use crate::module::ResourceKey;

/// A named thing inside a module that has to be evaluated first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// `var.name`
    Variable(String),
    /// `local.name`
    Local(String),
    /// `module.call.output`, or the whole of `module.call`.
    Output { call: String, output: Option<String> },
    /// `aws_lb.main`, `data.aws_region.current`
    Resource(ResourceKey),
}

/// One step after a name: `.attribute`, `[index]`, `[*]`.
pub(crate) type Operator = Decorated<TraversalOperator>;

/// Everything an expression refers to. A name bound by `for` looks like a resource type here: who asks looks up what exists.
pub(crate) fn of(syntax: &Syntax) -> Vec<Reference> {
    let mut collector = Collector { found: Vec::new() };
    collector.visit_expr(syntax);
    collector.found
}

/// The attribute's name, where the operator asks for one.
pub(crate) fn attribute_name(operator: &Operator) -> Option<&str> {
    match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

struct Collector {
    found: Vec<Reference>,
}

impl Visit for Collector {
    fn visit_expr(&mut self, syntax: &Syntax) {
        match syntax {
            Syntax::Variable(_) => {}
            _ => visit_expr(self, syntax),
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        match &traversal.expr {
            Syntax::Variable(name) => self.found.extend(reference(name.as_str(), &traversal.operators)),
            base => self.visit_expr(base),
        }
        for operator in &traversal.operators {
            self.visit_traversal_operator(operator.value());
        }
    }
}

fn reference(root: &str, operators: &[Operator]) -> Option<Reference> {
    let name = |position: usize| operators.get(position).and_then(attribute_name).map(str::to_owned);
    match root {
        "var" => Some(Reference::Variable(name(0)?)),
        "local" => Some(Reference::Local(name(0)?)),
        "module" => Some(Reference::Output {
            call: name(0)?,
            output: first_attribute(&operators[1..]),
        }),
        "data" => Some(Reference::Resource(ResourceKey {
            mode: Mode::Data,
            kind: name(0)?,
            name: name(1)?,
        })),
        "path" | "terraform" | "each" | "count" | "self" => None,
        kind => Some(Reference::Resource(ResourceKey {
            mode: Mode::Managed,
            kind: kind.to_owned(),
            name: name(0)?,
        })),
    }
}

/// The attribute that is asked of a thing or of its instances: `.arn`, `[0].arn`, `[*].arn`.
fn first_attribute(operators: &[Operator]) -> Option<String> {
    let after_key = match operators.first()?.value() {
        TraversalOperator::GetAttr(_) => operators,
        _ => &operators[1..],
    };
    after_key.first().and_then(attribute_name).map(str::to_owned)
}
