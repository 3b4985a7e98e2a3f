//! Somebody else who verifies and settles: `POST /verify` and `POST /settle` of x402.

use reqwest::Url;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::verify::Refusal;
use super::wire::{PaymentPayload, Requirement, SettlementResponse, VERSION};
use crate::client::client_for;
use crate::error::chain;

/// The largest answer that is taken, in bytes.
const ANSWER_BYTES: usize = 64 * 1024;

/// A facilitator.
#[derive(Clone, Debug)]
pub(crate) struct Facilitator {
    base: Url,
    client: reqwest::Client,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    x402_version: u8,
    payment_payload: &'a PaymentPayload,
    payment_requirements: &'a Requirement,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    is_valid: bool,
    invalid_reason: Option<String>,
}

impl Facilitator {
    /// The one of `FACILITATOR_URL`.
    pub(crate) fn new(base: Url) -> Result<Facilitator, reqwest::Error> {
        let client = client_for(&base).build()?;
        Ok(Facilitator { base, client })
    }

    /// Whether it would settle this. What it does not say clearly is a no.
    pub(crate) async fn verify(&self, payment: &PaymentPayload, asked: &Requirement) -> Result<(), Refusal> {
        let answer: Verified = self.ask("verify", payment, asked).await.map_err(Refusal::Unchecked)?;
        if answer.is_valid {
            return Ok(());
        }
        let reason = answer
            .invalid_reason
            .unwrap_or_else(|| "unexpected_verify_error".to_owned());
        Err(Refusal::Facilitator(reason))
    }

    /// Has it settle this. Success is what it calls so, with a transaction; nothing is taken for paid that is "pending".
    pub(crate) async fn settle(
        &self,
        payment: &PaymentPayload,
        asked: &Requirement,
    ) -> Result<SettlementResponse, Refusal> {
        let answer: SettlementResponse = self.ask("settle", payment, asked).await.map_err(Refusal::Unsettled)?;
        if !answer.success {
            let reason = answer
                .error_reason
                .unwrap_or_else(|| "unexpected_settle_error".to_owned());
            return Err(Refusal::Facilitator(reason));
        }
        if answer.transaction.is_empty() || answer.network != asked.network {
            let reason = "the facilitator names no transaction on this network";
            return Err(Refusal::Unsettled(reason.to_owned()));
        }
        Ok(answer)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        payment: &PaymentPayload,
        asked: &Requirement,
    ) -> Result<T, String> {
        let question = Question {
            x402_version: VERSION,
            payment_payload: payment,
            payment_requirements: asked,
        };
        let url = format!("{}/{what}", self.base.as_str().trim_end_matches('/'));
        let unreachable = |error: reqwest::Error| chain(&error.without_url());
        let sent = self.client.post(url).json(&question).send().await;
        let mut answer = sent.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES {
                return Err(format!("the facilitator's answer has more than {ANSWER_BYTES} bytes"));
            }
        }
        // A refusal may come with any status; what counts is whether it can be read.
        serde_json::from_slice(&body).map_err(|error| format!("the facilitator's answer cannot be read: {error}"))
    }
}
