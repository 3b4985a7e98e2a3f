//! The seller's side: what is asked, whether it is paid, and taking the money.

use std::sync::Arc;

use jiff::Timestamp;

use super::facilitator::Facilitator;
use super::prices::Prices;
use super::verify::{Refusal, verify};
use super::wire::{PaymentPayload, PaymentRequired, Requirement, Resource, SettlementResponse, VERSION, from_header};
use crate::chain::{Address, Chain, ChainError, Token};
use crate::error::chain;
use crate::store::{Claim, Store};

/// So long an authorization is asked to hold: an answer takes seconds, a block may take some more.
const MAX_TIMEOUT_SECONDS: u64 = 120;

/// The kind of claim under which used nonces are remembered.
const NONCES: &str = "payment-nonces";

/// Whoever sells.
#[derive(Debug)]
pub(crate) struct Seller {
    pub(super) chain: Arc<Chain>,
    pub(super) token: Token,
    pub(super) pay_to: Address,
    pub(super) prices: Prices,
    pub(super) store: Store,
    pub(super) facilitator: Option<Facilitator>,
}

/// A payment that is good, and counted as used.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    payment: PaymentPayload,
    asked: Requirement,
}

impl Seller {
    /// What is asked for a route, if it is not free.
    pub(crate) fn asks_for(&self, matched_path: &str) -> Option<Requirement> {
        let amount = self.prices.of_route(matched_path)?;
        Some(Requirement::new(&self.token, amount, self.pay_to, MAX_TIMEOUT_SECONDS))
    }

    /// The same, as it is told to who has not paid.
    pub(crate) fn demand(asked: &Requirement, resource: Resource, error: String) -> PaymentRequired {
        PaymentRequired {
            x402_version: VERSION,
            error: Some(error),
            resource,
            accepts: vec![asked.offer()],
        }
    }

    /// Checks a payment as it came in its header, and remembers that it is used. Nothing is taken yet.
    pub(crate) async fn admit(&self, header: &[u8], asked: Requirement, now: Timestamp) -> Result<Admitted, Refusal> {
        let payment: PaymentPayload = from_header(header).map_err(Refusal::Unreadable)?;
        let now = u64::try_from(now.as_second()).unwrap_or_default();
        verify(&payment, &asked, &self.token.domain, now)?;
        self.ask_the_chain(&payment).await?;
        if let Some(facilitator) = &self.facilitator {
            facilitator.verify(&payment, &asked).await?;
        }
        self.claim(&payment).await?;
        Ok(Admitted { payment, asked })
    }

    /// Takes the money.
    pub(crate) async fn settle(&self, admitted: &Admitted) -> Result<SettlementResponse, Refusal> {
        let Admitted { payment, asked } = admitted;
        if let Some(facilitator) = &self.facilitator {
            return facilitator.settle(payment, asked).await;
        }
        let (authorization, signature) = (&payment.payload.authorization, &payment.payload.signature);
        let receipt = self
            .token
            .transfer_with_authorization(&self.chain, authorization, signature)
            .await
            .map_err(|error| Refusal::Unsettled(chain(&error)))?;
        let network = asked.network.clone();
        Ok(SettlementResponse::settled(
            receipt.transaction,
            authorization.from,
            network,
            asked.amount,
        ))
    }

    /// What only the chain knows: whether the payer has so much, and whether the nonce is fresh.
    async fn ask_the_chain(&self, payment: &PaymentPayload) -> Result<(), Refusal> {
        let authorization = &payment.payload.authorization;
        let used = self.token.is_used(&self.chain, authorization.from, authorization.nonce);
        if used.await.map_err(|error| unchecked(&error))? {
            return Err(Refusal::Used);
        }
        let balance = self
            .token
            .balance(&self.chain, authorization.from)
            .await
            .map_err(|error| unchecked(&error))?;
        if balance < authorization.value {
            return Err(Refusal::Funds);
        }
        Ok(())
    }

    /// The chain counts a nonce as used once it is handed in; until then, and for all tasks, the store does.
    async fn claim(&self, payment: &PaymentPayload) -> Result<(), Refusal> {
        let authorization = &payment.payload.authorization;
        let name = format!(
            "{}/{}/{}/{}",
            self.chain.id(),
            self.token.address(),
            authorization.from,
            authorization.nonce
        );
        match self.store.claim(NONCES, &name).await {
            Ok(Claim::Ours) => Ok(()),
            Ok(Claim::Theirs) => Err(Refusal::Used),
            Err(error) => Err(Refusal::Unchecked(chain(&error))),
        }
    }
}

impl Admitted {
    /// Who pays.
    pub(crate) fn payer(&self) -> Address {
        self.payment.payload.authorization.from
    }

    /// What was asked.
    pub(crate) fn asked(&self) -> &Requirement {
        &self.asked
    }
}

fn unchecked(error: &ChainError) -> Refusal {
    Refusal::Unchecked(chain(error))
}
