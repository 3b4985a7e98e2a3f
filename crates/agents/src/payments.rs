//! Buying and selling: x402, version 2, with tokens that move on their holder's signature.
//!
//! ```text
//!  buyer                                    seller
//!  ask ────────────────────────────────────▶ paywall: 402 and PAYMENT-REQUIRED
//!  choose, reserve, sign ──PAYMENT-SIGNATURE▶ verify, claim the nonce, answer, settle
//!  read what was bought ◀──PAYMENT-RESPONSE── the answer
//! ```
//!
//! Off unless `CHAIN_RPC_URL` is set. Amounts are whole base units everywhere. What is verified before anything is looked up is a pure function
//! (`verify`), and so is what a buyer takes (`choose`).

mod buyer;
mod choose;
mod facilitator;
mod identity;
mod paywall;
mod price;
mod prices;
mod seller;
mod settings;
mod verify;
mod wire;

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use thiserror::Error;

pub(crate) use self::buyer::{BuyError, Buyer, Purchase};
use self::facilitator::Facilitator;
use self::identity::{Applicant, Registration};
pub(crate) use self::paywall::{Paid, paywall};
pub use self::price::Price;
pub use self::prices::PriceError;
pub(crate) use self::prices::Prices;
pub(crate) use self::seller::Seller;
pub use self::settings::PaymentSettings;
pub(crate) use self::settings::{chain_of, private_key, registries_of};
use crate::agents::Agent;
use crate::chain::rpc::Rpc;
use crate::chain::{Chain, ChainError, Registries, Token};
use crate::error::chain as words;
use crate::health::Dependency;
use crate::logging::{Level, Log};
use crate::rate::Rates;
use crate::settings::Settings;
use crate::store::{Store, StoreError};

/// Payments cannot begin.
#[derive(Debug, Error)]
pub enum PaymentsError {
    /// The chain, or the token on it, is not what the settings say.
    #[error("payments cannot begin: {0}")]
    Chain(String),
    /// A price is of no use.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// A client for calls could not be made.
    #[error("could not prepare calls to the chain")]
    Client(#[source] reqwest::Error),
    /// The store that remembers what was spent cannot be used.
    #[error("payments cannot begin: {0}")]
    Store(String),
}

/// Somebody who only buys.
pub(crate) async fn buyer(settings: &PaymentSettings, store: &Store) -> Result<Buyer, PaymentsError> {
    let (chain, token) = connect(settings).await?;
    Ok(Buyer::new(&chain, token, settings, store)?)
}

async fn connect(settings: &PaymentSettings) -> Result<(Arc<Chain>, Token), PaymentsError> {
    let rpc = Rpc::new(settings.rpc_url.clone()).map_err(PaymentsError::Client)?;
    let chain = Chain::connect(rpc, settings.chain_id, settings.key.clone()).await?;
    let token = Token::read(&chain, settings.token).await?;
    Ok((Arc::new(chain), token))
}

/// An agent that pays and is paid.
#[derive(Clone, Debug)]
pub(crate) struct Payments {
    pub(crate) chain: Arc<Chain>,
    pub(crate) seller: Arc<Seller>,
    pub(crate) buyer: Arc<Buyer>,
    pub(crate) registries: Option<Registries>,
    registration: Option<Registration>,
    token: Token,
}

impl Payments {
    /// Begins, tells what the account has, and has the agent registered, if the settings say that it pays and is paid.
    pub(crate) async fn begin_if_set(
        settings: &Settings,
        agent: &'static Agent,
        store: &Store,
        rates: &Rates,
        log: Log,
    ) -> Result<Option<Payments>, PaymentsError> {
        let Some(of_payments) = &settings.payments else {
            return Ok(None);
        };
        let mut payments = Payments::begin(of_payments, agent, store, rates, log).await?;
        payments.tell(log).await?;
        payments.registration = payments.registries.map(|registries| {
            Registration::begin(Applicant {
                agent,
                chain: Arc::clone(&payments.chain),
                registries,
                public_url: settings.public_url.clone(),
                store: store.clone(),
                log,
            })
        });
        Ok(Some(payments))
    }

    /// As lines of the deep health check: how far the chain is, what the account has for gas and for buying, and whether the agent is registered.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        let payments = self.clone();
        let (chain, token) = (&self.chain, &self.token);
        let facts = json!({ "chain_id": chain.id(), "account": chain.account(), "token": token.address() });
        let chain = Dependency::new("chain", facts, move |_| {
            let payments = payments.clone();
            async move { payments.reach().await.map_err(|error| words(&error)) }
        });
        let registration = self.registration.as_ref().map(Registration::dependency);
        std::iter::once(chain).chain(registration).collect()
    }

    /// The routes that payments add to an agent's.
    pub(crate) fn routes(&self) -> Router {
        self.registration.clone().map(Registration::routes).unwrap_or_default()
    }

    /// One line on what the account can do: who has no gas cannot settle, and who has no tokens cannot buy.
    async fn tell(&self, log: Log) -> Result<(), PaymentsError> {
        let mut told = self.reach().await?;
        let lacks: Vec<&str> = [("gas", "gas_wei"), ("tokens", "balance")]
            .into_iter()
            .filter(|(_, field)| told[*field] == "0")
            .map(|(what, _)| what)
            .collect();
        let level = if lacks.is_empty() { Level::Info } else { Level::Warn };
        told["lacks"] = json!(lacks);
        told["chain_id"] = json!(self.chain.id());
        told["account"] = json!(self.chain.account());
        told["token"] = json!(self.token.address());
        told["prices"] = Value::Object(self.seller.prices.json());
        log.write(level, "payments are on", told);
        Ok(())
    }

    async fn reach(&self) -> Result<Value, ChainError> {
        let (chain, token) = (&self.chain, &self.token);
        let account = chain.account();
        Ok(json!({
            "block": chain.block_number().await?,
            "gas_wei": chain.gas_balance(account).await?.to_string(),
            "balance": token.balance(chain, account).await?,
        }))
    }

    /// Asks the chain for its number and the token for its domain, and begins only where both are as they should be.
    async fn begin(
        settings: &PaymentSettings,
        agent: &'static Agent,
        store: &Store,
        rates: &Rates,
        log: Log,
    ) -> Result<Payments, PaymentsError> {
        let prices = Prices::of(agent, settings.prices.as_deref())?;
        let (chain, token) = connect(settings).await?;
        let facilitator = settings.facilitator.clone().map(Facilitator::new).transpose();
        let seller = Seller {
            chain: Arc::clone(&chain),
            token: token.clone(),
            pay_to: settings.pay_to.unwrap_or(chain.account()),
            prices,
            store: store.clone(),
            facilitator: facilitator.map_err(PaymentsError::Client)?,
            rates: rates.clone(),
            log,
        };
        let buyer = Buyer::new(&chain, token.clone(), settings, store)?;
        Ok(Payments {
            chain,
            seller: Arc::new(seller),
            buyer: Arc::new(buyer),
            registries: settings.registries,
            registration: None,
            token,
        })
    }
}

impl From<ChainError> for PaymentsError {
    fn from(error: ChainError) -> PaymentsError {
        PaymentsError::Chain(words(&error))
    }
}

impl From<StoreError> for PaymentsError {
    fn from(error: StoreError) -> PaymentsError {
        PaymentsError::Store(words(&error))
    }
}
