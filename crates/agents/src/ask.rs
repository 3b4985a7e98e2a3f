//! `karma-agent ask`: asks an agent as anybody may, and pays what it asks for.

use std::ffi::OsString;

use axum::http::HeaderMap;
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};
use thiserror::Error;
use uuid::Uuid;

use crate::client::client_for;
use crate::error::chain as words;
use crate::payments::{BuyError, Buyer, PaymentSettings, PaymentsError, Purchase, buyer};
use crate::settings::{Environment, SettingError};
use crate::store::{OpenError, Store};
use crate::trace::Trace;

/// Nothing was asked, or nothing answered.
#[derive(Debug, Error)]
pub enum AskError {
    /// A setting is missing or bad.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// What should be an address of the web is none.
    #[error("`{0}` is no URL: {1}")]
    Url(String, String),
    /// What should be the input is not JSON.
    #[error("the input is not JSON: {0}")]
    Input(#[from] serde_json::Error),
    /// Where purchases are remembered cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The chain or the token is not what the settings say.
    #[error(transparent)]
    Payments(#[from] PaymentsError),
    /// The client could not be made.
    #[error("could not prepare the call")]
    Client(#[source] reqwest::Error),
    /// The seller did not answer, or was not paid.
    #[error("{0}")]
    NotBought(String),
}

/// Posts an input to an agent. Where the agent asks for money and `CHAIN_RPC_URL` and the other settings of a buyer are there, it is paid.
pub async fn ask(lookup: impl Fn(&str) -> Option<OsString>, url: &str, input: &str) -> Result<Value, AskError> {
    let Question { buyer, request, task } = Question::prepare(lookup, url, input).await?;
    let bought = buyer.send(request, &task, &Trace::of(&HeaderMap::new())).await?;
    let status = bought.answer.status().as_u16();
    let body = bought.answer.bytes().await.map_err(BuyError::Unreachable)?;
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    Ok(json!({
        "status": status,
        "paid": bought.purchase.as_ref().map(Purchase::json),
        "answer": serde_json::from_slice(&body).unwrap_or_else(|_| text()),
    }))
}

/// The same without paying: what would be paid to whom, or as the error, what stands against it. Nothing that is signed is sent to anybody.
pub async fn ask_the_price(
    lookup: impl Fn(&str) -> Option<OsString>,
    url: &str,
    input: &str,
) -> Result<Value, AskError> {
    let Question { buyer, request, task } = Question::prepare(lookup, url, input).await?;
    let asked = buyer.preview(request, &task, &Trace::of(&HeaderMap::new())).await?;
    Ok(json!({ "would_pay": asked }))
}

/// An input for an agent, and somebody to pay for the answer.
struct Question {
    buyer: Buyer,
    request: RequestBuilder,
    task: String,
}

impl Question {
    async fn prepare(lookup: impl Fn(&str) -> Option<OsString>, url: &str, input: &str) -> Result<Question, AskError> {
        let environment = Environment { lookup };
        let settings = PaymentSettings::read(&environment)?.ok_or_else(|| SettingError::missing("CHAIN_RPC_URL"))?;
        let url = Url::parse(url).map_err(|error| AskError::Url(url.to_owned(), error.to_string()))?;
        let input: Value = serde_json::from_str(input)?;
        let buyer = buyer(&settings, &Store::open(None, "ask")?).await?;
        let client = client_for(&url).build().map_err(AskError::Client)?;
        Ok(Question {
            buyer,
            request: client.post(url).json(&input),
            task: Uuid::now_v7().to_string(),
        })
    }
}

impl From<BuyError> for AskError {
    fn from(error: BuyError) -> AskError {
        AskError::NotBought(words(&error))
    }
}
