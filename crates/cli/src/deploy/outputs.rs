//! The stack's outputs: what is told at the end.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::event::Event;
use super::journal::Journal;
use crate::failure::Failure;
use crate::table::{Cell, Table};
use crate::terraform::{Output, Outputs};

/// Tells all of them; of one that is sensitive only that there is one.
pub(super) fn tell(outputs: &Outputs, journal: &Journal) -> Result<(), Failure> {
    let (mut values, mut sensitive) = (BTreeMap::new(), Vec::new());
    let mut table = Table::new(["OUTPUT", "VALUE"]);
    for (name, output) in &outputs.0 {
        match output {
            Output::Shown(value) => {
                values.insert(name.as_str(), value);
                for (name, text) in lines(name, value) {
                    table.row([Cell::from(name), Cell::from(text)]);
                }
            }
            Output::Sensitive => {
                sensitive.push(name.as_str());
                table.row([Cell::from(name), Cell::from("(sensitive)")]);
            }
        }
    }
    journal.event(&Event::Outputs { values, sensitive })?;
    journal.data(&table.render(journal.printer))
}

/// A line for each member of a map, and for each line of a text.
fn lines(name: &str, value: &Json) -> Vec<(String, String)> {
    match value {
        Json::Object(members) => {
            let members = members.iter();
            members
                .flat_map(|(key, member)| lines(&format!("{name}.{key}"), member))
                .collect()
        }
        Json::String(text) => {
            let names = std::iter::once(name).chain(std::iter::repeat(""));
            names
                .zip(text.lines())
                .map(|(name, line)| (name.to_owned(), line.to_owned()))
                .collect()
        }
        other => vec![(name.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &Json, expected: &[(&str, &str)]) {
        let found = lines("o", value);
        let found: Vec<_> = found
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn maps_and_texts_are_told_line_by_line() {
        check(&json!("one"), &[("o", "one")]);
        check(&json!("one\ntwo\n"), &[("o", "one"), ("", "two")]);
        check(
            &json!({ "a": { "b": 1 }, "c": ["x"] }),
            &[("o.a.b", "1"), ("o.c", "[\"x\"]")],
        );
        check(&json!(null), &[("o", "null")]);
    }
}
