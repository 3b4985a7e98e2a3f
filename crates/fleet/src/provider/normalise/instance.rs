//! `aws_instance`: a network interface that is brought along decides about its own source and destination check, and of the user data only a
//! checksum is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use karma_terraform::{Object, Value};
use sha1::{Digest as _, Sha1};

use super::documents::rewrite;

pub(super) fn normalise(attributes: &mut Object) {
    let brought_along = attributes.get("network_interface").and_then(Value::as_elements);
    if brought_along.is_some_and(|interfaces| !interfaces.is_empty()) {
        attributes.insert("source_dest_check".into(), Value::Null);
    }
    if let Some(user_data) = attributes.get_mut("user_data") {
        rewrite(user_data, |text| (!text.is_empty()).then(|| checksum(text)));
    }
}

/// The SHA-1 of what the machine will read, in hexadecimal: a text that is base64 reaches it decoded.
fn checksum(user_data: &str) -> String {
    let on_one_line: String = user_data
        .chars()
        .filter(|character| !matches!(character, '\r' | '\n'))
        .collect();
    let read = STANDARD
        .decode(on_one_line)
        .unwrap_or_else(|_| user_data.as_bytes().to_vec());
    format!("{:x}", Sha1::digest(read))
}
