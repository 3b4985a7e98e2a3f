//! Digests, and the functions whose result is only known when they run.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Answer, Call, Failure, Function, Parameter, number, string};
use crate::Value;

const TEXT: &[Parameter] = &[string("str")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base64sha256", TEXT, |call| base64_digest::<Sha256>(call.text(0))),
    Function::new("base64sha512", TEXT, |call| base64_digest::<Sha512>(call.text(0))),
    Function::new("bcrypt", TEXT, |call| Ok(call.unknown("bcrypt"))).variadic(number("cost")),
    Function::new("md5", TEXT, |call| hex_digest::<Md5>(call.text(0))),
    Function::new("sha1", TEXT, |call| hex_digest::<Sha1>(call.text(0))),
    Function::new("sha256", TEXT, |call| hex_digest::<Sha256>(call.text(0))),
    Function::new("sha512", TEXT, |call| hex_digest::<Sha512>(call.text(0))),
    Function::new("uuid", &[], |call| Ok(call.unknown("uuid"))),
    Function::new("uuidv5", &[string("namespace"), string("name")], uuid_v5),
];

/// The digest in hexadecimal digits.
pub(super) fn hex_digest<D: Digest>(text: &str) -> Answer {
    Ok(Value::String(hexadecimal(&D::digest(text))))
}

/// The digest in base64.
pub(super) fn base64_digest<D: Digest>(text: &str) -> Answer {
    Ok(Value::String(STANDARD.encode(D::digest(text))))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("writing to a string cannot fail");
        digits
    })
}

/// <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5>
fn uuid_v5(call: &mut Call<'_>) -> Answer {
    let mut hasher = Sha1::new();
    hasher.update(namespace(call.text(0))?.to_be_bytes());
    hasher.update(call.text(1));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x50;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hexadecimal(&bytes);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    Ok(Value::String(parts.join("-")))
}

/// <https://www.rfc-editor.org/rfc/rfc9562#name-namespace-id-usage-and-allo>
fn namespace(name: &str) -> Result<u128, Failure> {
    match name {
        "dns" => Ok(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8),
        "url" => Ok(0x6ba7_b811_9dad_11d1_80b4_00c0_4fd4_30c8),
        "oid" => Ok(0x6ba7_b812_9dad_11d1_80b4_00c0_4fd4_30c8),
        "x500" => Ok(0x6ba7_b814_9dad_11d1_80b4_00c0_4fd4_30c8),
        own => parse_uuid(own).ok_or_else(|| Failure::new(format!("uuidv5() doesn't support namespace {own}"))),
    }
}

fn parse_uuid(text: &str) -> Option<u128> {
    let lengths = text.split('-').map(str::len);
    let digits = text.replace('-', "");
    let well_formed = lengths.eq([8, 4, 4, 4, 12]) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(&digits, 16).ok().filter(|_| well_formed)
}
