//! The `X-Amzn-Trace-Id` header, by which one can follow a request from service to service.
//!
//! The authority is [request tracing][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::random;

/// The header's name.
pub(crate) const NAME: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Request headers larger than this get a fresh value, in bytes.
const MOST_HEADERS: usize = 7 * 1_024;

/// `1-<seconds since 1970>-<96 bits>`, in hexadecimal digits.
struct Identifier {
    seconds: u64,
    bits: (u64, u64),
}

/// The value for the target, out of what the client sent and the size of all its headers.
pub(crate) fn extend(sent: Option<&HeaderValue>, header_bytes: usize) -> HeaderValue {
    let sent = sent
        .and_then(|value| value.to_str().ok())
        .filter(|_| header_bytes <= MOST_HEADERS);
    let value = with_our_field(sent.unwrap_or_default(), &Identifier::new());
    HeaderValue::try_from(value).expect("hexadecimal digits and what came out of a header fit into a header")
}

/// The value that a target gets.
pub(crate) fn of(headers: &HeaderMap) -> Option<String> {
    headers.get(NAME)?.to_str().ok().map(str::to_owned)
}

/// A trace without `Root` gets one; otherwise we leave our mark as `Self`, in the place of an earlier one.
fn with_our_field(sent: &str, identifier: &Identifier) -> String {
    let mut value = String::with_capacity(48 + sent.len());
    if sent.is_empty() {
        identifier.put(&mut value, "Root");
        return value;
    }
    let fields = || sent.split(';').map(str::trim).filter(|field| !field.is_empty());
    let name = if fields().any(|field| field.starts_with("Root=")) {
        "Self"
    } else {
        "Root"
    };
    identifier.put(&mut value, name);
    for field in fields().filter(|field| !field.starts_with("Self=")) {
        value.push(';');
        value.push_str(field);
    }
    value
}

impl Identifier {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: since.as_secs(),
            bits: (random::next() >> 32, random::next()),
        }
    }

    /// Writes it as a field with this name.
    fn put(&self, out: &mut String, name: &str) {
        out.push_str(name);
        out.push_str("=1-");
        put_hexadecimal(out, self.seconds, 8);
        out.push('-');
        put_hexadecimal(out, self.bits.0, 8);
        put_hexadecimal(out, self.bits.1, 16);
    }
}

/// Writes the lowest digits of a number: each request has some forty of them, and formatting would be dear.
fn put_hexadecimal(out: &mut String, number: u64, digits: u32) {
    let digit = |place: u32| b"0123456789abcdef"[usize::from((number >> (place * 4)).to_le_bytes()[0] & 15)];
    out.extend((0..digits).rev().map(|place| char::from(digit(place))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, expected: &str) {
        let ours = Identifier {
            seconds: 10,
            bits: (11, 12),
        };
        assert_eq!(
            with_our_field(sent, &ours),
            expected.replace("OURS", "1-0000000a-0000000b000000000000000c")
        );
    }

    #[test]
    fn a_trace_starts_with_root() {
        check("", "Root=OURS");
        check("CalledFrom=app", "Root=OURS;CalledFrom=app");
    }

    #[test]
    fn a_trace_goes_on_with_self() {
        check("Root=1-x-y", "Self=OURS;Root=1-x-y");
        check("Root=1-x-y;CalledFrom=app", "Self=OURS;Root=1-x-y;CalledFrom=app");
        check("Self=1-o-p; Root=1-x-y;", "Self=OURS;Root=1-x-y");
    }

    #[test]
    fn an_identifier_has_eight_and_twenty_four_digits() {
        let field = with_our_field("", &Identifier::new());
        let identifier = field.strip_prefix("Root=").unwrap();
        let parts: Vec<&str> = identifier.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [1, 8, 24]);
        assert!(parts.concat().bytes().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn large_headers_start_a_new_trace() {
        let sent = HeaderValue::from_static("Root=1-x-y");
        let value = |header_bytes| extend(Some(&sent), header_bytes).to_str().unwrap().to_owned();
        assert!(value(MOST_HEADERS).ends_with(";Root=1-x-y"));
        assert!(value(MOST_HEADERS + 1).starts_with("Root=1-"));
        assert!(!value(MOST_HEADERS + 1).contains("x-y"));
    }
}
