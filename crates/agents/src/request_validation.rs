//! `karma-agent request-validation`: asks a validator, in the registry of ERC-8004, to look at a data set of the account's agent.

use std::ffi::OsString;
use std::fs;
use std::io;

use serde_json::{Value, json};
use thiserror::Error;

use crate::attestation::data_hash;
use crate::chain::rpc::Rpc;
use crate::chain::{Address, Chain, ChainError};
use crate::payments::{chain_of, registries_of};
use crate::settings::{Environment, SettingError};

/// No validation was asked for.
#[derive(Debug, Error)]
pub enum RequestError {
    /// A setting is missing or bad.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// What should be the validator's account is none.
    #[error("`{0}` is no address")]
    Validator(String),
    /// The data set cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(String, io::Error),
    /// The data set is not JSON.
    #[error("{0} is not JSON: {1}")]
    Json(String, serde_json::Error),
    /// The client for calls to the chain could not be made.
    #[error("could not prepare calls to the chain")]
    Client(#[source] reqwest::Error),
    /// Nobody has registered the account's agent.
    #[error("no agent is registered for the account of PRIVATE_KEY: start it once with the registries set")]
    NotRegistered,
    /// The chain did not do what it was asked.
    #[error("{0}")]
    Chain(String),
}

/// Asks, from the account of `PRIVATE_KEY`, on the chain of `CHAIN_RPC_URL` and `CHAIN_ID`. The answer is the hash by which the request is found.
pub async fn request_validation(
    lookup: impl Fn(&str) -> Option<OsString>,
    validator: &str,
    file: &str,
) -> Result<Value, RequestError> {
    let environment = Environment { lookup };
    let (rpc_url, chain_id, key) = chain_of(&environment)?;
    let registries = registries_of(&environment)?;
    let validator: Address = validator
        .parse()
        .map_err(|_| RequestError::Validator(validator.to_owned()))?;
    let hash = data_hash(&read(file)?);
    let rpc = Rpc::new(rpc_url).map_err(RequestError::Client)?;
    let chain = Chain::connect(rpc, chain_id, key).await?;
    let agent = registries.agent_of(&chain, chain.account()).await?;
    let agent = agent.ok_or(RequestError::NotRegistered)?;
    let receipt = registries.request_validation(&chain, validator, agent, hash).await?;
    Ok(json!({ "request_hash": hash, "agent_id": agent.0.to_string(), "transaction": receipt.transaction }))
}

fn read(file: &str) -> Result<Value, RequestError> {
    let text = fs::read(file).map_err(|error| RequestError::Read(file.to_owned(), error))?;
    serde_json::from_slice(&text).map_err(|error| RequestError::Json(file.to_owned(), error))
}

impl From<ChainError> for RequestError {
    fn from(error: ChainError) -> RequestError {
        RequestError::Chain(crate::error::chain(&error))
    }
}
