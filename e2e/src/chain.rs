//! A chain of a test's own, and agents on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

pub use crate::agent::Agent;
use crate::karma::{free_port, request, target_directory, wait_until};
use crate::{agent, npm};

/// anvil's own number.
const CHAIN_ID: &str = "31337";

/// A chain with the project's contracts, which ends with this. Account 0 made them; the others hold tokens.
pub struct Chain {
    anvil: Child,
    port: u16,
    accounts: Vec<String>,
    keys: Vec<String>,
    /// What agents are told of it, but their keys.
    environment: BTreeMap<String, String>,
    directory: tempfile::TempDir,
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.anvil.kill();
        let _ = self.anvil.wait();
    }
}

impl Chain {
    /// A chain with the contracts and two holders of tokens beside their maker, or the reason why there is none.
    ///
    /// # Panics
    ///
    /// Where anvil is there and does not work.
    pub fn start() -> Result<Self, String> {
        let anvil = npm::modules()?.join(".bin/anvil");
        let directory = tempfile::tempdir_in(target_directory()).expect("the target directory can be written");
        let (port, written) = (free_port(), directory.path().join("accounts.json"));
        let anvil = Command::new(anvil)
            .args([
                "--silent",
                "--chain-id",
                CHAIN_ID,
                "--mnemonic-random",
                "12",
                "--accounts",
                "3",
            ])
            .args(["--port", &port.to_string(), "--config-out"])
            .arg(&written)
            .stdout(Stdio::null())
            .spawn()
            .expect("anvil can be started");
        let mut chain = Self {
            anvil,
            port,
            accounts: Vec::new(),
            keys: Vec::new(),
            environment: BTreeMap::new(),
            directory,
        };
        chain.read_accounts(&written);
        chain.prepare();
        Ok(chain)
    }

    fn read_accounts(&mut self, written: &Path) {
        let accounts: Value = wait_until("anvil", || {
            request(self.port, "POST", "/", &block_number().to_string()).ok()?;
            serde_json::from_slice(&fs::read(written).ok()?).ok()
        });
        self.accounts = texts(&accounts["available_accounts"]);
        self.keys = texts(&accounts["private_keys"]);
    }

    fn prepare(&mut self) {
        let url = format!("http://127.0.0.1:{}", self.port);
        self.environment = [("CHAIN_RPC_URL", url.as_str()), ("CHAIN_ID", CHAIN_ID)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let output = self.command(0, &["prepare-chain", &self.accounts[1], &self.accounts[2]]);
        let prepared: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let told = prepared["environment"].as_object().expect("an object of variables");
        let told = told
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned()));
        self.environment = told.collect();
    }

    /// An account's address.
    pub fn account(&self, number: usize) -> &str {
        &self.accounts[number]
    }

    /// An account's key.
    pub fn key(&self, number: usize) -> &str {
        &self.keys[number]
    }

    /// What agents are told.
    pub fn variable(&self, name: &str) -> &str {
        &self.environment[name]
    }

    /// A directory of the test's own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs `karma-agent` as an account to its end.
    pub fn command(&self, account: usize, arguments: &[&str]) -> Output {
        self.command_with(account, arguments, &[])
    }

    /// The same with variables that count more than all others.
    pub fn command_with(&self, account: usize, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        agent::command()
            .args(arguments)
            .envs(&self.environment)
            .env("PRIVATE_KEY", self.key(account))
            .envs(variables.iter().copied())
            .output()
            .expect("karma-agent can be started")
    }

    /// Starts an agent as an account, with a store that outlives it, and variables that count more than all others.
    pub fn agent(&self, name: &str, account: usize, variables: &[(&str, &str)]) -> Agent {
        let port = free_port();
        Agent::start(self.agent_command(name, account, port, variables), port)
    }

    /// Starts an agent that is expected not to start, and returns how it ended.
    pub fn failing_agent(&self, name: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = self.agent_command(name, 1, free_port(), variables);
        command
            .stdout(Stdio::piped())
            .output()
            .expect("karma-agent can be started")
    }

    fn agent_command(&self, name: &str, account: usize, port: u16, variables: &[(&str, &str)]) -> Command {
        let store = format!("file://{}", self.directory().join("store").display());
        let mut command = agent::serving(name, port);
        command
            .envs(&self.environment)
            .env("PRIVATE_KEY", self.key(account))
            .env("STORE_URL", store)
            .envs(variables.iter().copied());
        command
    }

    /// Asks the node.
    pub fn ask(&self, method: &str, params: &Value) -> Value {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = request(self.port, "POST", "/", &question.to_string()).expect("anvil answers");
        let reply = reply.json();
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// Asks a contract for one word, by the name of the variable that has its address.
    pub fn word(&self, contract: &str, data: &str) -> String {
        let call = json!({ "to": self.variable(contract), "data": data });
        let word = self.ask("eth_call", &json!([call, "latest"]));
        word.as_str().unwrap_or_else(|| panic!("{word}")).to_owned()
    }

    /// What an account holds, in base units.
    pub fn balance(&self, account: usize) -> u128 {
        self.balance_of("TOKEN_ADDRESS", account)
    }

    /// Gives all that an account holds back to who made the token.
    pub fn drain(&self, account: usize) {
        // transfer(address,uint256)
        let data = format!(
            "0xa9059cbb{:0>64}{:0>64x}",
            &self.account(0)[2..],
            self.balance(account)
        );
        let transaction = json!({ "from": self.account(account), "to": self.variable("TOKEN_ADDRESS"), "data": data });
        self.ask("eth_sendTransaction", &json!([transaction]));
    }

    /// How many agents an account has registered.
    pub fn balance_of_agents(&self, account: usize) -> u128 {
        self.balance_of("IDENTITY_REGISTRY", account)
    }

    /// `balanceOf(address)`
    fn balance_of(&self, contract: &str, account: usize) -> u128 {
        let data = format!("0x70a08231{:0>64}", &self.account(account)[2..]);
        number(&self.word(contract, &data))
    }
}

/// The number in a word.
pub fn number(word: &str) -> u128 {
    let digits = &word[word.len() - 32..];
    u128::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{word} is no number"))
}

fn block_number() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": [] })
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}
