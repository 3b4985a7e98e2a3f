//! The fields of an event with spaces between them. What stands in quotes or brackets is one field.

/// Takes an event apart: `127.0.0.1 - [10/Oct/2000:13:25:15 -0700] "GET /index.html" 200`.
pub(super) fn fields(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim_start();
    while !rest.is_empty() {
        let (field, behind) = next(rest);
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}

/// The first field, and what stands behind it. A quote that is not closed is a part of a word.
fn next(text: &str) -> (&str, &str) {
    let closing = match text.chars().next() {
        Some('"') => Some('"'),
        Some('[') => Some(']'),
        _ => None,
    };
    let group = closing.and_then(|closing| text[1..].split_once(closing));
    group.unwrap_or_else(|| {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        text.split_at(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_one_field() {
        let event = "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
        let expected = [
            "127.0.0.1",
            "Prod",
            "frank",
            "10/Oct/2000:13:25:15 -0700",
            "GET /index.html HTTP/1.0",
            "404",
            "1534",
        ];
        assert_eq!(fields(event), expected);
        assert_eq!(fields(" a  b"), ["a", "b"]);
        assert_eq!(fields("[open \"also"), ["[open", "\"also"]);
        assert!(fields("  ").is_empty());
    }
}
