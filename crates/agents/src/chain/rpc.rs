//! Asking a node, by JSON-RPC over HTTP: <https://ethereum.github.io/execution-apis/>.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::sleep;

use super::primitives::from_hex;
use crate::client::client_for;
use crate::error::chain;

/// So often a question is asked that nobody answered, and so long is waited before, times two each time.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The largest answer that is taken, in bytes.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    url: Url,
    client: reqwest::Client,
}

/// A node did not answer, or not with a result.
#[derive(Debug, Error)]
pub(crate) enum RpcError {
    /// Nobody answers, however often.
    #[error("the chain cannot be reached: {0}")]
    Unreachable(String),
    /// The node says no.
    #[error("the chain refused {method}: {message}")]
    Refused {
        method: &'static str,
        message: String,
        /// What a contract gave as its reason.
        data: Option<Vec<u8>>,
    },
    /// It is no answer of a node.
    #[error("the chain's answer to {method} cannot be read: {reason}")]
    Unreadable { method: &'static str, reason: String },
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    result: Value,
    error: Option<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
    #[serde(default)]
    data: Value,
}

impl Rpc {
    /// The node of `CHAIN_RPC_URL`. Its address may hold a key, and is never shown.
    pub(crate) fn new(url: Url) -> Result<Rpc, reqwest::Error> {
        let client = client_for(&url).build()?;
        Ok(Rpc { url, client })
    }

    /// Asks until somebody answers. What is asked must be as good twice as once; a signed transaction is.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, RpcError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.ask_once(method, &params).await {
                Err(RpcError::Unreachable(_)) => sleep(wait).await,
                answered => return answered,
            }
            wait *= 2;
        }
        self.ask_once(method, &params).await
    }

    async fn ask_once<T: DeserializeOwned>(&self, method: &'static str, params: &Value) -> Result<T, RpcError> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = self.client.post(self.url.clone()).json(&question).send().await;
        let mut answer = sent.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(RpcError::Unreachable(format!("the answer is {status}")));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES {
                let reason = format!("it has more than {ANSWER_BYTES} bytes");
                return Err(RpcError::Unreadable { method, reason });
            }
        }
        read(method, &body)
    }
}

fn read<T: DeserializeOwned>(method: &'static str, body: &[u8]) -> Result<T, RpcError> {
    let unreadable = |error: serde_json::Error| RpcError::Unreadable {
        method,
        reason: error.to_string(),
    };
    let reply: Reply = serde_json::from_slice(body).map_err(unreadable)?;
    match reply.error {
        None => serde_json::from_value(reply.result).map_err(unreadable),
        Some(complaint) => Err(RpcError::Refused {
            method,
            data: complaint.data(),
            message: complaint.message,
        }),
    }
}

impl Complaint {
    /// Nodes differ in where they put it: as the data itself, or in an object within.
    fn data(&self) -> Option<Vec<u8>> {
        let text = self.data.as_str().or_else(|| self.data.get("data")?.as_str())?;
        from_hex(text).ok()
    }
}

fn unreachable(error: reqwest::Error) -> RpcError {
    RpcError::Unreachable(chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_nodes() {
        let number: String = read("eth_chainId", br#"{"jsonrpc":"2.0","id":1,"result":"0x14a34"}"#).unwrap();
        assert_eq!(number, "0x14a34");
        let check = |body: &str, expected: &str, data: Option<&[u8]>| {
            let error = read::<String>("eth_call", body.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
            if let RpcError::Refused { data: found, .. } = error {
                assert_eq!(found.as_deref(), data);
            }
        };
        check(
            r#"{"error":{"code":3,"message":"execution reverted","data":"0x0102"}}"#,
            "the chain refused eth_call: execution reverted",
            Some(&[1, 2]),
        );
        check(
            r#"{"error":{"code":3,"message":"reverted","data":{"data":"0x03"}}}"#,
            "the chain refused eth_call: reverted",
            Some(&[3]),
        );
        check(
            "<html>",
            "the chain's answer to eth_call cannot be read: expected value at line 1 column 1",
            None,
        );
    }
}
