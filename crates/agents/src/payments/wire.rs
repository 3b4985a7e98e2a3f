//! What buyer and seller write to each other: x402, version 2, scheme `exact`, on chains of the EVM.
//!
//! <https://github.com/coinbase/x402/blob/main/specs/x402-specification-v2.md>. Each is JSON in base64 in a header of HTTP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::chain::primitives::{exactly, to_hex};
use crate::chain::token::Token;
use crate::chain::{Address, Amount, Authorization, Hash, Signature};

/// The version that is spoken.
pub(crate) const VERSION: u8 = 2;
/// The only scheme: so much and no more.
pub(crate) const EXACT: &str = "exact";

/// With a 402: what is asked.
pub(crate) const PAYMENT_REQUIRED: &str = "payment-required";
/// With a request: what is paid.
pub(crate) const PAYMENT_SIGNATURE: &str = "payment-signature";
/// With an answer: what became of it.
pub(crate) const PAYMENT_RESPONSE: &str = "payment-response";

/// A header is not longer than that.
const HEADER_BYTES: usize = 16 * 1024;

/// What a seller asks before he answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRequired {
    pub(crate) x402_version: u8,
    /// Why what was sent along, if anything was, does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Required, and left out by some all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<Resource>,
    /// One of these is to be paid.
    pub(crate) accepts: Vec<Offer>,
    /// What else the seller can do: the buyer gives it back as it is.
    #[serde(default, skip_serializing_if = "Extensions::is_empty")]
    pub(crate) extensions: Extensions,
}

/// By the name of each extension, whatever it says.
pub(crate) type Extensions = Map<String, Value>;

/// What is for sale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
}

/// One way to pay, for every scheme and every network there is: ours is [`Requirement`].
pub(crate) type Offer = Value;

/// One way to pay, as we understand it: so much of a token, to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Requirement {
    pub(crate) scheme: String,
    pub(crate) network: String,
    pub(crate) amount: Amount,
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    /// So long the authorization is to hold.
    pub(crate) max_timeout_seconds: u64,
    pub(crate) extra: Extra,
}

/// The token's domain, as the seller has read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extra {
    pub(crate) name: String,
    pub(crate) version: String,
    /// How the token moves: `eip3009`, also where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asset_transfer_method: Option<String>,
}

/// What a buyer sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentPayload {
    pub(crate) x402_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<Resource>,
    /// The offer that was chosen, as it was made.
    pub(crate) accepted: Offer,
    pub(crate) payload: SignedAuthorization,
    #[serde(default, skip_serializing_if = "Extensions::is_empty")]
    pub(crate) extensions: Extensions,
}

/// Leave to take the money, signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedAuthorization {
    pub(crate) signature: Signature,
    pub(crate) authorization: Authorization,
}

/// What became of a payment. Of one that failed others leave out what is required, or leave it empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettlementResponse {
    pub(crate) success: bool,
    #[serde(default, alias = "error_reason", skip_serializing_if = "Option::is_none")]
    pub(crate) error_reason: Option<String>,
    #[serde(default, deserialize_with = "payer", skip_serializing_if = "Option::is_none")]
    pub(crate) payer: Option<Address>,
    /// The transaction's hash; empty where there is none.
    #[serde(default)]
    pub(crate) transaction: String,
    #[serde(default)]
    pub(crate) network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Amount>,
}

impl Requirement {
    /// So much of a token, to somebody.
    pub(crate) fn new(token: &Token, amount: Amount, pay_to: Address, max_timeout_seconds: u64) -> Requirement {
        Requirement {
            scheme: EXACT.to_owned(),
            network: network(token.domain.chain_id),
            amount,
            asset: token.address(),
            pay_to,
            max_timeout_seconds,
            extra: Extra {
                name: token.domain.name.clone(),
                version: token.domain.version.clone(),
                asset_transfer_method: None,
            },
        }
    }

    /// As it is sent.
    pub(crate) fn offer(&self) -> Offer {
        serde_json::to_value(self).expect("texts and numbers are JSON")
    }
}

impl SettlementResponse {
    /// It is paid.
    pub(crate) fn settled(transaction: Hash, payer: Address, network: String, amount: Amount) -> SettlementResponse {
        SettlementResponse {
            success: true,
            error_reason: None,
            payer: Some(payer),
            transaction: transaction.to_string(),
            network,
            amount: Some(amount),
        }
    }

    /// It is not.
    pub(crate) fn failed(reason: &str, payer: Option<Address>, network: String) -> SettlementResponse {
        SettlementResponse {
            success: false,
            error_reason: Some(reason.to_owned()),
            payer,
            transaction: String::new(),
            network,
            amount: None,
        }
    }
}

/// A chain's name in CAIP-2: <https://chainagnostic.org/CAIPs/caip-2>.
pub(crate) fn network(chain_id: u64) -> String {
    format!("eip155:{chain_id}")
}

/// As it stands in a header.
pub(crate) fn to_header(message: &impl Serialize) -> String {
    STANDARD.encode(serde_json::to_vec(message).expect("what is sent is JSON"))
}

/// What stands in a header, or why it says nothing.
pub(crate) fn from_header<T: DeserializeOwned>(header: &[u8]) -> Result<T, String> {
    if header.len() > HEADER_BYTES {
        return Err(format!("has more than {HEADER_BYTES} bytes"));
    }
    let json = STANDARD
        .decode(header)
        .map_err(|error| format!("is not base64: {error}"))?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

fn payer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
    let payer = Option::<String>::deserialize(deserializer)?.filter(|payer| !payer.is_empty());
    let payer = payer.map(|payer| payer.parse().map_err(serde::de::Error::custom));
    payer.transpose()
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
        let text = String::deserialize(deserializer)?;
        exactly(&text).map(Signature).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fuzz::fuzz;

    /// The shapes of the specification's examples.
    #[test]
    fn a_payment_is_read_and_written_as_specified() {
        let payment = json!({
            "x402Version": 2,
            "resource": { "url": "https://api.example.com/premium-data", "mimeType": "application/json" },
            "accepted": { "scheme": "exact", "network": "eip155:84532", "amount": "10000" },
            "payload": {
                "signature": format!("0x{}1c", "2d".repeat(64)),
                "authorization": {
                    "from": "0x857b06519E91e3A54538791bDbb0E22373e36b66",
                    "to": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
                    "value": "10000",
                    "validAfter": "1740672089",
                    "validBefore": "1740672154",
                    "nonce": "0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480",
                },
            },
        });
        let read: PaymentPayload = from_header(STANDARD.encode(payment.to_string()).as_bytes()).unwrap();
        assert_eq!(read.payload.authorization.value, Amount(10_000));
        assert_eq!(read.payload.authorization.valid_before, 1_740_672_154);
        assert_eq!(serde_json::to_value(&read).unwrap(), payment);
    }

    /// As x402-rs writes it.
    #[test]
    fn a_settlement_that_failed_is_read_however_little_it_says() {
        let check = |settlement: Value, reason: Option<&str>| {
            let read: SettlementResponse = serde_json::from_value(settlement).unwrap();
            assert_eq!(
                (read.success, read.error_reason.as_deref(), read.payer),
                (false, reason, None)
            );
        };
        let reason = "insufficient_funds";
        check(
            json!({ "success": false, "errorReason": reason, "network": "", "transaction": "", "payer": "" }),
            Some(reason),
        );
        check(
            json!({ "success": false, "error_reason": reason, "network": "eip155:1" }),
            Some(reason),
        );
        check(json!({ "success": false, "payer": null }), None);
    }

    #[test]
    fn numbers_are_text_and_text_is_a_number() {
        let check = |value: Value| {
            let authorization = json!({
                "from": "0x857b06519E91e3A54538791bDbb0E22373e36b66",
                "to": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
                "value": value, "validAfter": "0", "validBefore": "1",
                "nonce": format!("0x{}", "00".repeat(32)),
            });
            assert!(serde_json::from_value::<Authorization>(authorization).is_err());
        };
        check(json!(1));
        check(json!("1.5"));
        check(json!("-1"));
        check(json!("0x10"));
    }

    proptest! {
        #[test]
        fn no_header_panics(header in proptest::collection::vec(any::<u8>(), 0..300), json in ".*") {
            let _ = from_header::<PaymentPayload>(&header);
            let _ = from_header::<PaymentPayload>(STANDARD.encode(json).as_bytes());
        }
    }

    #[test]
    fn no_payment_breaks_it_and_what_is_read_can_be_written() {
        let payment = r#"{"x402Version":2,"accepted":{"scheme":"exact","network":"eip155:84532","amount":"10000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"extra":{"name":"USDC","version":"2"}},"payload":{"signature":"0x2d6a7588d6acca505cbf0d9a4a227e0c52c6c34008c8e8986a1283259764173608a2ce6496642e377d6da8dbbf5836e9bd15092f9ecab05ded3d6293af148b571c","authorization":{"from":"0x857b06519E91e3A54538791bDbb0E22373e36b66","to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","value":"10000","validAfter":"1740672089","validBefore":"1740672154","nonce":"0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480"}}}"#;
        assert!(serde_json::from_str::<PaymentPayload>(payment).is_ok());
        fuzz(&[payment], |bytes| {
            let _ = from_header::<PaymentPayload>(bytes);
            let _ = from_header::<PaymentRequired>(STANDARD.encode(bytes).as_bytes());
            if let Ok(read) = from_header::<PaymentPayload>(STANDARD.encode(bytes).as_bytes()) {
                let written = to_header(&read);
                let again: PaymentPayload = from_header(written.as_bytes()).unwrap();
                assert_eq!(to_header(&again), written);
            }
        });
    }
}
