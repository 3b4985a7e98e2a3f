//! The seller's side: what is asked, whether it is paid, and taking the money.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::facilitator::Facilitator;
use super::prices::Prices;
use super::verify::{Refusal, verify};
use super::wire::{
    EXACT, Extensions, PaymentPayload, PaymentRequired, Requirement, Resource, SettlementResponse, VERSION,
    from_header, network,
};
use crate::chain::{Address, Amount, Chain, ChainError, Token};
use crate::error::chain;
use crate::logging::Log;
use crate::rate::Rates;
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
    /// How often one payer may ask, wherever he sends from.
    pub(super) rates: Rates,
    pub(super) log: Log,
}

/// A payment that is what was asked, as far as it tells itself.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    payment: PaymentPayload,
    asked: Requirement,
}

/// A payment that is good, and counted as used.
#[derive(Clone, Debug)]
pub(crate) struct Admitted(Offered);

impl Seller {
    /// What is asked, where it is so much.
    pub(crate) fn asks(&self, amount: Amount) -> Requirement {
        Requirement::new(&self.token, amount, self.pay_to, MAX_TIMEOUT_SECONDS)
    }

    /// The same, as it is told to who has not paid.
    pub(crate) fn demand(asked: &Requirement, resource: Resource, error: String) -> PaymentRequired {
        PaymentRequired {
            x402_version: VERSION,
            error: Some(error),
            resource: Some(resource),
            accepts: vec![asked.offer()],
            extensions: Extensions::new(),
        }
    }

    /// What is sold and how it is paid, as the card tells it.
    pub(crate) fn terms(&self) -> Value {
        json!({
            "scheme": EXACT,
            "network": network(self.token.domain.chain_id),
            "asset": self.token.address(),
            "symbol": self.token.symbol,
            "decimals": self.token.decimals,
            "payTo": self.pay_to,
            "prices": self.prices.json(),
        })
    }

    /// Reads a payment as it came in its header, and checks what can be checked without asking anybody.
    pub(crate) fn read(&self, header: &[u8], asked: Requirement, now: Timestamp) -> Result<Offered, Box<Refused>> {
        let refused = |refusal, payment| Box::new(Refused { refusal, payment });
        let payment: PaymentPayload =
            from_header(header).map_err(|reason| refused(Refusal::Unreadable(reason), None))?;
        let now = u64::try_from(now.as_second()).unwrap_or_default();
        match verify(&payment, &asked, &self.token.domain, now) {
            Ok(()) => Ok(Offered { payment, asked }),
            Err(refusal) => Err(refused(refusal, Some(payment))),
        }
    }

    /// Checks the rest, and remembers that the payment is used. Nothing is taken yet.
    pub(crate) async fn admit(&self, offered: Offered) -> Result<Admitted, Box<Refused>> {
        let checked = async {
            let Offered { payment, asked } = &offered;
            self.ask_the_chain(payment).await?;
            if let Some(facilitator) = &self.facilitator {
                facilitator.verify(payment, asked).await?;
            }
            self.claim(payment).await
        };
        match checked.await {
            Ok(()) => Ok(Admitted(offered)),
            Err(refusal) => Err(offered.refused(refusal)),
        }
    }

    /// Takes the money.
    pub(crate) async fn settle(&self, admitted: &Admitted) -> Result<SettlementResponse, Refusal> {
        let Admitted(Offered { payment, asked }) = admitted;
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

impl Offered {
    /// Who pays.
    pub(crate) fn payer(&self) -> Address {
        self.payment.payload.authorization.from
    }

    fn refused(self, refusal: Refusal) -> Box<Refused> {
        let payment = Some(self.payment);
        Box::new(Refused { refusal, payment })
    }
}

impl Admitted {
    /// Who pays.
    pub(crate) fn payer(&self) -> Address {
        self.0.payer()
    }

    /// What was asked.
    pub(crate) fn asked(&self) -> &Requirement {
        &self.0.asked
    }

    /// It was good, and the money could not be taken.
    pub(crate) fn refused(self, refusal: Refusal) -> Box<Refused> {
        self.0.refused(refusal)
    }
}

/// A payment that does not do.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// Unless it cannot be read.
    payment: Option<PaymentPayload>,
}

impl Refused {
    /// For the log: why, and what the payment says. Two things are kept out of it: the signature, since whoever has it can hand the payment in, and
    /// what of an unreadable payment its sender wrote.
    pub(crate) fn json(&self) -> Value {
        let Refused { refusal, payment } = self;
        match payment {
            None => json!({ "code": refusal.code() }),
            Some(payment) => json!({
                "code": refusal.code(),
                "reason": refusal.to_string(),
                "authorization": payment.payload.authorization,
            }),
        }
    }
}

fn unchecked(error: &ChainError) -> Refusal {
    Refusal::Unchecked(chain(error))
}
