//! Is a payment what was asked for? Decided from the payment, the offer, the token's domain and the time alone.

use thiserror::Error;

use super::wire::{EXACT, PaymentPayload, Requirement, SignedAuthorization, VERSION};
use crate::chain::Address;
use crate::chain::typed_data::Domain;

/// So many seconds an authorization must still hold: to answer and to hand it in takes time.
pub(crate) const MARGIN_SECONDS: u64 = 6;

/// Why a payment does not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("the payment cannot be read: {0}")]
    Unreadable(String),
    #[error("the payment is one of version {0} of x402, not {VERSION}")]
    Version(u8),
    #[error("the payment is not made in the scheme `{EXACT}`")]
    Scheme,
    #[error("the payment is made on another network than {0}")]
    Network(String),
    #[error(
        "what the payment accepts is not what was offered; another price, receiver or token may have been asked before"
    )]
    Requirement,
    #[error("the payment goes to {0}, who is not the seller")]
    Receiver(Address),
    #[error("the payment is of {paid} base units, and exactly {asked} are asked")]
    Value { paid: String, asked: String },
    #[error("the payment does not hold yet: validAfter is not in the past")]
    NotYet,
    #[error("the payment holds no longer, or for less than {MARGIN_SECONDS} seconds: validBefore is too early")]
    Expired,
    #[error(
        "the signature is not that of {0} in the token's domain; another name, version or chain of the token gives another one"
    )]
    Signature(Address),
    #[error("the payer holds less than the payment")]
    Funds,
    #[error("the payment is used: each authorization pays once")]
    Used,
    #[error("the payment could not be checked: {0}")]
    Unchecked(String),
    #[error("the payment could not be handed in: {0}")]
    Unsettled(String),
    /// A facilitator's own word.
    #[error("the facilitator refuses the payment: {0}")]
    Facilitator(String),
}

impl Refusal {
    /// The specification's word for it. It has none for a nonce that is used before anything is handed in; `invalid_transaction_state` is what
    /// handing it in would end with.
    pub(crate) fn code(&self) -> &str {
        match self {
            Refusal::Unreadable(_) => "invalid_payload",
            Refusal::Version(_) => "invalid_x402_version",
            Refusal::Scheme => "invalid_scheme",
            Refusal::Network(_) => "invalid_network",
            Refusal::Requirement => "invalid_payment_requirements",
            Refusal::Receiver(_) => "invalid_exact_evm_payload_recipient_mismatch",
            Refusal::Value { .. } => "invalid_exact_evm_payload_authorization_value_mismatch",
            Refusal::NotYet => "invalid_exact_evm_payload_authorization_valid_after",
            Refusal::Expired => "invalid_exact_evm_payload_authorization_valid_before",
            Refusal::Signature(_) => "invalid_exact_evm_payload_signature",
            Refusal::Funds => "insufficient_funds",
            Refusal::Used => "invalid_transaction_state",
            Refusal::Unchecked(_) => "unexpected_verify_error",
            Refusal::Unsettled(_) => "unexpected_settle_error",
            Refusal::Facilitator(word) => word,
        }
    }
}

/// Checks a payment against what is asked, at a time in seconds since 1970. What only the chain knows is not checked here.
pub(crate) fn verify(payment: &PaymentPayload, asked: &Requirement, domain: &Domain, now: u64) -> Result<(), Refusal> {
    if payment.x402_version != VERSION {
        return Err(Refusal::Version(payment.x402_version));
    }
    check_accepted(payment, asked)?;
    check_authorization(&payment.payload, asked, now)?;
    check_signature(&payment.payload, domain)
}

/// The chosen offer must come back as it was made.
fn check_accepted(payment: &PaymentPayload, asked: &Requirement) -> Result<(), Refusal> {
    let accepted = &payment.accepted;
    if accepted["scheme"] != asked.scheme.as_str() {
        return Err(Refusal::Scheme);
    }
    if accepted["network"] != asked.network.as_str() {
        return Err(Refusal::Network(asked.network.clone()));
    }
    // Compared as we understand it, so that the case of an address's letters makes no difference.
    match serde_json::from_value::<Requirement>(accepted.clone()) {
        Ok(accepted) if accepted == *asked => Ok(()),
        _ => Err(Refusal::Requirement),
    }
}

fn check_authorization(payment: &SignedAuthorization, asked: &Requirement, now: u64) -> Result<(), Refusal> {
    let authorization = &payment.authorization;
    if authorization.to != asked.pay_to {
        return Err(Refusal::Receiver(authorization.to));
    }
    if authorization.value != asked.amount {
        return Err(Refusal::Value {
            paid: authorization.value.to_string(),
            asked: asked.amount.to_string(),
        });
    }
    if authorization.valid_after >= now {
        return Err(Refusal::NotYet);
    }
    if authorization.valid_before <= now.saturating_add(MARGIN_SECONDS) {
        return Err(Refusal::Expired);
    }
    Ok(())
}

fn check_signature(payment: &SignedAuthorization, domain: &Domain) -> Result<(), Refusal> {
    let from = payment.authorization.from;
    let digest = payment.authorization.digest(domain);
    match payment.signature.signer(digest) {
        Some(signer) if signer == from => Ok(()),
        _ => Err(Refusal::Signature(from)),
    }
}

#[cfg(test)]
mod tests;
