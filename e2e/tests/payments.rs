//! Agents that pay each other on a real node: what moves, what is refused, and what is remembered.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use karma_e2e::chain::{Agent, Chain, number};
use karma_e2e::karma::{Reply, StackCopy, agent_binary, repository, wait_until};
use karma_e2e::{npm, skip};
use serde_json::{Value, json};

/// Who sells in these tests, who buys, and for how much.
const SELLER: usize = 1;
const BUYER: usize = 2;
const PRICE: u128 = 10_000;

/// A chain, unless there is none to be had here.
fn chain(test: &str) -> Option<Chain> {
    Chain::start().map_err(|reason| skip(test, &reason)).ok()
}

fn seller(chain: &Chain) -> Agent {
    chain.agent("karma-hello", SELLER, &[("PRICES", "get_chat_logs=10000")])
}

fn buyer(chain: &Chain, seller_url: &str, variables: &[(&str, &str)]) -> Agent {
    let variables = [&[("KARMA_HELLO_URL", seller_url)], variables].concat();
    chain.agent("skill-extractor", BUYER, &variables)
}

fn profile(buyer: &Agent) -> Reply {
    buyer.post("/extract_skill_profile", &json!({ "username": "vera_solidity" }))
}

#[test]
fn the_compiled_contracts_are_what_solc_makes_of_their_source() {
    let test = "the_compiled_contracts_are_what_solc_makes_of_their_source";
    let modules = match npm::modules() {
        Ok(modules) => modules,
        Err(reason) => return skip(test, &reason),
    };
    let contracts = repository().join("contracts");
    let made = tempfile::tempdir().unwrap();
    let status = Command::new("node")
        .arg(contracts.join("compile.js"))
        .arg(made.path())
        .env("NODE_PATH", modules)
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let committed: Vec<_> = fs::read_dir(contracts.join("compiled")).unwrap().flatten().collect();
    assert_eq!(committed.len(), 4);
    for file in committed {
        let again = fs::read_to_string(made.path().join(file.file_name())).unwrap();
        assert!(
            again == fs::read_to_string(file.path()).unwrap(),
            "{:?}",
            file.file_name()
        );
    }
}

#[test]
fn a_buyer_pays_exactly_the_price_and_leaves_feedback() {
    let Some(chain) = chain("a_buyer_pays_exactly_the_price_and_leaves_feedback") else {
        return;
    };
    let seller = seller(&chain);
    // Its reputation needs a name first.
    wait_until("karma-hello's registration", || {
        (chain.balance_of_agents(SELLER) == 1).then_some(())
    });
    // What the extractor itself is paid is another matter.
    let buyer = buyer(&chain, &seller.url(), &[("PRICES", "extract_skill_profile=0")]);
    let (sold, bought) = (chain.balance(SELLER), chain.balance(BUYER));
    let answer = profile(&buyer);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(chain.balance(SELLER), sold + PRICE);
    assert_eq!(chain.balance(BUYER), bought - PRICE);

    // getLastIndex(uint256,address)
    let data = format!("0xf2d81759{:0>64}{:0>64}", 1, &chain.account(BUYER)[2..]);
    wait_until("feedback", || {
        (number(&chain.word("REPUTATION_REGISTRY", &data)) == 1).then_some(())
    });

    let deep = buyer.get("/health?deep=1").json();
    let dependencies = deep["dependencies"].as_array().unwrap();
    let on_chain = dependencies.iter().find(|it| it["name"] == "chain").unwrap();
    assert_eq!(on_chain["balance"], (bought - PRICE).to_string(), "{deep}");
    assert!(on_chain["block"].as_u64().unwrap() > 0, "{deep}");
}

#[test]
fn who_does_not_pay_gets_a_price_and_nothing_else() {
    let Some(chain) = chain("who_does_not_pay_gets_a_price_and_nothing_else") else {
        return;
    };
    let seller = seller(&chain);
    let free = seller.get("/streams");
    assert_eq!(free.status, 200, "{free:?}");
    for path in ["/get_chat_logs", "/karma-hello/get_chat_logs"] {
        let answer = seller.post(path, &json!({ "limit": 1 }));
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (402, Some("payment_required"))
        );
        assert!(!answer.body.contains("messages"), "{answer:?}");
    }
    let sold = chain.balance(SELLER);
    for nonsense in ["nonsense", "bm9uc2Vuc2U=", "e30="] {
        let answer = post_with_payment(seller.port(), nonsense, "{}");
        assert!(answer.starts_with("HTTP/1.1 402"), "{answer}");
        assert!(answer.contains("the payment cannot be read"), "{answer}");
    }
    assert_eq!(chain.balance(SELLER), sold);
}

#[test]
fn a_payment_pays_once_also_after_a_restart() {
    let Some(chain) = chain("a_payment_pays_once_also_after_a_restart") else {
        return;
    };
    let seller_before = seller(&chain);
    let listener = Listener::before(seller_before.port());
    let buyer = buyer(&chain, &listener.url(), &[("PRICES", "extract_skill_profile=0")]);
    assert_eq!(profile(&buyer).status, 200);
    let (payment, body) = listener.payment();
    let sold = chain.balance(SELLER);

    let replayed = post_with_payment(seller_before.port(), &payment, &body);
    assert!(replayed.contains("the payment is used"), "{replayed}");
    drop(seller_before);
    let seller_after = seller(&chain);
    let replayed = post_with_payment(seller_after.port(), &payment, &body);
    assert!(
        replayed.starts_with("HTTP/1.1 402") && replayed.contains("the payment is used"),
        "{replayed}"
    );
    assert_eq!(chain.balance(SELLER), sold);
}

#[test]
fn a_buyer_keeps_to_its_caps_and_its_payees() {
    let Some(chain) = chain("a_buyer_keeps_to_its_caps_and_its_payees") else {
        return;
    };
    let seller = seller(&chain);
    let before = chain.balance(BUYER);
    let check = |variables: &[(&str, &str)], reason: &str| {
        let variables = [&[("PRICES", "extract_skill_profile=0")], variables].concat();
        let answer = profile(&buyer(&chain, &seller.url(), &variables));
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (503, Some("not_bought"))
        );
        assert!(answer.body.contains(reason), "{answer:?}");
    };
    check(&[("SPEND_PER_TASK", "9999")], "SPEND_PER_TASK");
    check(&[("SPEND_PER_DAY", "9999")], "SPEND_PER_DAY");
    check(&[("ALLOWED_PAYEES", chain.account(0))], "is not among ALLOWED_PAYEES");
    assert_eq!(chain.balance(BUYER), before);

    // What one process has spent counts for the next one.
    let variables = [("PRICES", "extract_skill_profile=0"), ("SPEND_PER_DAY", "15000")];
    assert_eq!(profile(&buyer(&chain, &seller.url(), &variables)).status, 200);
    check(
        &[("SPEND_PER_DAY", "15000")],
        "10000 base units of 15000 are spent today",
    );
    assert_eq!(chain.balance(BUYER), before - PRICE);
}

#[test]
fn what_is_bought_is_used_where_a_cap_ends_the_purchase() {
    let test = "what_is_bought_is_used_where_a_cap_ends_the_purchase";
    let Some(chain) = chain(test) else {
        return;
    };
    let seller = chain.agent("karma-hello", SELLER, &[]);
    let stream = json!({ "stream_id": "long", "stream_date": "2026-02-01", "stream_title": "T", "streamer": "eva" });
    let with = |field: &str, value: Value| {
        let mut stream = stream.clone();
        stream[field] = value;
        stream
    };
    let message = |second: u32| {
        let timestamp = format!("2026-02-01T10:{:02}:{:02}Z", second / 60, second % 60);
        json!({ "timestamp": timestamp, "user": "ana", "message": format!("message {second}") })
    };
    let log = with("messages", (0..130).map(message).collect());
    assert_eq!(seller.post("/chat_logs", &log).status, 201);
    let segment = json!({ "start": 0, "end": 4, "speaker": "eva", "text": "Hello to all of you" });
    let mut transcript = with("transcript", json!([segment]));
    (transcript["language"], transcript["duration_seconds"]) = (json!("en"), json!(200));

    let check = |cap: &str, messages: u64, truncated: bool, price: u128| {
        let url = seller.url();
        let buyer = chain.agent(
            "abracadabra",
            BUYER,
            &[("KARMA_HELLO_URL", &url), ("SPEND_PER_TASK", cap)],
        );
        let taken = buyer.post("/transcripts", &transcript);
        assert!([200, 201].contains(&taken.status), "{taken:?}");
        let before = chain.balance(SELLER);
        let answer = buyer.post("/stream_chat", &json!({ "stream_id": "long" })).json();
        let told = (answer["messages"].as_u64(), answer["truncated"].as_bool());
        assert_eq!(told, (Some(messages), Some(truncated)), "{answer}");
        assert_eq!(chain.balance(SELLER), before + price);
    };
    // A hundred messages first, for the base and a hundred times the price of one; then a page of up to two hundred.
    check("20000", 100, true, 20_000);
    check("50000", 130, false, 20_000 + 30_000);
}

#[test]
fn a_dry_run_says_what_would_be_paid_or_why_it_would_not() {
    let Some(chain) = chain("a_dry_run_says_what_would_be_paid_or_why_it_would_not") else {
        return;
    };
    let seller = seller(&chain);
    let url = format!("{}/get_chat_logs", seller.url());
    let ask = |variables: &[(&str, &str)]| chain.command_with(BUYER, &["ask", "--dry-run", &url, "{}"], variables);
    let before = chain.balance(BUYER);
    let asked = ask(&[]);
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{asked:?}"));
    assert_eq!(asked["would_pay"]["amount"], PRICE.to_string(), "{asked}");
    let payee = asked["would_pay"]["payTo"].as_str().unwrap().to_lowercase();
    assert_eq!(payee, chain.account(SELLER).to_lowercase(), "{asked}");

    let check = |variables: &[(&str, &str)], reason: &str| {
        let output = ask(variables);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(reason), "{said}");
    };
    check(&[("SPEND_PER_TASK", "9999")], "SPEND_PER_TASK");
    check(&[("ALLOWED_PAYEES", chain.account(0))], "is not among ALLOWED_PAYEES");
    assert_eq!(chain.balance(BUYER), before);
    // A chain whose clock is far ahead takes nothing that this machine signs.
    chain.ask("evm_increaseTime", &json!([3600]));
    chain.ask("evm_mine", &json!([]));
    check(&[], "validBefore is too early");
    chain.drain(BUYER);
    check(&[], "the account holds 0 base units");
}

#[test]
fn the_card_tells_what_is_charged() {
    let Some(chain) = chain("the_card_tells_what_is_charged") else {
        return;
    };
    let start = |name| chain.agent(name, SELLER, &[("KARMA_HELLO_URL", "http://127.0.0.1:9")]);
    let check = |agent: &Agent, path: &str, input: &Value, told: u64| {
        let answer = agent.post(path, input);
        let charged = &answer.json()["accepts"][0]["amount"];
        assert_eq!(
            (answer.status, charged),
            (402, &json!(told.to_string())),
            "{path} {input}"
        );
    };
    let number = |value: &Value| value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok());
    let number = |value: &Value| number(value).unwrap_or_else(|| panic!("{value} is no number"));

    let agent = start("validator");
    check(
        &agent,
        "/validate",
        &json!({}),
        number(&price(&agent, "validate")["amount"]),
    );

    for (name, skill) in [("karma-hello", "get_chat_logs"), ("abracadabra", "get_transcription")] {
        let (agent, path) = (start(name), format!("/{skill}"));
        let price = price(&agent, skill);
        let of = |records: u64| number(&price["amount"]) + records * number(&price["each"]);
        check(&agent, &path, &json!({ "limit": 7 }), of(7));
        check(&agent, &path, &json!({}), of(number(&price["default"])));
        check(
            &agent,
            &path,
            &json!({ "limit": 1_000_000 }),
            of(number(&price["most"])),
        );
    }
    for (name, skill) in [
        ("skill-extractor", "extract_skill_profile"),
        ("voice-extractor", "extract_voice_profile"),
    ] {
        let (agent, path) = (start(name), format!("/{name}/{skill}"));
        let price = price(&agent, skill);
        let (amounts, field) = (&price["amounts"], price["field"].as_str().expect("a field"));
        for level in ["basic", "standard", "complete"] {
            let input = json!({ "username": "x", field: level });
            check(&agent, &path, &input, number(&amounts[level]));
        }
        let default = price["default"].as_str().expect("a level");
        check(&agent, &path, &json!({ "username": "x" }), number(&amounts[default]));
    }
}

/// What an agent's card says of the price of a skill.
fn price(agent: &Agent, skill: &str) -> Value {
    let card = agent.get("/.well-known/agent-card.json").json();
    let price = card["capabilities"]["extensions"][0]["params"]["prices"][skill].clone();
    assert!(price.is_object(), "{card}");
    price
}

#[test]
fn one_payer_is_one_caller_wherever_he_sends_from() {
    let Some(chain) = chain("one_payer_is_one_caller_wherever_he_sends_from") else {
        return;
    };
    let before = seller(&chain);
    let listener = Listener::before(before.port());
    let buyer = buyer(&chain, &listener.url(), &[("PRICES", "extract_skill_profile=0")]);
    assert_eq!(profile(&buyer).status, 200);
    let (payment, body) = listener.payment();
    drop(before);
    // Six a minute are one at once.
    let variables = [("PRICES", "get_chat_logs=10000"), ("RATE_LIMIT_PER_MINUTE", "6")];
    let seller = chain.agent("karma-hello", SELLER, &variables);
    let send = |from: &str, payment: &str| {
        post(
            seller.port(),
            &[("x-forwarded-for", from), ("payment-signature", payment)],
            &body,
        )
    };
    assert!(send("10.0.0.1", "nonsense").starts_with("HTTP/1.1 402"));
    let first = send("10.0.0.2", &payment);
    assert!(
        first.starts_with("HTTP/1.1 402") && first.contains("the payment is used"),
        "{first}"
    );
    let second = send("10.0.0.3", &payment);
    assert!(
        second.starts_with("HTTP/1.1 429") && second.contains("retry-after"),
        "{second}"
    );
}

#[test]
fn an_agent_on_the_wrong_chain_or_token_does_not_start_and_shows_no_key() {
    let Some(chain) = chain("an_agent_on_the_wrong_chain_or_token_does_not_start_and_shows_no_key") else {
        return;
    };
    let check = |variables: &[(&str, &str)], reason: &str| {
        let output = chain.failing_agent("karma-hello", variables);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{said}");
        assert!(!said.contains(&chain.key(SELLER)[2..]), "the key is shown");
    };
    check(&[("CHAIN_ID", "84532")], "the chain's id is 31337, not 84532");
    check(
        &[("TOKEN_ADDRESS", chain.variable("VALIDATION_REGISTRY"))],
        "the contract at",
    );
    check(
        &[("TOKEN_ADDRESS", chain.account(0))],
        "does not answer name() as it should",
    );
    let commented = format!("{} # of karma-hello", chain.key(SELLER));
    check(&[("PRIVATE_KEY", &commented)], "PRIVATE_KEY: holds a comment");
    check(
        &[("PRICES", "get_chat_logs=0.01")],
        "PRICES: the price of `get_chat_logs`",
    );
    check(&[("PRICES", "sell_everything=1")], "is none of the agent's skills");
}

#[test]
fn a_verdict_is_signed_and_written_where_it_was_asked_for() {
    let Some(chain) = chain("a_verdict_is_signed_and_written_where_it_was_asked_for") else {
        return;
    };
    let _seller = seller(&chain);
    wait_until("karma-hello's registration", || {
        (chain.balance_of_agents(SELLER) == 1).then_some(())
    });
    let validator = chain.agent("validator", BUYER, &[("PRICES", "validate=0")]);
    let file = repository().join("crates/agents/data/karma-hello/chat_logs_20260112.json");
    let question = json!({
        "data_type": "chat_logs",
        "data_content": serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).unwrap(),
    });
    let unasked = validator.post("/validate", &question).json();
    assert_eq!(unasked["attestation"]["registry"], Value::Null, "{unasked}");

    let asked = chain.command(
        SELLER,
        &["request-validation", chain.account(BUYER), &file.display().to_string()],
    );
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{asked:?}"));
    let answer = validator.post("/validate", &question).json();
    let attestation = &answer["attestation"];
    assert_eq!(
        attestation["message"]["dataHash"], asked["request_hash"],
        "{attestation}"
    );
    assert_eq!(
        attestation["signer"].as_str().unwrap().to_lowercase(),
        chain.account(BUYER).to_lowercase()
    );
    assert!(attestation["registry"]["transaction"].is_string(), "{attestation}");

    // getValidationStatus(bytes32): the third word is the answer.
    let data = format!("0xff2febfc{}", &asked["request_hash"].as_str().unwrap()[2..]);
    let status = chain.word("VALIDATION_REGISTRY", &data);
    let response = number(&status[..2 + 3 * 64]);
    assert_eq!(json!(response), attestation["message"]["score"], "{status}");
}

#[test]
fn karma_up_with_a_chain_has_agents_pay_each_other() {
    let test = "karma_up_with_a_chain_has_agents_pay_each_other";
    let anvil = match npm::modules() {
        Ok(modules) => modules.join(".bin"),
        Err(reason) => return skip(test, &reason),
    };
    let stack = StackCopy::new();
    let up = stack.up_with_path(&["--chain"], &anvil);
    stack.wait_for("five healthy agents", |status| {
        let services = status["services"].as_array();
        services.is_some_and(|services| services.iter().all(|service| service["health"] == "healthy"))
    });
    let unpaid = stack.post("/karma-hello/get_chat_logs", &json!({ "limit": 1 }));
    assert_eq!(unpaid.status, 402, "{unpaid:?}");
    let balance = |agent: &str| {
        let deep = stack.get(&format!("/{agent}/health?deep=1")).json();
        let dependencies = deep["dependencies"].as_array().unwrap().clone();
        let on_chain = dependencies.into_iter().find(|it| it["name"] == "chain").unwrap();
        on_chain["balance"].as_str().unwrap().parse::<u128>().unwrap()
    };
    assert_eq!(balance("karma-hello"), 1_000_000_000);
    let visitor = fs::read_to_string(stack.path().join(".karma/chain.env")).unwrap();
    let url = format!(
        "http://127.0.0.1:{}/skill-extractor/extract_skill_profile",
        stack.port()
    );
    let asked = Command::new(agent_binary())
        .args(["ask", &url, r#"{"username": "vera_solidity"}"#])
        .env_clear()
        .envs(visitor.lines().map(variable))
        .output()
        .unwrap();
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{asked:?}"));
    assert_eq!(
        (&asked["status"], &asked["paid"]["amount"]),
        (&json!(200), &json!("50000")),
        "{asked}"
    );
    assert!(asked["paid"]["transaction"].is_string(), "{asked}");
    // The extractor is paid for all it knows, and has paid for a page of fifty messages.
    // Health is told as it was a moment ago.
    let comes_to = |agent: &str, expected: u128| wait_until(agent, || (balance(agent) == expected).then_some(()));
    comes_to("skill-extractor", 1_000_000_000 + 50_000 - 15_000);
    comes_to("karma-hello", 1_000_000_000 + 15_000);
    up.signal("INT");
    let (status, talk) = up.ended();
    assert!(status.success(), "{talk}");
    assert!(talk.contains("chain: GLUE at 0x"), "{talk}");
}

/// `export NAME='value'`
fn variable(line: &str) -> (&str, &str) {
    let (name, value) = line
        .trim_start_matches("export ")
        .split_once('=')
        .expect("a line sets a variable");
    (name, value.trim_matches('\''))
}

/// Stands before a server and writes down what is sent to it.
struct Listener {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let writing = Arc::clone(&heard);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).expect("the server listens");
                let (client_too, server_too) = (again(&client), again(&server));
                let heard = Arc::clone(&writing);
                std::thread::spawn(move || {
                    pass_on(client, server, |bytes| {
                        heard.lock().expect("nobody panics with it").extend(bytes);
                    });
                });
                std::thread::spawn(move || pass_on(server_too, client_too, |_| {}));
            }
        });
        Self { port, heard }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The payment that went by, and the body that it came with.
    fn payment(&self) -> (String, String) {
        let heard = self.heard.lock().expect("nobody panics with it").clone();
        let heard = String::from_utf8(heard).expect("HTTP with JSON is text");
        let (_, paid) = heard.split_once("payment-signature: ").expect("somebody has paid");
        let (payment, rest) = paid.split_once("\r\n").expect("a header ends");
        let (_, body) = rest.split_once("\r\n\r\n").expect("headers end");
        (payment.to_owned(), body.to_owned())
    }
}

fn again(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a stream can be held twice")
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, mut hear: impl FnMut(&[u8])) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        hear(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
}

/// The whole answer to a request for chat logs with a payment.
fn post_with_payment(port: u16, payment: &str, body: &str) -> String {
    post(port, &[("payment-signature", payment)], body)
}

/// The whole answer to a request for chat logs.
fn post(port: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let headers = headers.concat();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the agent listens");
    write!(
        stream,
        "POST /get_chat_logs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the agent reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the agent answers in text");
    answer
}
