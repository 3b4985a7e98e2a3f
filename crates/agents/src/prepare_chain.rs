//! `karma-agent prepare-chain`: puts the token and the registries onto a chain of one's own, and says what agents need to know of it.

use std::ffi::OsString;

use serde_json::{Value, json};
use thiserror::Error;

use crate::chain::deploy::{Deployed, deploy};
use crate::chain::rpc::Rpc;
use crate::chain::{Address, Chain, ChainError};
use crate::payments::chain_of;
use crate::settings::{Environment, SettingError};

/// What a run on a laptop may spend: one token for a task, a hundred a day.
const SPEND_PER_TASK: u64 = 1_000_000;
const SPEND_PER_DAY: u64 = 100_000_000;

/// A chain could not be made ready.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// A setting is missing or bad.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// What should be an account is none.
    #[error("`{0}` is no address")]
    Holder(String),
    /// The client for calls to the chain could not be made.
    #[error("could not prepare calls to the chain")]
    Client(#[source] reqwest::Error),
    /// The chain did not do what it was asked.
    #[error("{0}")]
    Chain(String),
}

/// Makes the contracts from the account of `PRIVATE_KEY`, on the chain of `CHAIN_RPC_URL` and `CHAIN_ID`, and gives each holder tokens. The answer is
/// the environment of agents who may pay each other, and what a person wants to know.
pub async fn prepare_chain(
    lookup: impl Fn(&str) -> Option<OsString>,
    holders: &[String],
) -> Result<Value, PrepareError> {
    let (rpc_url, chain_id, key) = chain_of(&Environment { lookup })?;
    let holders: Vec<Address> = holders.iter().map(|text| holder(text)).collect::<Result<_, _>>()?;
    let rpc = Rpc::new(rpc_url.clone()).map_err(PrepareError::Client)?;
    let chain = Chain::connect(rpc, chain_id, key).await?;
    let Deployed { token, registries } = deploy(&chain, &holders).await?;
    let payees: Vec<String> = holders.iter().map(Address::to_string).collect();
    Ok(json!({
        "summary": format!(
            "{} at {}, {} decimals, on chain {chain_id}",
            token.symbol,
            token.address(),
            token.decimals
        ),
        "environment": {
            "CHAIN_RPC_URL": rpc_url.as_str(),
            "CHAIN_ID": chain_id.to_string(),
            "TOKEN_ADDRESS": token.address(),
            "ALLOWED_PAYEES": payees.join(","),
            "SPEND_PER_TASK": SPEND_PER_TASK.to_string(),
            "SPEND_PER_DAY": SPEND_PER_DAY.to_string(),
            "IDENTITY_REGISTRY": registries.identity,
            "REPUTATION_REGISTRY": registries.reputation,
            "VALIDATION_REGISTRY": registries.validation,
        },
    }))
}

fn holder(text: &str) -> Result<Address, PrepareError> {
    text.parse().map_err(|_| PrepareError::Holder(text.to_owned()))
}

impl From<ChainError> for PrepareError {
    fn from(error: ChainError) -> PrepareError {
        PrepareError::Chain(crate::error::chain(&error))
    }
}
