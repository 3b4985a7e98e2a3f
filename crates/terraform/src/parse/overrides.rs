//! Merging of overriding files: <https://developer.hashicorp.com/terraform/language/files/override>.

use crate::module::{Block, Body};
use crate::{Diagnostic, Diagnostics};

/// Merges the blocks of overriding files, in order, into those of the ordinary files.
pub(super) fn merge(primary: &mut Vec<Block>, overriding: Vec<Block>, diagnostics: &mut Diagnostics) {
    for block in overriding {
        match block.kind.as_str() {
            "locals" => merge_locals(primary, block, diagnostics),
            "terraform" => merge_settings(primary, block),
            _ => merge_block(primary, block, diagnostics),
        }
    }
}

fn merge_block(primary: &mut [Block], block: Block, diagnostics: &mut Diagnostics) {
    match primary.iter_mut().find(|base| same(base, &block)) {
        Some(base) => merge_body(&mut base.body, block.body),
        None => diagnostics.push(missing_base(&block)),
    }
}

/// Whether both blocks declare the same thing.
fn same(base: &Block, block: &Block) -> bool {
    let labels = |block: &Block| block.labels.iter().map(|label| label.text.clone()).collect::<Vec<_>>();
    base.kind == block.kind && labels(base) == labels(block) && alias(base) == alias(block)
}

/// Providers of one name are told apart by their alias, which has to be written as a literal.
fn alias(block: &Block) -> Option<&str> {
    let alias = block.body.argument("alias").filter(|_| block.kind == "provider")?;
    alias.value.syntax.as_str()
}

/// Arguments replace those of the same name; nested blocks replace all of the same type, but `lifecycle` and `connection` merge argument by argument.
fn merge_body(base: &mut Body, body: Body) {
    for argument in body.arguments {
        base.take(&argument.name);
        base.arguments.push(argument);
    }
    let mut replaced: Vec<String> = Vec::new();
    for block in body.blocks {
        let merged_within = matches!(block.kind.as_str(), "lifecycle" | "connection");
        match base
            .blocks
            .iter_mut()
            .find(|existing| merged_within && existing.kind == block.kind)
        {
            Some(existing) => merge_body(&mut existing.body, block.body),
            None => replace_block(base, block, &mut replaced),
        }
    }
}

/// The first overriding block of a type removes those of the base, `dynamic` ones that produce the type included.
fn replace_block(base: &mut Body, block: Block, replaced: &mut Vec<String>) {
    let produced = produces(&block).to_owned();
    if !replaced.contains(&produced) {
        base.blocks.retain(|existing| produces(existing) != produced);
        replaced.push(produced);
    }
    base.blocks.push(block);
}

/// The type of block that stands in the result: a `dynamic` block's label.
fn produces(block: &Block) -> &str {
    match block.labels.first() {
        Some(label) if block.kind == "dynamic" => &label.text,
        _ => &block.kind,
    }
}

/// Each local value is overridden on its own, wherever it stands.
fn merge_locals(primary: &mut [Block], block: Block, diagnostics: &mut Diagnostics) {
    for argument in block.body.arguments {
        let mut bases = primary.iter_mut().filter(|base| base.kind == "locals");
        let place = bases.find_map(|base| base.body.arguments.iter_mut().find(|local| local.name == argument.name));
        match place {
            Some(place) => *place = argument,
            None => diagnostics.push(Diagnostic::error(
                "Missing base local value definition to override",
                format!("There is no local value named \"{}\". An override file can only override a local value that was already defined in a primary configuration file.", argument.name),
                argument.name_span,
            )),
        }
    }
}

/// Required providers merge name by name; a backend replaces the base's backend or cloud block.
fn merge_settings(primary: &mut Vec<Block>, block: Block) {
    match primary.iter_mut().find(|base| base.kind == "terraform") {
        Some(base) => merge_body(&mut base.body, block.body),
        None => primary.push(block),
    }
}

fn missing_base(block: &Block) -> Diagnostic {
    let labels: Vec<&str> = block.labels.iter().map(|label| label.text.as_str()).collect();
    Diagnostic::error(
        "Missing base block to override",
        format!(
            "There is no {} block {} in the ordinary files. An override file can only override a block that was already defined in a primary configuration file.",
            block.kind,
            labels.join(".")
        ),
        block.header.clone(),
    )
}
