//! Trade with another implementation of x402: its buyer, its seller and its facilitator, each beside ours on a real node.
//!
//! The programs are `e2e/x402`, a workspace of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use karma_e2e::chain::{Agent, Chain};
use karma_e2e::karma::{free_port, repository, request, target_directory, wait_until};
use karma_e2e::skip;
use serde_json::{Value, json};

/// Who sells in these tests, and who buys. Whoever made the chain pays the gas of the others' facilitator.
const SELLER: usize = 1;
const BUYER: usize = 2;
const FACILITATOR: usize = 0;

/// What the others' seller asks.
const PRICE: u128 = 12_345;

/// Contracts that the others' facilitator wants to find, though it needs none of them for tokens that move on their holder's signature.
const WANTED_CONTRACTS: [&str; 3] = [
    "0xdAcD51A54883eb67D95FAEb2BBfdC4a9a6BD2a3B",
    "0x000000000022D473030F116dDEE9F6B43aC78BA3",
    "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
];

#[test]
fn their_buyer_pays_us() {
    let Some((chain, others)) = parties("their_buyer_pays_us") else {
        return;
    };
    let seller = chain.agent("karma-hello", SELLER, &[]);
    let (sold, bought) = (chain.balance(SELLER), chain.balance(BUYER));
    let url = format!("{}/get_chat_logs", seller.url());
    let done = others.run(&chain, &["buyer", &url, r#"{ "limit": 5 }"#]);
    assert_eq!(
        (&done["status"], &done["settled"]["success"]),
        (&json!(200), &json!(true)),
        "{done}"
    );
    assert_eq!(done["answer"]["total_messages"], 5, "{done}");
    // A cent, and a hundredth of one for each of five messages.
    let price = 10_500;
    assert_eq!(
        (chain.balance(SELLER), chain.balance(BUYER)),
        (sold + price, bought - price)
    );
}

#[test]
fn we_pay_their_seller_through_their_facilitator() {
    let Some((chain, others)) = parties("we_pay_their_seller_through_their_facilitator") else {
        return;
    };
    let facilitator = others.facilitator(&chain);
    let variables = [
        ("PAY_TO", chain.account(SELLER)),
        ("FACILITATOR_URL", &facilitator.url()),
        ("PRICE", &PRICE.to_string()),
        ("TOKEN_NAME", "GLUE Token"),
        ("TOKEN_VERSION", "1"),
    ];
    let seller = others.serve(&chain, "seller", SELLER, &variables);
    let (sold, bought) = (chain.balance(SELLER), chain.balance(BUYER));
    let asked = chain.command(
        BUYER,
        &["ask", &format!("{}/echo", seller.url()), r#"{ "for": "a test" }"#],
    );
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{asked:?}"));
    assert_eq!(asked["answer"], json!({ "sold": { "for": "a test" } }), "{asked}");
    assert_eq!(asked["paid"]["amount"], PRICE.to_string(), "{asked}");
    assert_eq!(
        sender_of(&chain, &asked["paid"]["transaction"]),
        chain.account(FACILITATOR).to_lowercase()
    );
    assert_eq!(
        (chain.balance(SELLER), chain.balance(BUYER)),
        (sold + PRICE, bought - PRICE)
    );
}

#[test]
fn their_facilitator_verifies_and_settles_for_us() {
    let Some((chain, others)) = parties("their_facilitator_verifies_and_settles_for_us") else {
        return;
    };
    let facilitator = others.facilitator(&chain);
    let variables = [
        ("FACILITATOR_URL", facilitator.url()),
        ("PRICES", "get_chat_logs=777".to_owned()),
    ];
    let seller = chain.agent(
        "karma-hello",
        SELLER,
        &variables.each_ref().map(|(name, value)| (*name, value.as_str())),
    );
    let url = format!("{}/get_chat_logs", seller.url());
    let before = chain.balance(SELLER);

    let theirs = others.run(&chain, &["buyer", &url, r#"{ "limit": 1 }"#]);
    assert_eq!(theirs["status"], 200, "{theirs}");
    assert_eq!(
        sender_of(&chain, &theirs["settled"]["transaction"]),
        chain.account(FACILITATOR).to_lowercase()
    );
    let ours = chain.command(BUYER, &["ask", &url, r#"{ "limit": 1 }"#]);
    let ours: Value = serde_json::from_slice(&ours.stdout).unwrap_or_else(|_| panic!("{ours:?}"));
    assert_eq!(
        sender_of(&chain, &ours["paid"]["transaction"]),
        chain.account(FACILITATOR).to_lowercase()
    );
    assert_eq!(chain.balance(SELLER), before + 2 * 777);

    // Without it nothing is sold, and nothing is taken.
    drop(facilitator);
    let refused = chain.command(BUYER, &["ask", &url, r#"{ "limit": 1 }"#]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("unexpected_verify_error"), "{said}");
    assert_eq!(chain.balance(SELLER), before + 2 * 777);
}

#[test]
fn what_they_sign_pays_over_a2a_and_once() {
    let Some((chain, others)) = parties("what_they_sign_pays_over_a2a_and_once") else {
        return;
    };
    let seller = chain.agent("karma-hello", SELLER, &[]);
    let question = json!({ "skill": "get_chat_logs", "input": { "limit": 2 } });
    let task = send(
        &seller,
        &json!({ "messageId": "1", "role": "ROLE_USER", "parts": [{ "data": question }] }),
    );
    assert_eq!(task["status"]["state"], "TASK_STATE_INPUT_REQUIRED", "{task}");
    let demand = &task["status"]["message"]["metadata"]["x402.payment.required"];
    assert_eq!(demand["accepts"][0]["amount"], "10200", "{demand}");

    let before = chain.balance(SELLER);
    let payment = others.run(&chain, &["sign", &demand.to_string()]);
    let paid = json!({
        "messageId": "2", "role": "ROLE_USER", "taskId": task["id"], "parts": [],
        "metadata": { "x402.payment.status": "payment-submitted", "x402.payment.payload": payment },
    });
    let done = send(&seller, &paid);
    assert_eq!(done["status"]["state"], "TASK_STATE_COMPLETED", "{done}");
    assert_eq!(done["artifacts"][0]["parts"][0]["data"]["total_messages"], 2, "{done}");
    let said = &done["status"]["message"]["metadata"];
    assert_eq!(said["x402.payment.status"], "payment-completed", "{said}");
    assert_eq!(said["x402.payment.receipts"][0]["success"], true, "{said}");
    assert_eq!(chain.balance(SELLER), before + 10_200);

    let mut again = paid.clone();
    again["taskId"] = Value::Null;
    again["parts"] = json!([{ "data": question }]);
    let refused = send(&seller, &again);
    assert_eq!(refused["status"]["state"], "TASK_STATE_INPUT_REQUIRED", "{refused}");
    let demand = &refused["status"]["message"]["metadata"]["x402.payment.required"];
    assert_eq!(demand["error"], "invalid_transaction_state", "{refused}");
    assert_eq!(chain.balance(SELLER), before + 10_200);
}

/// The task that a message makes, or goes on with.
fn send(agent: &Agent, message: &Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": message } });
    let answer = agent.post("/?A2A-Version=1.0", &call).json();
    assert!(answer["result"]["task"].is_object(), "{answer}");
    answer["result"]["task"].clone()
}

/// Who sent a transaction, in small letters.
fn sender_of(chain: &Chain, transaction: &Value) -> String {
    let found = chain.ask("eth_getTransactionByHash", &json!([transaction]));
    let sender = found["from"]
        .as_str()
        .unwrap_or_else(|| panic!("{transaction}: {found}"));
    sender.to_lowercase()
}

/// A chain and the others' programs, unless one of the two is not to be had here.
fn parties(test: &str) -> Option<(Chain, Others)> {
    let found = Others::build().and_then(|others| Ok((Chain::start()?, others)));
    found.map_err(|reason| skip(test, &reason)).ok()
}

/// The program of `e2e/x402`.
struct Others {
    program: &'static Path,
}

/// One of its servers, which ends with this.
struct Server {
    child: Child,
    port: u16,
}

impl Others {
    /// Builds it where nobody has. `Err` says that its crates cannot be had here.
    fn build() -> Result<Self, String> {
        static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let program = PROGRAM.get_or_init(build).as_ref();
        program.map(|program| Self { program }).map_err(Clone::clone)
    }

    fn command(&self, chain: &Chain, account: usize) -> Command {
        let mut command = Command::new(self.program);
        command.env_clear().env("PRIVATE_KEY", chain.key(account));
        for name in ["CHAIN_RPC_URL", "CHAIN_ID", "TOKEN_ADDRESS"] {
            command.env(name, chain.variable(name));
        }
        command
    }

    /// What it prints as the buyer.
    fn run(&self, chain: &Chain, arguments: &[&str]) -> Value {
        let output = self.command(chain, BUYER).args(arguments).output();
        let output = output.expect("the program was built");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }

    fn serve(&self, chain: &Chain, what: &str, account: usize, variables: &[(&str, &str)]) -> Server {
        let port = free_port();
        let mut command = self.command(chain, account);
        command
            .arg(what)
            .env("PORT", port.to_string())
            .envs(variables.iter().copied());
        let child = command.stdout(Stdio::null()).spawn().expect("the program was built");
        let server = Server { child, port };
        wait_until(what, || request(port, "GET", "/", "").ok());
        server
    }

    fn facilitator(&self, chain: &Chain) -> Server {
        for contract in WANTED_CONTRACTS {
            chain.ask("anvil_setCode", &json!([contract, "0x00"]));
        }
        self.serve(chain, "facilitator", FACILITATOR, &[])
    }
}

impl Server {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn build() -> Result<PathBuf, String> {
    let target = target_directory().join("x402");
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).args(["--quiet", "--locked", "--manifest-path"]);
        command.arg(repository().join("e2e/x402/Cargo.toml"));
        command
    };
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let fetched = cargo(&["fetch", "--target", &host])
        .output()
        .expect("cargo runs: it runs this test");
    if !fetched.status.success() {
        let complaint = String::from_utf8_lossy(&fetched.stderr);
        return Err(format!("the crates of x402-rs cannot be had: {}", complaint.trim()));
    }
    let built = cargo(&["build", "--offline"]).arg("--target-dir").arg(&target).status();
    assert!(built.is_ok_and(|status| status.success()), "e2e/x402 does not build");
    Ok(target.join("debug/x402-others"))
}
