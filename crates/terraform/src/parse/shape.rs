//! What may stand inside each block of the language itself.

use crate::module::{Block, Body};
use crate::{Diagnostic, Diagnostics, suggest};

/// The arguments and nested blocks a block may have.
pub(super) struct Shape {
    pub(super) arguments: &'static [&'static str],
    pub(super) blocks: &'static [&'static str],
}

pub(super) const VARIABLE: Shape = Shape {
    arguments: &["default", "description", "ephemeral", "nullable", "sensitive", "type"],
    blocks: &["validation"],
};
pub(super) const OUTPUT: Shape = Shape {
    arguments: &["depends_on", "description", "ephemeral", "sensitive", "value"],
    blocks: &["precondition"],
};
pub(super) const RULE: Shape = Shape {
    arguments: &["condition", "error_message"],
    blocks: &[],
};
pub(super) const LIFECYCLE: Shape = Shape {
    arguments: &[
        "create_before_destroy",
        "ignore_changes",
        "prevent_destroy",
        "replace_triggered_by",
    ],
    blocks: &["postcondition", "precondition"],
};
pub(super) const TERRAFORM: Shape = Shape {
    arguments: &["experiments", "language", "required_version"],
    blocks: &["backend", "cloud", "provider_meta", "required_providers"],
};

/// Reports arguments and blocks that do not belong in a block, with the nearest name that does.
pub(super) fn check(body: &Body, shape: &Shape, diagnostics: &mut Diagnostics) {
    for argument in body
        .arguments
        .iter()
        .filter(|argument| !shape.arguments.contains(&argument.name.as_str()))
    {
        diagnostics.push(unsupported_argument(&argument.name, shape.arguments.iter().copied()).at(&argument.name_span));
    }
    for block in body
        .blocks
        .iter()
        .filter(|block| !shape.blocks.contains(&block.kind.as_str()))
    {
        diagnostics.push(unsupported_block(&block.kind, shape.blocks.iter().copied()).at(&block.header));
    }
}

/// An argument that does not belong where it stands.
pub(crate) fn unsupported_argument<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let detail = format!("An argument named \"{name}\" is not expected here.");
    Diagnostic::error("Unsupported argument", detail, None).with_suggestion(suggest::question(name, known))
}

/// A block that does not belong where it stands.
pub(crate) fn unsupported_block<'a>(kind: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let detail = format!("Blocks of type \"{kind}\" are not expected here.");
    Diagnostic::error("Unsupported block type", detail, None).with_suggestion(suggest::question(kind, known))
}

/// The texts of a block's labels, if it has as many as `names` says; else a diagnostic.
pub(super) fn labels<const N: usize>(
    block: &Block,
    names: [&str; N],
    diagnostics: &mut Diagnostics,
) -> Option<[String; N]> {
    if let Some(extra) = block.labels.get(N) {
        let detail = match N {
            0 => format!("No labels are expected for {} blocks.", block.kind),
            1 => format!("Only 1 label ({}) is expected for {} blocks.", names[0], block.kind),
            _ => format!(
                "Only {N} labels ({}) are expected for {} blocks.",
                names.join(", "),
                block.kind
            ),
        };
        diagnostics.push(Diagnostic::error("Extraneous label", detail, extra.span.clone()));
        return None;
    }
    if let Some(missing) = names.get(block.labels.len()) {
        let plural = if N == 1 { "" } else { "s" };
        let detail = format!(
            "All {} blocks must have {N} label{plural} ({}).",
            block.kind,
            names.join(", ")
        );
        let diagnostic = Diagnostic::error("Missing block label", detail, block.header.clone());
        diagnostics.push(diagnostic.with_help(format!("Write the {missing} in quotes after `{}`.", block.kind)));
        return None;
    }
    let mut texts = block.labels.iter().map(|label| label.text.clone());
    Some(std::array::from_fn(|_| texts.next().expect("counted above")))
}
