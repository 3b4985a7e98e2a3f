//! A verdict that can be held against whoever gave it: signed, and written where it was asked for.
//!
//! It is signed as <https://eips.ethereum.org/EIPS/eip-712> has it, so that any wallet can say who signed. Where the validation registry of
//! <https://eips.ethereum.org/EIPS/eip-8004> has a request for the same data that names this validator, it is answered there.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::agents::Start;
use crate::chain::primitives::keccak256;
use crate::chain::typed_data::{Domain, struct_hash};
use crate::chain::{Address, Chain, ChainError, Hash, PrivateKey, Registries, Signature};
use crate::error::chain as words;

const TYPE: &str = "Verdict(bytes32 dataHash,uint8 score,bytes32 explanationHash,uint64 timestamp)";

/// The tag of our answers in the registry.
const TAG: &str = "data-set";

/// Whoever answers for a verdict.
#[derive(Clone, Debug)]
pub(crate) struct Attestor {
    key: PrivateKey,
    registry: Option<(Arc<Chain>, Registries)>,
}

/// A verdict as it was signed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attestation {
    /// EIP-712's `encodeType` of what is signed.
    r#type: &'static str,
    domain: Value,
    message: Message,
    signer: Address,
    signature: Signature,
    /// What the validation registry says of it, where somebody asked there.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<Recorded>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    data_hash: Hash,
    /// From 0 to 100.
    score: u8,
    explanation_hash: Hash,
    /// In seconds since 1970.
    timestamp: u64,
}

/// What became of the answer on the chain.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Recorded {
    Transaction(Hash),
    Failed(String),
}

/// The hash under which a data set is asked for and answered: of its JSON with sorted keys and no blanks.
pub(crate) fn data_hash(data: &Value) -> Hash {
    keccak256(&[canonical(data).as_bytes()])
}

/// As text that does not depend on the order in which keys came: they are sorted, and there are no blanks.
pub(crate) fn canonical(data: &Value) -> String {
    let mut data = data.clone();
    data.sort_all_objects();
    data.to_string()
}

impl Attestor {
    /// The account of `PRIVATE_KEY`; without one, nobody answers for anything.
    pub(crate) fn of(start: &Start<'_>) -> Option<Attestor> {
        let key = start.settings.private_key.clone()?;
        let payments = start.payments.as_ref();
        let registry = payments.and_then(|it| Some((Arc::clone(&it.chain), it.registries?)));
        Some(Attestor { key, registry })
    }

    /// Signs a verdict, from 0 to 1, with what explains it, and answers the request for it if there is one.
    pub(crate) async fn attest(&self, data: &Value, overall: f64, explanation: &Value, now: Timestamp) -> Attestation {
        let message = Message {
            data_hash: data_hash(data),
            score: percent(overall),
            explanation_hash: data_hash(explanation),
            timestamp: u64::try_from(now.as_second()).unwrap_or_default(),
        };
        let domain = self.domain();
        Attestation {
            r#type: TYPE,
            signature: self.key.sign(domain.digest(message.hash())),
            domain: json!({
                "name": domain.name,
                "version": domain.version,
                "chainId": domain.chain_id,
                "verifyingContract": domain.verifying_contract,
            }),
            signer: self.key.address(),
            registry: self.record(&message).await,
            message,
        }
    }

    /// The registry's, where there is one; else of no chain and no contract.
    fn domain(&self) -> Domain {
        let registry = self.registry.as_ref();
        Domain {
            name: "Karmacadabra validator".to_owned(),
            version: "1".to_owned(),
            chain_id: registry.map_or(0, |(chain, _)| chain.id()),
            verifying_contract: registry.map_or(Address([0; 20]), |(_, registries)| registries.validation),
        }
    }

    async fn record(&self, message: &Message) -> Option<Recorded> {
        let (chain, registries) = self.registry.as_ref()?;
        match self.answer(chain, registries, message).await {
            Ok(transaction) => transaction.map(Recorded::Transaction),
            Err(error) => Some(Recorded::Failed(words(&error))),
        }
    }

    /// Nothing where nobody asked this validator.
    async fn answer(
        &self,
        chain: &Chain,
        registries: &Registries,
        message: &Message,
    ) -> Result<Option<Hash>, ChainError> {
        let asked = match registries.validator_of(chain, message.data_hash).await {
            // The registry has no such request.
            Err(ChainError::Reverted { .. }) => return Ok(None),
            asked => asked?,
        };
        if asked != self.key.address() {
            return Ok(None);
        }
        let receipt = registries
            .respond(chain, message.data_hash, message.score, message.explanation_hash, TAG)
            .await?;
        Ok(Some(receipt.transaction))
    }
}

impl Message {
    fn hash(&self) -> Hash {
        struct_hash(
            TYPE,
            &[
                self.data_hash,
                self.score.into(),
                self.explanation_hash,
                self.timestamp.into(),
            ],
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is held between 0 and 100 first"
)]
fn percent(share: f64) -> u8 {
    (share * 100.0).round().clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_verdict_is_signed_by_the_key_and_by_no_other() {
        let key = PrivateKey::parse(&keccak256(&[b"validator"]).to_string()).unwrap();
        let attestor = Attestor {
            key: key.clone(),
            registry: None,
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let of = async |data: Value, overall| attestor.attest(&data, overall, &json!([]), now).await;
        let attestation = of(json!({ "b": 1, "a": 2 }), 0.874).await;
        assert_eq!(attestation.message.score, 87);
        assert_eq!(attestation.message.data_hash, keccak256(&[br#"{"a":2,"b":1}"#]));
        let signer =
            |it: &Attestation, message: &Message| it.signature.signer(attestor.domain().digest(message.hash()));
        assert_eq!(signer(&attestation, &attestation.message), Some(key.address()));
        let other = of(json!({ "b": 1, "a": 2 }), 0.884).await;
        assert_ne!(signer(&attestation, &other.message), Some(key.address()));
    }

    #[test]
    fn shares_are_percents() {
        for (share, expected) in [(0.0, 0), (0.004, 0), (0.005, 1), (1.0, 100), (1.7, 100), (-0.2, 0)] {
            assert_eq!(percent(share), expected, "{share}");
        }
    }
}
