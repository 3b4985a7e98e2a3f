//! JSON as Go writes it: the provider keeps documents in that form, and Terraform compares them byte by byte.
//! <https://pkg.go.dev/encoding/json#HTMLEscape>

use karma_terraform::Value;
use serde::Serialize;

/// On one line.
pub(super) fn compact(document: &impl Serialize) -> String {
    escape(&serde_json::to_string(document).expect("keys are strings and nothing here fails to serialise"))
}

/// Indented by two spaces.
pub(super) fn indented(document: &impl Serialize) -> String {
    escape(&serde_json::to_string_pretty(document).expect("keys are strings and nothing here fails to serialise"))
}

/// The document with its keys sorted and no white space; `None` where it is not JSON.
pub(super) fn sorted(text: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    // An `Object` of ours is sorted, whatever map `serde_json` was built with.
    Value::from_json(&document).to_json().map(|sorted| compact(&sorted))
}

/// These characters can only stand inside strings.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_keys_and_escapes_what_could_be_markup() {
        let sorted = sorted("{ \"b\": [\"<&>\"], \"a\": {\"d\": 1, \"c\": null} }").unwrap();
        assert_eq!(sorted, r#"{"a":{"c":null,"d":1},"b":["\u003c\u0026\u003e"]}"#);
    }

    #[test]
    fn what_is_not_json_stays_with_the_caller() {
        assert_eq!(sorted("{"), None);
    }
}
