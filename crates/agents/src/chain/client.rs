//! One chain: reading contracts, and sending transactions of one account until they are in a block.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::abi::Answer;
use super::key::PrivateKey;
use super::primitives::{Address, Hash, ParseError, from_hex, to_hex};
use super::revert;
use super::rpc::{Rpc, RpcError};
use super::transaction::{Signed, Transaction};

/// So long a transaction may take until it is in a block.
const RECEIPT_PATIENCE: Duration = Duration::from_mins(1);

/// How long to wait before looking for a receipt again: first, and at most.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const SLOWEST_LOOK: Duration = Duration::from_secs(1);

/// So often another task of the same account may be faster, before sending is given up.
const RACES: u32 = 5;

/// A chain and, for whoever sends, an account.
#[derive(Debug)]
pub(crate) struct Chain {
    rpc: Rpc,
    id: u64,
    key: PrivateKey,
    /// Held from asking for the account's count until the transaction that has it is sent.
    sending: Mutex<()>,
}

/// The chain did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum ChainError {
    /// The node did not answer, or refused.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The node is one of another chain.
    #[error("the chain's id is {found}, not {expected}: check CHAIN_ID and CHAIN_RPC_URL")]
    OtherChain { expected: u64, found: u64 },
    /// A contract refused.
    #[error("the contract at {contract} refused: {reason}")]
    Reverted { contract: Address, reason: String },
    /// A contract gave something else than its interface says, or is none.
    #[error("the contract at {contract} does not answer {function} as it should")]
    NotThatContract { contract: Address, function: &'static str },
    /// The token signs in another domain than it says.
    #[error(
        "the token at {0} has another DOMAIN_SEPARATOR() than its name() and version() give: no signature would count"
    )]
    OtherDomain(Address),
    /// A transaction was sent and is in no block yet.
    #[error("transaction {transaction} is in no block after {} seconds", RECEIPT_PATIENCE.as_secs())]
    Pending { transaction: Hash },
    /// The node wrote something that is no number.
    #[error("the chain wrote a number that {0}")]
    Number(#[from] ParseError),
}

/// A transaction that is in a block and did what it should.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) transaction: Hash,
    /// The contract that it made, if it made one.
    pub(crate) contract: Option<Address>,
    pub(crate) events: Vec<Event>,
}

/// What a contract told while it ran.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) address: Address,
    /// What happened, as a hash of its signature, and by what it can be found.
    pub(crate) topics: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReceipt {
    status: Quantity,
    contract_address: Option<Address>,
    logs: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    timestamp: Quantity,
    base_fee_per_gas: Option<Quantity>,
}

/// `0x1f`, as nodes write numbers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Quantity(u128);

impl TryFrom<String> for Quantity {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Quantity, ParseError> {
        let digits = text.strip_prefix("0x").ok_or(ParseError::NoPrefix)?;
        u128::from_str_radix(digits, 16)
            .map(Quantity)
            .map_err(|_| ParseError::Digit)
    }
}

impl Quantity {
    /// Where no chain has more.
    fn small(self) -> u64 {
        u64::try_from(self.0).unwrap_or(u64::MAX)
    }
}

impl Chain {
    /// Asks the node for its chain, and takes no other than the expected one.
    pub(crate) async fn connect(rpc: Rpc, expected: u64, key: PrivateKey) -> Result<Chain, ChainError> {
        let found = rpc.ask::<Quantity>("eth_chainId", json!([])).await?.small();
        if found != expected {
            return Err(ChainError::OtherChain { expected, found });
        }
        Ok(Chain {
            rpc,
            id: expected,
            key,
            sending: Mutex::new(()),
        })
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The account's key.
    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The account.
    pub(crate) fn account(&self) -> Address {
        self.key.address()
    }

    /// The number of the newest block.
    pub(crate) async fn block_number(&self) -> Result<u64, ChainError> {
        Ok(self.rpc.ask::<Quantity>("eth_blockNumber", json!([])).await?.small())
    }

    /// The time of the newest block, in seconds since 1970.
    pub(crate) async fn time(&self) -> Result<u64, ChainError> {
        Ok(self.newest_block().await?.timestamp.small())
    }

    /// What an account has for gas, in wei.
    pub(crate) async fn gas_balance(&self, account: Address) -> Result<u128, ChainError> {
        let balance: Quantity = self.rpc.ask("eth_getBalance", json!([account, "latest"])).await?;
        Ok(balance.0)
    }

    /// Asks a contract.
    pub(crate) async fn read(&self, contract: Address, data: &[u8]) -> Result<Answer, ChainError> {
        let call = json!({ "from": self.account(), "to": contract, "data": to_hex(data) });
        let asked: Result<String, RpcError> = self.rpc.ask("eth_call", json!([call, "latest"])).await;
        let answer = asked.map_err(|error| refusal(contract, error))?;
        Ok(Answer(from_hex(&answer)?))
    }

    /// Has a contract do something, and returns when that is in a block.
    pub(crate) async fn send(&self, contract: Address, data: Vec<u8>) -> Result<Receipt, ChainError> {
        self.transact(Some(contract), data).await
    }

    /// Makes a contract.
    pub(crate) async fn deploy(&self, code: Vec<u8>) -> Result<Address, ChainError> {
        let receipt = self.transact(None, code).await?;
        receipt.contract.ok_or(ChainError::NotThatContract {
            contract: self.account(),
            function: "constructor",
        })
    }

    /// What a contract has told since the chain began, found by its topics; `None` stands for any.
    pub(crate) async fn events(&self, contract: Address, topics: &[Option<Hash>]) -> Result<Vec<Event>, ChainError> {
        let filter = json!({ "address": contract, "topics": topics, "fromBlock": "earliest", "toBlock": "latest" });
        Ok(self.rpc.ask("eth_getLogs", json!([filter])).await?)
    }

    async fn transact(&self, to: Option<Address>, data: Vec<u8>) -> Result<Receipt, ChainError> {
        let about = to.unwrap_or(self.account());
        let gas = self.estimate(to, &data).await.map_err(|error| refusal(about, error))?;
        let signed = self.dispatch(to, data, gas).await?;
        let receipt = self.wait_for(signed.hash).await?;
        if receipt.status.0 != 1 {
            let reason = format!("transaction {} failed in its block", signed.hash);
            return Err(ChainError::Reverted {
                contract: about,
                reason,
            });
        }
        Ok(Receipt {
            transaction: signed.hash,
            contract: receipt.contract_address,
            events: receipt.logs,
        })
    }

    /// What it takes, and a fifth more: between the estimate and the block others may act. It is refused here if it would fail there.
    async fn estimate(&self, to: Option<Address>, data: &[u8]) -> Result<u64, RpcError> {
        let mut call = json!({ "from": self.account(), "data": to_hex(data) });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let gas: Quantity = self.rpc.ask("eth_estimateGas", json!([call])).await?;
        Ok(gas.small() / 5 * 6)
    }

    /// Sends under the account's next count. Another task of the same account may take that first: then under the next one.
    async fn dispatch(&self, to: Option<Address>, data: Vec<u8>, gas: u64) -> Result<Signed, ChainError> {
        let _sending = self.sending.lock().await;
        let (max_fee, max_priority_fee) = self.fees().await?;
        let mut transaction = Transaction {
            chain_id: self.id,
            nonce: 0,
            max_priority_fee,
            max_fee,
            gas,
            to,
            data,
        };
        let mut race = 1;
        loop {
            transaction.nonce = self.count().await?;
            let signed = transaction.sign(&self.key);
            match self.submit(&signed).await {
                Ok(()) => return Ok(signed),
                Err(error) if race < RACES && lost_a_race(&error) => race += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn submit(&self, signed: &Signed) -> Result<(), RpcError> {
        let sent: Result<Value, RpcError> = self
            .rpc
            .ask("eth_sendRawTransaction", json!([to_hex(&signed.bytes)]))
            .await;
        match sent {
            // It was sent before, and the answer was lost.
            Err(RpcError::Refused { message, .. }) if says(&message, &["already known", "already imported"]) => Ok(()),
            sent => sent.map(drop),
        }
    }

    async fn count(&self) -> Result<u64, ChainError> {
        let params = json!([self.account(), "pending"]);
        Ok(self
            .rpc
            .ask::<Quantity>("eth_getTransactionCount", params)
            .await?
            .small())
    }

    /// Twice the base fee holds for six full blocks: <https://eips.ethereum.org/EIPS/eip-1559>.
    async fn fees(&self) -> Result<(u128, u128), ChainError> {
        let block = self.newest_block().await?;
        let tip: Quantity = self.rpc.ask("eth_maxPriorityFeePerGas", json!([])).await?;
        let base = block.base_fee_per_gas.map_or(0, |fee| fee.0);
        Ok((base.saturating_mul(2).saturating_add(tip.0), tip.0))
    }

    async fn newest_block(&self) -> Result<Block, ChainError> {
        Ok(self.rpc.ask("eth_getBlockByNumber", json!(["latest", false])).await?)
    }

    async fn wait_for(&self, transaction: Hash) -> Result<RawReceipt, ChainError> {
        let deadline = Instant::now() + RECEIPT_PATIENCE;
        let mut pause = FIRST_LOOK;
        while Instant::now() < deadline {
            let found: Option<RawReceipt> = self.rpc.ask("eth_getTransactionReceipt", json!([transaction])).await?;
            if let Some(receipt) = found {
                return Ok(receipt);
            }
            sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_LOOK);
        }
        Err(ChainError::Pending { transaction })
    }
}

/// A refusal of the node that is one of a contract says why.
fn refusal(contract: Address, error: RpcError) -> ChainError {
    match error {
        RpcError::Refused { data: Some(data), .. } => ChainError::Reverted {
            contract,
            reason: revert::reason(&data),
        },
        error => error.into(),
    }
}

/// Nodes say it in words only.
fn lost_a_race(error: &RpcError) -> bool {
    let words = [
        "nonce too low",
        "replacement transaction underpriced",
        "nonce is too low",
    ];
    matches!(error, RpcError::Refused { message, .. } if says(message, &words))
}

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
}
