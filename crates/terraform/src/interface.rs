//! What a module shows its users: its variables and outputs, as they are declared.

use crate::module::{Expression, OutputBlock, Variable};
use crate::{Module, Span};

/// A `variable` block. <https://developer.hashicorp.com/terraform/language/values/variables>
#[derive(Debug, Clone, Copy)]
pub struct VariableDeclaration<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for, in its author's words.
    pub description: Option<&'a str>,
    /// The type as it is written; `None` where any value will do.
    pub ty: Option<&'a str>,
    /// The default as it is written; `None` where a value has to be given.
    pub default: Option<&'a str>,
    /// Terraform does not show its value.
    pub sensitive: bool,
    /// The line that opens the block.
    pub declared_at: &'a Span,
}

/// An `output` block. <https://developer.hashicorp.com/terraform/language/values/outputs>
#[derive(Debug, Clone, Copy)]
pub struct OutputDeclaration<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for, in its author's words.
    pub description: Option<&'a str>,
    /// Terraform does not show its value.
    pub sensitive: bool,
    /// The line that opens the block.
    pub declared_at: &'a Span,
}

impl Module {
    /// The root module's variables in the order of the text: by file, then from top to bottom.
    pub fn variables(&self) -> Vec<VariableDeclaration<'_>> {
        let all = self.root().map(|root| &root.variables).into_iter().flatten();
        in_order_of_text(all.map(VariableDeclaration::of), |variable| variable.declared_at)
    }

    /// The root module's outputs in the order of the text: by file, then from top to bottom.
    pub fn outputs(&self) -> Vec<OutputDeclaration<'_>> {
        let all = self.root().map(|root| &root.outputs).into_iter().flatten();
        in_order_of_text(all.map(OutputDeclaration::of), |output| output.declared_at)
    }
}

impl<'a> VariableDeclaration<'a> {
    fn of((name, variable): (&'a String, &'a Variable)) -> Self {
        Self {
            name,
            description: variable.description.as_deref(),
            ty: variable.written.ty.as_ref().map(Expression::text),
            default: variable.written.default.as_ref().map(Expression::text),
            sensitive: variable.sensitive,
            declared_at: &variable.declared_at,
        }
    }
}

impl<'a> OutputDeclaration<'a> {
    fn of((name, output): (&'a String, &'a OutputBlock)) -> Self {
        Self {
            name,
            description: output.description.as_deref(),
            sensitive: output.sensitive,
            declared_at: &output.declared_at,
        }
    }
}

fn in_order_of_text<T>(all: impl Iterator<Item = T>, declared_at: impl Fn(&T) -> &Span) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|one, other| {
        let place = |it| {
            let span: &Span = declared_at(it);
            (span.file.as_ref(), span.start)
        };
        place(one).cmp(&place(other))
    });
    all
}
