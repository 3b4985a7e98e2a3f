//! From the parser's tree to our blocks: what is needed of spans and nothing of comments and white space.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::structure::{self, Structure};

use crate::Diagnostic;
use crate::module::{Argument, Block, Body, Expression, File, Label};

/// Parses one file in native syntax.
pub(crate) fn parse(file: &Arc<File>) -> Result<Body, Diagnostic> {
    match hcl_edit::parser::parse_body(&file.text) {
        Ok(body) => Ok(convert_body(file, body)),
        Err(error) => Err(syntax_error(file, &error)),
    }
}

/// The error of the parser as a diagnostic; also for expressions that stand alone.
pub(crate) fn syntax_error(file: &File, error: &hcl_edit::parser::Error) -> Diagnostic {
    let start = error.location().offset().min(file.text.len());
    let end = file.text[start..]
        .chars()
        .next()
        .map_or(start, |next| start + next.len_utf8());
    let message = error.message();
    let diagnostic = Diagnostic::error("Invalid syntax", sentence(message), file.span(start..end));
    match help_for(message, error.line()) {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

fn help_for(message: &str, line: &str) -> Option<&'static str> {
    if message.contains("redefined attribute") {
        return Some("Each argument may be set only once; remove one of the two.");
    }
    if message.contains("block body") && !line.replace(r#"\""#, "").matches('"').count().is_multiple_of(2) {
        return Some("A quoted string ends on the line where it begins; this line has an odd number of quotes.");
    }
    if message.contains("block body") && line.contains('{') {
        return Some("A block on one line holds a single argument; write each further one on a line of its own.");
    }
    if message.contains("block body") {
        return Some("Check that every opening brace has its closing one.");
    }
    if message.contains("heredoc end delimiter") {
        return Some("A heredoc ends with its delimiter alone on a line.");
    }
    if message.contains("nesting depth") || message.contains("chained binary operators") {
        return Some("Give parts of the expression names in a `locals` block.");
    }
    None
}

/// "expected `=`" as "Expected `=`."
fn sentence(message: &str) -> String {
    if message.starts_with("invalid expression;") {
        return "An expression is expected here.".to_owned();
    }
    let mut letters = message.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn convert_body(file: &Arc<File>, body: structure::Body) -> Body {
    let span = file.span(body.span().unwrap_or_default());
    let mut converted = Body {
        span,
        arguments: Vec::new(),
        blocks: Vec::new(),
    };
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => converted.arguments.push(convert_argument(file, attribute)),
            Structure::Block(block) => converted.blocks.push(convert_block(file, block)),
        }
    }
    converted
}

fn convert_argument(file: &Arc<File>, attribute: structure::Attribute) -> Argument {
    Argument {
        name_span: file.span(attribute.key.span().unwrap_or_default()),
        name: attribute.key.to_string(),
        value: Expression {
            file: Arc::clone(file),
            syntax: attribute.value,
        },
    }
}

fn convert_block(file: &Arc<File>, block: structure::Block) -> Block {
    let header = header_of(&block);
    let labels = block.labels.iter().map(|label| Label {
        text: label.as_str().to_owned(),
        span: file.span(label.span().unwrap_or_default()),
    });
    Block {
        kind: block.ident.to_string(),
        labels: labels.collect(),
        header: file.span(header),
        body: convert_body(file, block.body),
    }
}

fn header_of(block: &structure::Block) -> Range<usize> {
    let kind = block.ident.span().unwrap_or_default();
    let end = block
        .labels
        .last()
        .and_then(Span::span)
        .map_or(kind.end, |label| label.end);
    kind.start..end
}
