//! What agents were told is not lost: real programs that share a bucket (S3 as moto plays it) or a directory, and ways to it that fail.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use karma_e2e::agent::Agent;
use karma_e2e::chain::Chain;
use karma_e2e::karma::{Reply, request, wait_until};
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use karma_e2e::way::{Passage, Way, pass_on, read_request};
use serde_json::{Value, json};

/// A bucket of its own, and the way to it.
struct Bucket {
    moto: Moto,
    way: Way,
}

/// What S3 says to who may not: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>. It repeats what it was told.
const DENIED: Passage = Passage::Refused(403, DENIAL);
const DENIAL: &str = "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message>\
                      <Token-0>MARKED-TOKEN</Token-0></Error>";
const MAY_NOT_WRITE: &str =
    "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

impl Bucket {
    /// An empty bucket, unless there is no S3 to be had here.
    fn new(test: &str) -> Option<Self> {
        let moto = Moto::start().map_err(|reason| skip(test, &reason)).ok()?;
        let bucket = Self {
            way: Way::to(port(&moto)),
            moto,
        };
        bucket.make();
        Some(bucket)
    }

    fn make(&self) {
        let made = request(port(&self.moto), "PUT", "/karma-data", "").expect("moto answers");
        assert_eq!(made.status, 200, "{made:?}");
    }

    /// What agents are told of it.
    fn variables(&self) -> Vec<(&'static str, String)> {
        [
            ("STORE_URL", "s3://karma-data/store"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &self.way.url()),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "MARKED-SECRET"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    fn task(&self) -> Agent {
        task(&self.variables())
    }
}

fn port(moto: &Moto) -> u16 {
    let port = moto.endpoint().rsplit(':').next().and_then(|port| port.parse().ok());
    port.expect("an endpoint ends with a port")
}

/// One task of karma-hello.
fn task(variables: &[(&str, String)]) -> Agent {
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Agent::with("karma-hello", &variables)
}

fn log(stream: &str, text: &str) -> Value {
    let message = json!({ "timestamp": "2026-01-20T17:00:00Z", "user": "ana", "message": text });
    json!({ "stream_id": stream, "stream_date": "2026-01-20", "stream_title": "t", "streamer": "s", "messages": [message] })
}

fn send(task: &Agent, stream: &str, text: &str) -> Reply {
    task.post("/chat_logs", &log(stream, text))
}

/// What a task gives of a stream, sorted; nothing where it does not know it.
fn texts(task: &Agent, stream: &str) -> Vec<String> {
    let answer = task.post("/get_chat_logs", &json!({ "stream_id": stream, "limit": 1000 }));
    if answer.status == 404 {
        return Vec::new();
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let messages = answer["messages"].as_array().expect("a list").iter();
    let mut texts: Vec<String> = messages
        .map(|message| message["message"].as_str().expect("a text").to_owned())
        .collect();
    texts.sort();
    texts
}

/// The store among what a deep health check found.
fn store_health(task: &Agent) -> (u16, Value) {
    let answer = task.get("/health?deep=1");
    let report = answer.json();
    let dependencies = report["dependencies"].as_array().expect("a list").iter();
    let store = dependencies
        .clone()
        .find(|it| it["name"] == "store")
        .expect("there is a store");
    (answer.status, store.clone())
}

fn call(task: &Agent, method: &str, params: &Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer = task.post("/?A2A-Version=1.0", &body).json();
    assert_eq!(answer["error"], Value::Null, "{answer}");
    answer["result"].clone()
}

/// Asks all at once, and gives all answers.
fn at_once<T: Send>(asks: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    let together = Barrier::new(asks.len());
    thread::scope(|scope| {
        let asking: Vec<_> = asks
            .into_iter()
            .map(|ask| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    ask()
                })
            })
            .collect();
        asking
            .into_iter()
            .map(|asking| asking.join().expect("asking does not panic"))
            .collect()
    })
}

#[test]
fn what_one_task_took_another_gives_at_once_and_a_third_after_both() {
    let Some(bucket) = Bucket::new("what_one_task_took_another_gives_at_once_and_a_third_after_both") else {
        return;
    };
    let (one, other) = (bucket.task(), bucket.task());
    assert!(texts(&other, "s1").is_empty());
    assert_eq!(send(&one, "s1", "hola").status, 201);
    // The other has just looked, and looks again all the same.
    assert_eq!(texts(&other, "s1"), ["hola"]);
    assert_eq!(send(&other, "s1", "hola").status, 200, "it is known already");
    assert_eq!(send(&other, "s2", "adios").status, 201);
    assert_eq!(texts(&one, "s2"), ["adios"]);
    drop((one, other));
    let third = bucket.task();
    assert_eq!(
        (texts(&third, "s1"), texts(&third, "s2")),
        (vec!["hola".to_owned()], vec!["adios".to_owned()])
    );
}

#[test]
fn an_a2a_task_begun_on_one_is_got_from_the_other_and_survives_both() {
    let Some(bucket) = Bucket::new("an_a2a_task_begun_on_one_is_got_from_the_other_and_survives_both") else {
        return;
    };
    let (one, other) = (bucket.task(), bucket.task());
    let message = json!({ "messageId": "m", "role": "ROLE_USER", "parts": [{ "data": { "skill": "list_streams" } }] });
    let at_once = json!({ "message": message, "configuration": { "returnImmediately": true } });
    let begun = call(&one, "SendMessage", &at_once);
    let (id, context) = (&begun["task"]["id"], &begun["task"]["contextId"]);
    let ended = wait_until("the task's end, at the other", || {
        let task = call(&other, "GetTask", &json!({ "id": id }));
        (task["status"]["state"] == "TASK_STATE_COMPLETED").then_some(task)
    });
    assert!(
        ended["artifacts"][0]["parts"][0]["data"]["streams"].is_array(),
        "{ended}"
    );
    drop((one, other));
    let third = bucket.task();
    assert_eq!(call(&third, "GetTask", &json!({ "id": id })), ended);
    let listed = call(&third, "ListTasks", &json!({ "contextId": context }));
    assert_eq!(listed["totalSize"], 1, "{listed}");
}

#[test]
fn a_store_that_fails_is_said_to_and_nothing_unstored_is_acknowledged() {
    let Some(bucket) = Bucket::new("a_store_that_fails_is_said_to_and_nothing_unstored_is_acknowledged") else {
        return;
    };
    let task = bucket.task();
    assert_eq!(send(&task, "s", "before").status, 201);
    let check = |passage: Passage, reason: &str, health: &str| {
        bucket.way.set(passage.clone());
        let refused = send(&task, "s", "meanwhile");
        assert_eq!(
            (refused.status, refused.json()["error"].as_str()),
            (503, Some("store_unreachable")),
            "{refused:?}"
        );
        let (status, store) = store_health(&task);
        assert_eq!(
            (status, &store["reachable"]),
            (503, &json!(false)),
            "{passage:?}: {store}"
        );
        for (said, expected) in [(&refused.json()["reason"], reason), (&store["error"], health)] {
            let said = said.as_str().expect("a text");
            assert!(said.contains(expected), "{passage:?}: {said}");
            // S3 repeats what it was told, and nobody who asks an agent is to read it, or where the bucket is.
            assert!(
                !said.contains("MARKED") && !said.contains("http"),
                "{passage:?}: {said}"
            );
        }
        assert_eq!(
            task.get("/health").status,
            200,
            "a task is not replaced because the store is down"
        );
        bucket.way.set(Passage::Open);
    };
    check(
        DENIED,
        "refuses with 403 (ExpiredToken)",
        "refuses with 403 (ExpiredToken)",
    );
    check(
        Passage::WritesRefused(403, MAY_NOT_WRITE),
        "refuses with 403 (AccessDenied)",
        "refuses with 403 (AccessDenied)",
    );
    check(Passage::Silent, "does not answer in time", "no answer within 2 seconds");
    assert_eq!(texts(&task, "s"), ["before"]);
    assert_eq!(send(&task, "s", "after").status, 201);
    assert_eq!(texts(&bucket.task(), "s"), ["after", "before"]);
}

#[test]
fn a_bucket_that_is_not_there_is_said_not_to_be_and_used_once_it_is() {
    let test = "a_bucket_that_is_not_there_is_said_not_to_be_and_used_once_it_is";
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(reason) => return skip(test, &reason),
    };
    let way = Way::to(port(&moto));
    let bucket = Bucket { moto, way };
    let task = bucket.task();
    let refused = send(&task, "s", "too early");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("NoSuchBucket"), "{refused:?}");
    assert_eq!(
        task.post("/get_chat_logs", &json!({ "stream_id": "s" })).status,
        503,
        "nobody knows that there is nothing"
    );
    assert_eq!(store_health(&task).0, 503);
    bucket.make();
    assert_eq!(store_health(&task).0, 200);
    assert_eq!(send(&task, "s", "now").status, 201);
    assert_eq!(texts(&task, "s"), ["now"]);
}

#[test]
fn an_answer_of_the_store_that_gets_lost_loses_no_message_and_doubles_none() {
    let Some(bucket) = Bucket::new("an_answer_of_the_store_that_gets_lost_loses_no_message_and_doubles_none") else {
        return;
    };
    let task = bucket.task();
    assert_eq!(send(&task, "s", "one").status, 201);
    bucket.way.set(Passage::WritesUnanswered);
    let unknown = send(&task, "s", "two");
    assert_eq!(unknown.status, 503, "{unknown:?}");
    bucket.way.set(Passage::Open);
    // It stands, which who sent it cannot know, so it is sent again.
    assert_eq!(send(&task, "s", "two").status, 200);
    assert_eq!(texts(&task, "s"), ["one", "two"]);
    assert_eq!(texts(&bucket.task(), "s"), ["one", "two"]);
}

#[test]
fn a_task_without_keys_signs_as_its_role() {
    let Some(bucket) = Bucket::new("a_task_without_keys_signs_as_its_role") else {
        return;
    };
    let credentials = Credentials::start();
    let mut variables = bucket.variables();
    variables.retain(|(name, _)| !name.contains("ACCESS_KEY"));
    variables.extend([
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "/v2/credentials/of-this-task".to_owned(),
        ),
        // The address of ECS's agent is no machine's own; a proxy may answer for it.
        ("HTTP_PROXY", credentials.url()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ]);
    let task = task(&variables);
    assert_eq!(send(&task, "s", "signed").status, 201);
    let asked = credentials.asked.lock().expect("nobody panics with it").clone();
    assert!(
        asked
            .iter()
            .all(|head| head.starts_with("GET http://169.254.170.2/v2/credentials/of-this-task HTTP/1.1")),
        "{asked:?}"
    );
    let heads = bucket.way.heads();
    let is_signed = |head: &String| {
        let head = head.to_lowercase();
        head.contains("credential=asia1/") && head.contains("x-amz-security-token: session-1")
    };
    assert!(!heads.is_empty() && heads.iter().all(is_signed), "{heads:?}");
    // Those are asked for anew before they end, which the next ones say is soon.
    assert_eq!(asked.len(), 1);
    credentials.end_soon();
    drop(task);
    let task = self::task(&variables);
    for text in ["again", "and again"] {
        assert_eq!(send(&task, "s", text).status, 201);
    }
    let count = credentials.asked.lock().expect("nobody panics with it").len();
    assert!(count > 2, "{count}");
}

/// ECS's agent, which hands out the credentials of a task's role:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
struct Credentials {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    years: Arc<AtomicUsize>,
}

impl Credentials {
    fn start() -> Self {
        use std::io::Write as _;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let years = Arc::new(AtomicUsize::new(2100));
        let (asking, ending) = (Arc::clone(&asked), Arc::clone(&years));
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let Ok(Some((head, _))) = read_request(&mut client) else {
                    continue;
                };
                asking.lock().expect("nobody panics with it").push(head);
                let body = json!({
                    "RoleArn": "arn:aws:iam::123456789012:role/karma", "AccessKeyId": "ASIA1", "SecretAccessKey": "s",
                    "Token": "session-1", "Expiration": format!("{}-01-01T00:00:00Z", ending.load(Ordering::Relaxed)),
                })
                .to_string();
                let head = format!(
                    "Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}",
                    body.len()
                );
                // Who asked may have gone.
                let _ = write!(client, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
            }
        });
        Self { port, asked, years }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn end_soon(&self) {
        self.years.store(2020, Ordering::Relaxed);
    }
}

#[test]
fn many_processes_on_one_directory_write_one_journal_without_a_gap() {
    const PROCESSES: usize = 5;
    const EACH: usize = 12;
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let store = [("STORE_URL", format!("file://{}", directory.path().display()))];
    let tasks: Vec<Agent> = (0..PROCESSES).map(|_| task(&store)).collect();
    let sending = tasks.iter().enumerate().map(|(number, task)| {
        move || {
            for message in 0..EACH {
                let sent = send(task, "s", &format!("{number}-{message}"));
                assert_eq!(sent.status, 201, "{sent:?}");
            }
        }
    });
    at_once(sending.collect());
    let journal = directory.path().join("karma-hello/journal/messages");
    let entries: BTreeSet<String> = fs::read_dir(journal)
        .expect("there is a journal")
        .map(|entry| {
            entry
                .expect("it can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let expected: BTreeSet<String> = (1..=PROCESSES * EACH).map(|number| format!("{number:020}")).collect();
    assert_eq!(entries, expected);
    let newcomer = task(&store);
    let (given, told): (BTreeSet<String>, BTreeSet<String>) = (
        texts(&newcomer, "s").into_iter().collect(),
        (0..PROCESSES)
            .flat_map(|number| (0..EACH).map(move |message| format!("{number}-{message}")))
            .collect(),
    );
    assert_eq!(given, told);
}

/// Who sells in these tests, who buys, and for how much.
const SELLER: usize = 1;
const BUYER: usize = 2;
const PRICE: u128 = 10_000;

/// A chain, and a bucket for the agents on it.
fn chain_and_bucket(test: &str) -> Option<(Chain, Bucket)> {
    let chain = Chain::start().map_err(|reason| skip(test, &reason)).ok()?;
    Some((chain, Bucket::new(test)?))
}

fn on_chain(chain: &Chain, bucket: &Bucket, name: &str, account: usize, more: &[(&str, &str)]) -> Agent {
    let shared = bucket.variables();
    let shared = shared.iter().map(|(name, value)| (*name, value.as_str()));
    let variables: Vec<(&str, &str)> = shared.chain(more.iter().copied()).collect();
    chain.agent(name, account, &variables)
}

#[test]
fn one_payment_sent_to_two_sellers_at_once_is_taken_once() {
    let Some((chain, bucket)) = chain_and_bucket("one_payment_sent_to_two_sellers_at_once_is_taken_once") else {
        return;
    };
    let sell = || {
        on_chain(
            &chain,
            &bucket,
            "karma-hello",
            SELLER,
            &[("PRICES", "get_chat_logs=10000")],
        )
    };
    let sellers = [sell(), sell()];
    let (head, body) = signed_payment(&chain, sellers[0].port());
    let sold = chain.balance(SELLER);
    let asks = (0..8).map(|number| {
        let (port, head, body) = (sellers[number % 2].port(), &head, &body);
        move || pass_on(port, head, body).map(|answer| String::from_utf8_lossy(&answer).into_owned())
    });
    let answers = at_once(asks.collect());
    let answers: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect("the sellers answer"))
        .collect();
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.starts_with("HTTP/1.1 200"));
    assert_eq!(served.len(), 1, "{answers:#?}");
    for answer in refused {
        assert!(
            answer.starts_with("HTTP/1.1 402") && answer.contains("the payment is used"),
            "{answer}"
        );
    }
    assert_eq!(chain.balance(SELLER), sold + PRICE);
}

/// A request with a payment that no seller has seen: whoever buys is cut off when he pays.
fn signed_payment(chain: &Chain, seller: u16) -> (String, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/get_chat_logs", listener.local_addr().expect("it is bound"));
    thread::scope(|scope| {
        let listening = scope.spawn(move || {
            loop {
                let (mut client, _) = listener.accept().expect("a buyer comes");
                let Ok(Some((head, body))) = read_request(&mut client) else {
                    continue;
                };
                if head.to_lowercase().contains("payment-signature:") {
                    return (head, body);
                }
                answer(&mut client, &pass_on(seller, &head, &body).expect("the seller answers"));
            }
        });
        chain.command(BUYER, &["ask", &url, r#"{"limit": 1}"#]);
        listening.join().expect("listening does not panic")
    })
}

fn answer(client: &mut TcpStream, bytes: &[u8]) {
    use std::io::Write as _;
    client.write_all(bytes).expect("the buyer listens");
}

#[test]
fn the_cap_of_a_day_holds_for_two_tasks_that_buy_at_once() {
    let Some((chain, bucket)) = chain_and_bucket("the_cap_of_a_day_holds_for_two_tasks_that_buy_at_once") else {
        return;
    };
    let seller = on_chain(
        &chain,
        &bucket,
        "karma-hello",
        SELLER,
        &[("PRICES", "get_chat_logs=10000")],
    );
    let url = seller.url();
    let caps = [
        ("KARMA_HELLO_URL", url.as_str()),
        ("PRICES", "extract_skill_profile=0"),
        ("SPEND_PER_TASK", "10000"),
        ("SPEND_PER_DAY", "15000"),
    ];
    let buy = || on_chain(&chain, &bucket, "skill-extractor", BUYER, &caps);
    let buyers = [buy(), buy()];
    let before = chain.balance(BUYER);
    let asks = buyers
        .iter()
        .map(|buyer| move || buyer.post("/extract_skill_profile", &json!({ "username": "vera_solidity" })));
    let answers = at_once(asks.collect());
    let (bought, refused): (Vec<Reply>, Vec<Reply>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((bought.len(), refused.len()), (1, 1), "{refused:?}");
    assert_eq!(refused[0].status, 503, "{refused:?}");
    assert!(
        refused[0].body.contains("10000 base units of 15000 are spent today"),
        "{refused:?}"
    );
    assert_eq!(chain.balance(BUYER), before - PRICE);
}
