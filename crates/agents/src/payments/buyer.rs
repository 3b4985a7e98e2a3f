//! The buyer's side: pays what an agent asks for, within caps, and once for each request.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use thiserror::Error;

use super::PaymentSettings;
use super::choose::{Choice, Objection, Rules};
use super::verify::{Refusal, verify};
use super::wire::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, PaymentPayload, PaymentRequired, Requirement,
    SettlementResponse, SignedAuthorization, VERSION, from_header, to_header,
};
use crate::chain::primitives::keccak256;
use crate::chain::registries::Feedback;
use crate::chain::{Address, Amount, Authorization, Chain, ChainError, Registries, Token};
use crate::error::chain as words;
use crate::store::{Caps, Claim, Expense, Reservation, Spending, Store, StoreError};
use crate::trace::Trace;

/// An authorization holds from a little before now: clocks differ.
const CLOCK_SLACK_SECONDS: u64 = 60;

/// And never longer than that, whatever the seller asks.
const LONGEST_SECONDS: u64 = 600;

/// The kind of claim under which purchases are remembered.
const PURCHASES: &str = "purchases";

/// Whoever buys.
#[derive(Debug)]
pub(crate) struct Buyer {
    chain: Arc<Chain>,
    rules: Rules,
    caps: Caps,
    spending: Spending,
    store: Store,
    registries: Option<Registries>,
}

/// What was bought.
#[derive(Debug)]
pub(crate) struct Bought {
    /// The seller's answer.
    pub(crate) answer: Response,
    /// What it cost, if it was not free.
    pub(crate) purchase: Option<Purchase>,
}

/// What was paid, to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purchase {
    pub(crate) amount: Amount,
    pub(crate) payee: Address,
    /// The transaction, where the seller named one.
    pub(crate) transaction: Option<String>,
}

impl Purchase {
    /// As it is told.
    pub(crate) fn json(&self) -> Value {
        json!({ "amount": self.amount, "payee": self.payee, "transaction": self.transaction })
    }
}

/// Nothing was bought.
#[derive(Debug, Error)]
pub(crate) enum BuyError {
    #[error("the seller cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the seller asks for a payment and does not say which: {0}")]
    NoDemand(String),
    #[error("the seller's offer is not taken: {0}")]
    Objection(#[from] Objection),
    #[error("the price of {price} is not paid: {spent} base units of {cap} are spent for this task (SPEND_PER_TASK)")]
    OverTask { price: Amount, spent: u128, cap: u128 },
    #[error("the price of {price} is not paid: {spent} base units of {cap} are spent today (SPEND_PER_DAY)")]
    OverDay { price: Amount, spent: u128, cap: u128 },
    #[error("the price of {price} is not paid: the account holds {balance} base units")]
    Funds { price: Amount, balance: Amount },
    #[error("the seller would not take the payment: {0}")]
    WouldNotDo(#[from] Refusal),
    #[error("the chain cannot be asked: {0}")]
    Chain(String),
    #[error("the seller did not take the payment: {0}")]
    NotTaken(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Buyer {
    /// A buyer with the chain's account.
    pub(crate) fn new(
        chain: &Arc<Chain>,
        token: Token,
        settings: &PaymentSettings,
        store: &Store,
    ) -> Result<Buyer, StoreError> {
        Ok(Buyer {
            chain: Arc::clone(chain),
            rules: Rules {
                token,
                allowed_payees: settings.allowed_payees.clone(),
            },
            caps: settings.caps,
            spending: Spending::open(store)?,
            store: store.clone(),
            registries: settings.registries,
        })
    }

    /// The chain, and the account on it that pays.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What is paid with.
    pub(crate) fn token(&self) -> &Token {
        &self.rules.token
    }

    /// Sends a request and pays for it, if it costs something. `task` is what the caps of one task count for; the same request of the same task
    /// is never paid twice, however often it is sent.
    pub(crate) async fn send(&self, request: RequestBuilder, task: &str, trace: &Trace) -> Result<Bought, BuyError> {
        let Some(again) = request.try_clone() else {
            let answer = trace.send(request).await.map_err(BuyError::Unreachable)?;
            return Ok(Bought { answer, purchase: None });
        };
        let name = name(task, again.try_clone());
        let answer = trace.send(request).await.map_err(BuyError::Unreachable)?;
        if answer.status() != StatusCode::PAYMENT_REQUIRED {
            return Ok(Bought { answer, purchase: None });
        }
        let demand = demand(&answer)?;
        let choice = self.rules.choose(&demand)?;
        let asked = choice.asked.clone();
        self.reserve(&asked, task, &name).await?;
        let payment = self.sign(choice, demand, &name, Timestamp::now());
        let paid = again.header(PAYMENT_SIGNATURE, to_header(&payment));
        let answer = trace.send(paid).await.map_err(BuyError::Unreachable)?;
        let bought = bought(answer, &asked)?;
        self.tell(&bought);
        Ok(bought)
    }

    /// Asks without paying: what the seller wants, if anything, and whether all would go well. What stands against paying is the error. The payment is
    /// made and checked as a seller does it, by the clock of the chain too, and never leaves this process.
    pub(crate) async fn preview(
        &self,
        request: RequestBuilder,
        task: &str,
        trace: &Trace,
    ) -> Result<Option<Requirement>, BuyError> {
        let answer = trace.send(request).await.map_err(BuyError::Unreachable)?;
        if answer.status() != StatusCode::PAYMENT_REQUIRED {
            return Ok(None);
        }
        let demand = demand(&answer)?;
        let choice = self.rules.choose(&demand)?;
        let asked = choice.asked.clone();
        let expense = expense(&asked, task);
        self.granted(asked.amount, self.spending.would_reserve(expense, self.caps).await?)?;
        let balance = self.rules.token.balance(&self.chain, self.chain.account()).await?;
        if balance < asked.amount {
            let price = asked.amount;
            return Err(BuyError::Funds { price, balance });
        }
        let now = Timestamp::now();
        let payment = self.sign(choice, demand, task, now);
        // A quiet chain makes no blocks: its clock is not behind for that.
        let now = seconds(now).max(self.chain.time().await?);
        verify(&payment, &asked, &self.rules.token.domain, now)?;
        Ok(Some(asked))
    }

    /// Tells the registry of reputations how it went, in a job of its own: nobody waits for it, and a purchase is good without.
    fn tell(&self, bought: &Bought) {
        let (Some(registries), Some(purchase)) = (self.registries, bought.purchase.clone()) else {
            return;
        };
        let skill = bought
            .answer
            .url()
            .path()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let percent = if bought.answer.status().is_success() { 100 } else { 0 };
        let chain = Arc::clone(&self.chain);
        tokio::spawn(async move { feedback(&chain, registries, &purchase, &skill, percent).await });
    }

    /// Counts the price, once for each request. It stays counted also where the seller does not answer: what is signed may still be handed in.
    async fn reserve(&self, asked: &Requirement, task: &str, name: &str) -> Result<(), BuyError> {
        let expense = expense(asked, task);
        self.granted(asked.amount, self.spending.reserve(expense.clone(), self.caps).await?)?;
        self.count_once(expense, name).await
    }

    fn granted(&self, price: Amount, reservation: Reservation) -> Result<(), BuyError> {
        match reservation {
            Reservation::Granted => Ok(()),
            Reservation::OverTask(spent) => {
                let cap = self.caps.per_task;
                Err(BuyError::OverTask { price, spent, cap })
            }
            Reservation::OverDay(spent) => {
                let cap = self.caps.per_day;
                Err(BuyError::OverDay { price, spent, cap })
            }
        }
    }

    /// What was counted for the same request before is not counted again.
    async fn count_once(&self, expense: Expense, name: &str) -> Result<(), BuyError> {
        if self.store.claim(PURCHASES, name).await? == Claim::Theirs {
            self.spending.give_back(expense).await?;
        }
        Ok(())
    }

    /// The nonce is computed from the request, so that what is signed for one request can be handed in once, whatever gets lost on the way.
    fn sign(&self, choice: Choice, demand: PaymentRequired, name: &str, now: Timestamp) -> PaymentPayload {
        let Choice { asked, offer } = choice;
        let now = seconds(now);
        let key = self.chain.key();
        let authorization = Authorization {
            from: key.address(),
            to: asked.pay_to,
            value: asked.amount,
            valid_after: now.saturating_sub(CLOCK_SLACK_SECONDS),
            valid_before: now + asked.max_timeout_seconds.min(LONGEST_SECONDS),
            nonce: key.secret_hash(&[name.as_bytes()]),
        };
        let signature = authorization.sign(&self.rules.token.domain, key);
        PaymentPayload {
            x402_version: VERSION,
            resource: demand.resource,
            accepted: offer,
            payload: SignedAuthorization {
                signature,
                authorization,
            },
            extensions: demand.extensions,
        }
    }
}

fn expense(asked: &Requirement, task: &str) -> Expense {
    Expense {
        asset: format!("{}/{}", asked.network, asked.asset),
        day: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        task: task.to_owned(),
        amount: asked.amount.0,
    }
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or_default()
}

/// The seller is found by the account that is paid. One who is not registered has no reputation.
async fn feedback(
    chain: &Chain,
    registries: Registries,
    purchase: &Purchase,
    skill: &str,
    percent: u8,
) -> Result<(), ChainError> {
    let Some(agent) = registries.agent_of(chain, purchase.payee).await? else {
        return Ok(());
    };
    let proof = purchase.transaction.as_deref().unwrap_or_default();
    let feedback = Feedback {
        agent,
        measure: "successRate",
        percent,
        skill,
        proof: keccak256(&[proof.as_bytes()]),
    };
    registries.give_feedback(chain, &feedback).await.map(drop)
}

/// What makes a request this one: who asks for what, where, and with which words.
fn name(task: &str, request: Option<RequestBuilder>) -> String {
    let Some(Ok(request)) = request.map(RequestBuilder::build) else {
        return task.to_owned();
    };
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let what = keccak256(&[
        request.method().as_str().as_bytes(),
        b" ",
        request.url().as_str().as_bytes(),
        b"\n",
        body,
    ]);
    format!("{task} {what}")
}

fn demand(answer: &Response) -> Result<PaymentRequired, BuyError> {
    let header = answer.headers().get(PAYMENT_REQUIRED);
    let header = header.ok_or_else(|| BuyError::NoDemand("there is no PAYMENT-REQUIRED".to_owned()))?;
    from_header(header.as_bytes()).map_err(BuyError::NoDemand)
}

fn bought(answer: Response, asked: &Requirement) -> Result<Bought, BuyError> {
    if answer.status() == StatusCode::PAYMENT_REQUIRED {
        let reason = demand(&answer)?.error;
        return Err(BuyError::NotTaken(reason.unwrap_or_else(|| "no reason".to_owned())));
    }
    let settlement = answer.headers().get(PAYMENT_RESPONSE);
    let settlement: Option<SettlementResponse> = settlement.and_then(|header| from_header(header.as_bytes()).ok());
    let purchase = Purchase {
        amount: asked.amount,
        payee: asked.pay_to,
        transaction: settlement.filter(|it| it.success).map(|it| it.transaction),
    };
    Ok(Bought {
        answer,
        purchase: Some(purchase),
    })
}

impl From<ChainError> for BuyError {
    fn from(error: ChainError) -> BuyError {
        BuyError::Chain(words(&error))
    }
}
