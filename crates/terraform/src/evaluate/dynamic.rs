//! Nested blocks as they are written and as `dynamic` blocks produce them:
//! <https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks>.

use hcl_edit::expr::Expression as Syntax;

use super::scope::{Bound, Poisoned, Scope};
use crate::module::{Argument, Block, Body};
use crate::parse::shape::{unsupported_argument, unsupported_block};
use crate::{Diagnostic, Object, Value};

/// One nested block to evaluate: in this scope, with this inside, under this label.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Scope<'_>, &Body, Option<String>);

impl Scope<'_> {
    /// Calls `visit` for each block that a written block stands for. `Err` holds what makes their number unknown, or nothing where it failed.
    pub(super) fn each_block(&self, block: &Block, visit: Visit<'_>) -> Result<(), Option<Value>> {
        if block.kind != "dynamic" {
            visit(*self, &block.body, block.labels.first().map(|label| label.text.clone()));
            return Ok(());
        }
        let parts = self.dynamic_parts(block).map_err(|Poisoned| None)?;
        let collection = self.evaluate(&parts.for_each.value).map_err(|Poisoned| None)?;
        if collection.is_unknown() {
            return Err(Some(collection));
        }
        let for_each = &parts.for_each.value;
        let scope = Scope {
            file: &for_each.file,
            ..*self
        };
        let entries = scope
            .iterate(&collection, &for_each.syntax, "a dynamic block")
            .map_err(|Poisoned| None)?;
        let marked = collection.is_sensitive();
        for (key, value) in entries {
            let value = if marked { value.sensitive() } else { value };
            let item = Object::from([("key".to_owned(), key), ("value".to_owned(), value)]);
            let bound = Bound {
                name: parts.iterator,
                value: Value::Object(item),
                outer: self.bound,
            };
            let scope = self.inside(&bound);
            let label = parts.labels.and_then(|labels| scope.first_label(labels));
            visit(scope, &parts.content.body, label);
        }
        Ok(())
    }

    fn dynamic_parts<'b>(&self, block: &'b Block) -> Result<Dynamic<'b>, Poisoned> {
        self.check_dynamic(block);
        let body = &block.body;
        let missing = |what: &str| {
            let detail = format!("A dynamic block needs {what}.");
            self.shared
                .report(Diagnostic::error("Invalid dynamic block", detail, block.header.clone()))
        };
        let for_each = body
            .argument("for_each")
            .ok_or_else(|| missing("the argument \"for_each\""))?;
        let content = body.blocks.iter().find(|nested| nested.kind == "content");
        Ok(Dynamic {
            for_each,
            content: content.ok_or_else(|| missing("a \"content\" block"))?,
            iterator: self.iterator(block)?,
            labels: body.argument("labels"),
        })
    }

    fn check_dynamic(&self, block: &Block) {
        const ARGUMENTS: [&str; 3] = ["for_each", "iterator", "labels"];
        for argument in block
            .body
            .arguments
            .iter()
            .filter(|argument| !ARGUMENTS.contains(&argument.name.as_str()))
        {
            let diagnostic = unsupported_argument(&argument.name, ARGUMENTS).at(&argument.name_span);
            self.shared
                .report(diagnostic.with_help("What the blocks contain stands in the \"content\" block."));
        }
        for nested in block.body.blocks.iter().filter(|nested| nested.kind != "content") {
            self.shared
                .report(unsupported_block(&nested.kind, ["content"]).at(&nested.header));
        }
    }

    /// The name of the current element: the label's own, unless `iterator` gives another.
    fn iterator<'b>(&self, block: &'b Block) -> Result<&'b str, Poisoned> {
        let Some(argument) = block.body.argument("iterator") else {
            return Ok(produced_kind(block));
        };
        if let Syntax::Variable(name) = &argument.value.syntax {
            return Ok(name.as_str());
        }
        let detail = "The iterator is a name without quotes.";
        Err(self.shared.report(Diagnostic::error(
            "Invalid dynamic block",
            detail,
            argument.value.span(),
        )))
    }

    fn first_label(&self, labels: &Argument) -> Option<String> {
        let value = self.evaluate(&labels.value).ok()?;
        value.as_elements()?.first()?.as_str().map(str::to_owned)
    }
}

/// The type of the blocks that a written block stands for.
pub(super) fn produced_kind(block: &Block) -> &str {
    match block.labels.first() {
        Some(label) if block.kind == "dynamic" => &label.text,
        _ => &block.kind,
    }
}

struct Dynamic<'b> {
    for_each: &'b Argument,
    content: &'b Block,
    iterator: &'b str,
    labels: Option<&'b Argument>,
}
