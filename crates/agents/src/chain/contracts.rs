//! Our contracts, as compiled from `contracts/src/`.
//!
//! A test compiles them again and compares; `contracts/README.md` says how.

use serde::Deserialize;

use super::abi::{Argument, encode};
use super::primitives::from_hex;

/// A contract's interface and code, as compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiled {
    /// `contracts/compiled/<name>.json`.
    json: &'static str,
}

macro_rules! compiled {
    ($name:literal) => {
        Compiled {
            json: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../contracts/compiled/",
                $name,
                ".json"
            )),
        }
    };
}

/// The token.
pub(crate) const GLUE_TOKEN: Compiled = compiled!("GlueToken");
/// ERC-8004's registry of identities.
pub(crate) const IDENTITY_REGISTRY: Compiled = compiled!("IdentityRegistry");
/// ERC-8004's registry of feedback.
pub(crate) const REPUTATION_REGISTRY: Compiled = compiled!("ReputationRegistry");
/// ERC-8004's registry of validations.
pub(crate) const VALIDATION_REGISTRY: Compiled = compiled!("ValidationRegistry");

/// All of them.
#[cfg(test)]
pub(crate) const COMPILED: [Compiled; 4] = [GLUE_TOKEN, IDENTITY_REGISTRY, REPUTATION_REGISTRY, VALIDATION_REGISTRY];

#[derive(Deserialize)]
struct File {
    bytecode: String,
}

impl Compiled {
    /// What makes the contract when it is sent to nobody.
    pub(crate) fn creation(&self, arguments: &[Argument<'_>]) -> Vec<u8> {
        let file: File = serde_json::from_str(self.json).expect("solc's answer as it was committed");
        let mut code = from_hex(&file.bytecode).expect("solc writes hexadecimal digits");
        code.extend(encode(arguments));
        code
    }

    /// The signatures of what the interface has of a kind: `function`, `event`, `error`.
    #[cfg(test)]
    pub(crate) fn signatures(&self, kind: &str) -> Vec<String> {
        let file: serde_json::Value = serde_json::from_str(self.json).unwrap();
        let members = file["abi"].as_array().unwrap().iter();
        members.filter(|member| member["type"] == kind).map(signature).collect()
    }
}

#[cfg(test)]
fn signature(member: &serde_json::Value) -> String {
    let types: Vec<String> = member["inputs"].as_array().unwrap().iter().map(type_of).collect();
    format!("{}({})", member["name"].as_str().unwrap(), types.join(","))
}

#[cfg(test)]
fn type_of(input: &serde_json::Value) -> String {
    let kind = input["type"].as_str().unwrap();
    let Some(rest) = kind.strip_prefix("tuple") else {
        return kind.to_owned();
    };
    let members = input["components"].as_array().unwrap().iter();
    let members: Vec<String> = members.map(type_of).collect();
    format!("({}){rest}", members.join(","))
}
