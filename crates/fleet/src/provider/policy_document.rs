//! `data.aws_iam_policy_document`: an IAM policy written as blocks, rendered to the JSON the provider renders, byte by byte.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/iam_policy_document>

mod document;
mod statement;

use karma_terraform::{Object, Value};

use super::crc32::crc32;
use super::go_json;
use document::Document;

/// The version of the policy language where none is written.
const DEFAULT_VERSION: &str = "2012-10-17";

/// What is written in the block; all else is computed here.
const ARGUMENTS: [&str; 5] = [
    "override_policy_documents",
    "policy_id",
    "source_policy_documents",
    "statement",
    "version",
];

/// Renders the document: source documents first, then the statements written here, then the overriding documents.
pub(super) fn read(arguments: &Object) -> Result<Option<Object>, String> {
    if ARGUMENTS
        .iter()
        .filter_map(|name| arguments.get(*name))
        .any(Value::contains_unknown)
    {
        return Ok(None);
    }
    let mut merged = Document::default();
    merge_sources(&mut merged, arguments)?;
    merged.merge(written_here(arguments)?);
    for document in documents(arguments, "override_policy_documents")? {
        merged.merge(document);
    }
    Ok(Some(answer(arguments, &merged)))
}

/// Source documents must not say the same thing twice.
fn merge_sources(merged: &mut Document, arguments: &Object) -> Result<(), String> {
    let sources = documents(arguments, "source_policy_documents")?;
    if let Some(sid) = statement::duplicate_sid(sources.iter().flat_map(|source| &source.statements)) {
        return Err(format!(
            "Two statements of source_policy_documents have the sid {sid:?}; make them differ."
        ));
    }
    for source in sources {
        merged.merge(source);
    }
    Ok(())
}

fn documents(arguments: &Object, name: &str) -> Result<Vec<Document>, String> {
    texts(arguments.get(name))
        .enumerate()
        .map(|(index, text)| {
            Document::parse(text).map_err(|reason| format!("{name}[{index}] is not a policy: {reason}."))
        })
        .collect()
}

fn written_here(arguments: &Object) -> Result<Document, String> {
    let version = text(arguments, "version").unwrap_or(DEFAULT_VERSION);
    let statements = objects(arguments.get("statement"))
        .map(|block| statement::from_block(block, version))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(sid) = statement::duplicate_sid(statements.iter()) {
        return Err(format!("Two statements have the sid {sid:?}; make them differ."));
    }
    Ok(Document {
        version: version.to_owned(),
        id: text(arguments, "policy_id").unwrap_or_default().to_owned(),
        statements,
    })
}

fn answer(arguments: &Object, merged: &Document) -> Object {
    let json = go_json::indented(merged);
    let mut answer = arguments.clone();
    let version = text(arguments, "version").unwrap_or(DEFAULT_VERSION).to_owned();
    answer.insert("version".into(), Value::String(version));
    answer.insert("statement".into(), statement::as_read(arguments.get("statement")));
    answer.insert("minified_json".into(), Value::String(go_json::compact(merged)));
    answer.insert("id".into(), Value::String(crc32(&json).to_string()));
    answer.insert("json".into(), Value::String(json));
    answer
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_elements)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
}

fn objects(blocks: Option<&Value>) -> impl Iterator<Item = &Object> {
    blocks
        .and_then(Value::as_elements)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object)
}

#[cfg(test)]
mod tests;
