//! From a `statement` block to a statement.

use std::collections::BTreeSet;

use karma_terraform::{Object, Value};

use super::document::{Conditions, OneOrMany, Principals, Statement};
use super::{objects, text, texts};
use crate::provider::crc32::crc32;

const SETS_OF_TEXTS: [&str; 4] = ["actions", "not_actions", "not_resources", "resources"];
const SETS_OF_BLOCKS: [&str; 3] = ["condition", "not_principals", "principals"];

/// The first sid that two of them share.
pub(super) fn duplicate_sid<'a>(statements: impl Iterator<Item = &'a Statement>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    statements
        .map(|statement| statement.sid.as_str())
        .find(|sid| !sid.is_empty() && !seen.insert(*sid))
}

/// A `statement` block in a document of this version of the policy language.
pub(super) fn from_block(block: &Object, version: &str) -> Result<Statement, String> {
    let list = |name| one_or_many(texts(block.get(name)).map(str::to_owned).collect());
    let list_with_variables = |name| Ok::<_, String>(one_or_many(with_variables(texts(block.get(name)), version)?));
    Ok(Statement {
        sid: text(block, "sid").unwrap_or_default().to_owned(),
        effect: text(block, "effect").unwrap_or("Allow").to_owned(),
        actions: list("actions"),
        not_actions: list("not_actions"),
        resources: list_with_variables("resources")?,
        not_resources: list_with_variables("not_resources")?,
        principals: principals(block.get("principals"), version)?,
        not_principals: principals(block.get("not_principals"), version)?,
        conditions: conditions(block.get("condition"), version)?,
    })
}

/// The blocks as the provider gives them back: what was left out is empty instead of null, the effect is filled in.
pub(super) fn as_read(statements: Option<&Value>) -> Value {
    let read: Vec<Value> = objects(statements)
        .map(|block| Value::Object(block_as_read(block)))
        .collect();
    if read.is_empty() {
        Value::Null
    } else {
        Value::List(read)
    }
}

fn block_as_read(block: &Object) -> Object {
    let mut read = block.clone();
    let mut fill = |name: &str, value: Value| {
        if read.get(name).is_none_or(Value::is_null) {
            read.insert(name.to_owned(), value);
        }
    };
    fill("sid", Value::String(String::new()));
    fill("effect", Value::String("Allow".into()));
    SETS_OF_TEXTS
        .iter()
        .chain(&SETS_OF_BLOCKS)
        .for_each(|name| fill(name, Value::Set(Vec::new())));
    read
}

fn principals(blocks: Option<&Value>, version: &str) -> Result<Principals, String> {
    let mut principals = Principals::default();
    for block in in_set_order(blocks, principal_key) {
        let identifiers = with_variables(texts(block.get("identifiers")), version)?;
        if let (Some(kind), Some(identifiers)) = (text(block, "type"), one_or_many(identifiers)) {
            principals.add(kind, identifiers);
        }
    }
    Ok(principals)
}

fn conditions(blocks: Option<&Value>, version: &str) -> Result<Conditions, String> {
    let mut conditions = Conditions::default();
    for block in in_set_order(blocks, condition_key) {
        let values = with_variables(texts(block.get("values")), version)?;
        if let (Some(test), Some(variable)) = (text(block, "test"), text(block, "variable")) {
            conditions.add(test, variable, values);
        }
    }
    Ok(conditions)
}

/// One text stands alone; several are sorted, the last in the alphabet first.
fn one_or_many(mut texts: Vec<String>) -> Option<OneOrMany> {
    match texts.len() {
        0 => None,
        1 => texts.pop().map(OneOrMany::One),
        _ => {
            texts.sort_unstable_by(|a, b| b.cmp(a));
            Some(OneOrMany::Many(texts))
        }
    }
}

/// `&{aws:username}` is how a policy variable is written where `${` would be Terraform's. The first version of the language has none.
fn with_variables<'a>(texts: impl Iterator<Item = &'a str>, version: &str) -> Result<Vec<String>, String> {
    let readable = |text: &str| {
        if version == "2008-10-17" && text.contains("&{") {
            return Err(format!(
                "{text:?} has a policy variable (&{{), which version 2008-10-17 does not know."
            ));
        }
        Ok(text.replace("&{", "${"))
    };
    texts.map(readable).collect()
}

/// The provider walks a set in the order of its elements' checksums, compared as text. It shows where two blocks concern the same thing.
fn in_set_order(blocks: Option<&Value>, key: fn(&Object) -> String) -> Vec<&Object> {
    let mut ordered: Vec<&Object> = objects(blocks).collect();
    ordered.sort_by_cached_key(|block| crc32(&key(block)).to_string());
    ordered
}

fn principal_key(block: &Object) -> String {
    let mut identifiers: Vec<String> = texts(block.get("identifiers")).map(|text| format!("{text};")).collect();
    identifiers.sort_by_cached_key(|text| crc32(text).to_string());
    format!(
        "identifiers:{{{}}};type:{};",
        identifiers.concat(),
        text(block, "type").unwrap_or_default()
    )
}

fn condition_key(block: &Object) -> String {
    let values: Vec<String> = texts(block.get("values")).map(|text| format!("{text};")).collect();
    let [test, variable] = ["test", "variable"].map(|name| text(block, name).unwrap_or_default());
    format!("test:{test};values:({});variable:{variable};", values.concat())
}
