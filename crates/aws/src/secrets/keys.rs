//! The json keys of a secret's value. ECS reads keys of the first level only.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use crate::password::Password;

/// What a value is, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueShape {
    /// A JSON object with these keys.
    Keys(BTreeSet<String>),
    /// Anything else.
    Text,
}

impl ValueShape {
    /// What this value is.
    pub fn of(value: &str) -> Self {
        match object(value) {
            Some(mut members) => {
                let keys = members.keys().cloned().collect();
                wipe(&mut members);
                Self::Keys(keys)
            }
            None => Self::Text,
        }
    }
}

/// A value with these keys changed. What is not set yet is an empty object; `None` where there is a value without keys.
pub(super) fn merge(before: Option<&str>, changed: &BTreeMap<String, Password>) -> Option<Password> {
    let mut members = match before {
        None | Some("") => Map::new(),
        Some(before) => object(before)?,
    };
    for (key, value) in changed {
        members.insert(key.clone(), Value::String(value.reveal().to_owned()));
    }
    let text = serde_json::to_string(&members).expect("an object of JSON can be written as JSON");
    wipe(&mut members);
    Some(Password::from(text))
}

fn object(value: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(value).ok()
}

fn wipe(members: &mut Map<String, Value>) {
    for value in members.values_mut() {
        if let Value::String(text) = value {
            text.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn changed(pairs: &[(&str, &str)]) -> BTreeMap<String, Password> {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), Password::from((*value).to_owned()));
        pairs.iter().map(pair).collect()
    }

    #[track_caller]
    fn check(before: Option<&str>, pairs: &[(&str, &str)], expected: Option<&str>) {
        let merged = merge(before, &changed(pairs));
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(merged.as_ref().map(|it| json(it.reveal())), expected.map(json));
    }

    #[test]
    fn a_key_is_set_and_the_others_stay() {
        check(None, &[("A", "1")], Some(r#"{"A":"1"}"#));
        check(Some(""), &[("A", "1")], Some(r#"{"A":"1"}"#));
        check(
            Some(r#"{"B":{"c":[2]}}"#),
            &[("A", "1")],
            Some(r#"{"A":"1","B":{"c":[2]}}"#),
        );
        check(
            Some(r#"{"A":"0"}"#),
            &[("A", "\"quoted\"\n")],
            Some(r#"{"A":"\"quoted\"\n"}"#),
        );
    }

    #[test]
    fn what_has_no_keys_is_left_alone() {
        check(Some("hunter2"), &[("A", "1")], None);
        check(Some("[1]"), &[("A", "1")], None);
    }

    #[test]
    fn the_shape_of_a_value_is_its_keys() {
        assert_eq!(ValueShape::of("hunter2"), ValueShape::Text);
        assert_eq!(ValueShape::of("7"), ValueShape::Text);
        let keys = ["A", "B"].map(str::to_owned).into();
        assert_eq!(ValueShape::of(r#"{"B":1,"A":"x"}"#), ValueShape::Keys(keys));
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_key(key in "\\PC{1,20}", value in "(?s).{0,200}") {
            let merged = merge(Some("{}"), &changed(&[(&key, &value)])).unwrap();
            let read: Value = serde_json::from_str(merged.reveal()).unwrap();
            prop_assert_eq!(read[&key].as_str(), Some(value.as_str()));
        }
    }
}
