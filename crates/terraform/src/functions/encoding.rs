//! Text in the shape of other formats: `jsonencode`, `base64encode`, `csvdecode`, ...

mod csv;
pub(super) mod json;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, Call, Failure, Function, Parameter, any, string};
use crate::Value;

const TEXT: &[Parameter] = &[string("str")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base64decode", TEXT, base64_decode),
    Function::new("base64encode", TEXT, |call| {
        Ok(Value::String(STANDARD.encode(call.text(0))))
    }),
    Function::new("csvdecode", TEXT, |call| {
        csv::decode(call.text(0)).map_err(Failure::new)
    }),
    Function::new("jsondecode", TEXT, |call| {
        json::decoded(call.text(0)).map_err(Failure::new)
    }),
    Function::new("jsonencode", &[any("val").or_null()], |call| {
        Ok(Value::String(json::encoded(&call.arguments[0])))
    }),
    Function::new("urlencode", TEXT, |call| Ok(Value::String(url_encoded(call.text(0))))),
];

/// Line ends inside are skipped, as Go does.
fn base64_decode(call: &mut Call<'_>) -> Answer {
    let given = call.text(0);
    let bytes = STANDARD.decode(given.replace(['\r', '\n'], ""));
    let bytes = bytes.map_err(|_| Failure::new(format!("failed to decode base64 data {given:?}")))?;
    let text = String::from_utf8(bytes);
    text.map(Value::String)
        .map_err(|_| Failure::new("the result of decoding the provided string is not valid UTF-8"))
}

/// For a query: space becomes `+`, <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>.
fn url_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            other => write!(encoded, "%{other:02X}").expect("writing to a string cannot fail"),
        }
    }
    encoded
}
