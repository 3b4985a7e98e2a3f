//! Variable files.

use std::sync::Arc;

use super::Given;
use crate::module::{Expression, File};
use crate::parse::syntax;
use crate::{Diagnostic, Sources, Span, Value, evaluate};

/// The files Terraform reads on its own, weakest first.
pub(super) fn automatic(sources: &Sources) -> Vec<(Arc<str>, Arc<str>)> {
    let in_root = |path: &str| !path.contains('/');
    let is_auto = |path: &str| path.ends_with(".auto.tfvars") || path.ends_with(".auto.tfvars.json");
    let named = |name: &str| {
        sources
            .shared()
            .filter(|(path, _)| path.as_ref() == name)
            .collect::<Vec<_>>()
    };
    let mut files = named("terraform.tfvars");
    files.extend(named("terraform.tfvars.json"));
    files.extend(sources.shared().filter(|(path, _)| in_root(path) && is_auto(path)));
    files
}

/// The values in one file, by variable.
pub(super) fn read(name: &str, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<(String, Given)> {
    let file = Arc::new(File {
        path: name.into(),
        text: text.into(),
    });
    match name.strip_suffix(".json") {
        Some(_) => json(&file, diagnostics),
        None => native(&file, diagnostics),
    }
}

/// An expression that somebody typed; `origin` says where.
pub(super) fn expression(origin: &str, text: &str) -> Result<Value, Diagnostic> {
    let file = Arc::new(File {
        path: origin.into(),
        text: text.trim().into(),
    });
    match hcl_edit::parser::parse_expr(&file.text) {
        Ok(syntax) => evaluate::constant(&Expression { file, syntax }),
        Err(error) => Err(syntax::syntax_error(&file, &error)),
    }
}

fn native(file: &Arc<File>, diagnostics: &mut Vec<Diagnostic>) -> Vec<(String, Given)> {
    let body = match syntax::parse(file) {
        Ok(body) => body,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return Vec::new();
        }
    };
    for block in &body.blocks {
        let detail = format!(
            "Blocks are not expected here. A variable file sets variables: {} = ...",
            block.kind
        );
        diagnostics.push(Diagnostic::error("Unexpected block", detail, block.header.clone()));
    }
    let mut values = Vec::new();
    for argument in body.arguments {
        let span: Span = argument.value.span();
        match evaluate::constant(&argument.value) {
            Ok(value) => values.push((
                argument.name,
                Given {
                    value,
                    span: Some(span),
                },
            )),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    values
}

fn json(file: &File, diagnostics: &mut Vec<Diagnostic>) -> Vec<(String, Given)> {
    let start = file.span(0..0);
    let parsed: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&file.text);
    match parsed {
        Ok(values) => {
            let given = |json| Given {
                value: Value::from_json(json),
                span: Some(start.clone()),
            };
            values.iter().map(|(name, json)| (name.clone(), given(json))).collect()
        }
        Err(error) => {
            let detail = format!("The variable file \"{}\" is not a JSON object: {error}.", file.path);
            diagnostics.push(Diagnostic::error("Invalid JSON", detail, start));
            Vec::new()
        }
    }
}
