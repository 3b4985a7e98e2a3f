//! JSON as bytes that have a digest: the same value is always the same text.

use serde::Serialize;

/// A value with its keys in order, and nothing between the tokens. The specification's types keep annotations in hash maps, whose order is
/// another each time.
pub(crate) fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut value = serde_json::to_value(value).expect("our documents have text keys and no failing parts");
    value.sort_all_objects();
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn keys_are_in_order_at_every_depth() {
        let inner: HashMap<String, usize> = (0..40).map(|n| (format!("{n:02}"), n)).collect();
        let outer = HashMap::from([("b", inner.clone()), ("a", inner)]);
        let text = String::from_utf8(bytes(&outer)).unwrap();
        assert!(text.starts_with(r#"{"a":{"00":0,"01":1,"02":2,"#), "{text}");
        assert!(text.ends_with(r#","38":38,"39":39}}"#), "{text}");
    }
}
