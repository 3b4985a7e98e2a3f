//! What is logged: one line for each request, with nothing that a user wrote and no secret in it, whatever is sent and wherever.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use karma_agents::{AGENTS, Agent, Route};
use serde_json::{Value, json};

use crate::harness::shipped_data;

/// What stands for anything personal, and may stand in no line.
const PERSONAL: &str = "zaphod.beeblebrox";
/// What may be neither in a line nor in an answer.
const SECRET: &str = "5ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4";
const PATIENCE: Duration = Duration::from_secs(30);

/// Routes that are nobody's skill.
const OTHERS: [&str; 9] = [
    "/",
    "/health",
    "/metrics",
    "/.well-known/agent-card.json",
    "/streams",
    "/chat_logs",
    "/transcripts",
    "/aws_transcripts",
    "/zaphod.beeblebrox",
];

/// The program, with its output in a file.
struct Quiet {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
    answers: String,
    asked: usize,
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Quiet {
    fn start(agent: &Agent) -> Quiet {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("log")).unwrap();
        let nobody = format!("http://127.0.0.1:9/{SECRET}");
        let child = Command::new(env!("CARGO_BIN_EXE_karma-agent"))
            .arg(agent.name)
            .env_clear()
            .envs([("HOST", "127.0.0.1"), ("LOG_LEVEL", "debug"), ("PUSH_REACH", "any")])
            .env("PORT", port.to_string())
            .env("DATA_DIR", shipped_data())
            .env("KARMA_HELLO_URL", "http://127.0.0.1:9")
            .envs([("OPENAI_API_KEY", SECRET), ("INGEST_TOKEN", SECRET)])
            .env("OPENAI_BASE_URL", &nobody)
            .env("PRIVATE_KEY", format!("0x{SECRET}"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://xray.eu-west-1.amazonaws.com")
            .env("AWS_ENDPOINT_URL_XRAY", &nobody)
            .envs([("AWS_ACCESS_KEY_ID", SECRET), ("AWS_SECRET_ACCESS_KEY", SECRET)])
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let quiet = Quiet {
            child,
            port,
            directory,
            answers: String::new(),
            asked: 0,
        };
        quiet.wait_for("listening", 1);
        quiet
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Waits for so many lines with this message.
    fn wait_for(&self, message: &str, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let lines = whole.lines().map(|line| {
                serde_json::from_str(line).unwrap_or_else(|_| panic!("a line of the log is no JSON: {line}"))
            });
            let found: Vec<Value> = lines.filter(|line: &Value| line["message"] == message).collect();
            if found.len() >= count {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {count} `{message}`: {log}",
                found.len()
            );
            std::thread::yield_now();
        }
    }

    /// Sends one request with the marker in every place that a caller can write to.
    fn ask(&mut self, method: &str, path: &str, body: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {PERSONAL}\r\nconnection: close\r\n\
             x-amzn-trace-id: Root=1-67891233-abcdef012345678912345678;CalledFrom={PERSONAL}\r\n\
             authorization: Bearer {PERSONAL}\r\npayment-signature: {PERSONAL}\r\nx-forwarded-for: {PERSONAL}\r\nuser-agent: {PERSONAL}\r\n\
             a2a-version: 1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream.read_to_string(&mut self.answers).unwrap();
        self.asked += 1;
    }
}

/// Bodies that are wrong in every way, and some that are right.
fn bodies(agent: &Agent) -> Vec<String> {
    let message = json!({ "id": PERSONAL, "user": PERSONAL, "message": PERSONAL, "timestamp": "2026-01-12T18:00:00Z" });
    let log = json!({
        "stream_id": PERSONAL, "stream_date": "2026-01-12", "stream_title": PERSONAL, "streamer": PERSONAL, "messages": [message],
    });
    let skill = agent.skills[0].id;
    let data = json!({ "skill": skill, "username": PERSONAL, "users": [PERSONAL], "query": PERSONAL });
    let a2a = |part: Value| {
        let message =
            json!({ "messageId": PERSONAL, "role": "ROLE_USER", "parts": [part], "metadata": { "skill": skill } });
        let push = json!({ "url": format!("http://127.0.0.1:9/{PERSONAL}"), "token": PERSONAL });
        let configuration = json!({ "taskPushNotificationConfig": push });
        json!({ "jsonrpc": "2.0", "id": PERSONAL, "method": "SendMessage",
                "params": { "message": message, "configuration": configuration } })
    };
    let method = json!({ "jsonrpc": "2.0", "id": 1, "method": PERSONAL, "params": { "id": PERSONAL } });
    let task = json!({ "jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": { "id": PERSONAL } });
    [
        Value::Null,
        json!(PERSONAL),
        json!({ PERSONAL: PERSONAL }),
        json!({ "username": PERSONAL }),
        json!({ "query": PERSONAL }),
        json!({ "users": [PERSONAL], "limit": PERSONAL }),
        json!({ "data_type": "chat_logs", "data_content": log, "seller": PERSONAL }),
        log,
        a2a(json!({ "text": PERSONAL })),
        a2a(json!({ "data": data })),
        method,
        task,
    ]
    .iter()
    .map(Value::to_string)
    .chain([format!("{{{PERSONAL}"), String::new()])
    .collect()
}

fn check(agent: &Agent) {
    let mut quiet = Quiet::start(agent);
    let skills = agent.skills.iter().map(|skill| {
        let (Route::Get(path) | Route::Post(path)) = skill.route;
        path
    });
    let paths: Vec<&str> = skills.chain(OTHERS).collect();
    let prefixed = paths
        .iter()
        .map(|path| format!("/{}{path}?deep=1&user={PERSONAL}", agent.name));
    for path in paths.iter().map(|path| (*path).to_owned()).chain(prefixed) {
        quiet.ask("GET", &path, "");
        quiet.ask("ZAPHOD.BEEBLEBROX", &path, "");
        for body in bodies(agent) {
            quiet.ask("POST", &path, &body);
        }
    }
    quiet.ask("GET", "/health?deep=1", "");
    quiet.wait_for("spans are not taken", 1);
    let lines = quiet.wait_for("request", quiet.asked);
    assert_eq!(lines.len(), quiet.asked, "one line for each request");
    for line in &lines {
        let trace_id = line["trace_id"].as_str().unwrap();
        assert!(
            trace_id.starts_with("Root=1-67891233-abcdef012345678912345678"),
            "{line}"
        );
        let numbers = ["status", "duration_us", "asked_bytes", "answered_bytes"];
        assert!(numbers.iter().all(|number| line[number].is_u64()), "{line}");
    }
    holds_nothing(&quiet.log(), &[PERSONAL, SECRET]);
    holds_nothing(&quiet.answers, &[SECRET]);
}

fn holds_nothing(text: &str, markers: &[&str]) {
    let mut lines = text.lines();
    let found = lines.find(|line| markers.iter().any(|marker| line.to_lowercase().contains(marker)));
    assert_eq!(found, None);
}

#[test]
fn no_line_holds_what_a_user_wrote_nor_a_secret() {
    for agent in &AGENTS {
        check(agent);
    }
}

/// What keeps an agent from starting is told without the value that does.
#[test]
fn a_secret_that_is_of_no_use_is_not_shown() {
    let check = |variable: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_karma-agent"))
            .arg("validator")
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "1"),
                ("CHAIN_ID", "1"),
                ("TOKEN_ADDRESS", TOKEN),
            ])
            .env("DATA_DIR", Path::new("/nowhere"))
            .env("CHAIN_RPC_URL", "http://127.0.0.1:9")
            .env("PRIVATE_KEY", format!("0x{SECRET}"))
            .env(variable, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("could not start"), "{said}");
        holds_nothing(&said, &[SECRET]);
    };
    check("CHAIN_RPC_URL", &format!("http://127.0.0.1:9/{SECRET}"));
    check("CHAIN_RPC_URL", &format!("http://{SECRET}@127.0.0.1:9/"));
    check("CHAIN_RPC_URL", &format!("http://127.0.0.1:9/?key={SECRET}"));
    check("CHAIN_RPC_URL", &format!("ws://127.0.0.1:9/{SECRET}"));
    check("PRIVATE_KEY", &format!("{SECRET}00"));
    check("PRIVATE_KEY", &format!("0x{SECRET} # mine"));
    check("OPENAI_API_KEY", &format!("{SECRET} {SECRET}"));
    check("OPENAI_BASE_URL", &format!("http://{SECRET}:x@host/v1"));
    check("OPENAI_BASE_URL", &format!("http://host/v1?key={SECRET}"));
}

const TOKEN: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
