//! Spans as an agent on AWS sends them: botocore checks who has signed them, and OpenTelemetry's own messages what they say.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use karma_e2e::karma::{free_port, repository, wait_until};
use karma_e2e::{agent, python, skip};
use serde_json::{Value, json};

const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "a/session+token=="),
];

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What stands for X-Ray, where it listens, and what it finds.
fn xray(python: &std::path::Path) -> (Running, String, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(python)
        .arg(repository().join("e2e/moto/traces.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(CREDENTIALS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let port = lines.next().and_then(Result::ok).expect("it says where it listens");
    (Running(child), format!("http://127.0.0.1:{port}"), lines)
}

fn karma_hello(xray: &str) -> (Running, u16) {
    let port = free_port();
    let child = agent::serving("karma-hello", port)
        .envs(CREDENTIALS)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://xray.eu-west-1.amazonaws.com")
        .env("OTEL_SERVICE_NAME", "karmacadabra-karma-hello")
        .env("AWS_ENDPOINT_URL_XRAY", xray)
        .spawn()
        .expect("karma-agent can be started");
    (Running(child), port)
}

#[test]
fn an_agents_spans_are_what_xray_takes() {
    let python = match python::program("moto", "python") {
        Ok(python) => python,
        Err(reason) => return skip("an_agents_spans_are_what_xray_takes", &reason),
    };
    let (_xray, url, lines) = xray(&python);
    let (_agent, port) = karma_hello(&url);
    let mut stream = wait_until("karma-hello", || TcpStream::connect(("127.0.0.1", port)).ok());
    let trace = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
    write!(
        stream,
        "GET /karma-hello/streams HTTP/1.1\r\nhost: a\r\nx-amzn-trace-id: {trace}\r\n\r\n"
    )
    .unwrap();

    let mut found: Vec<Value> = Vec::new();
    for line in lines {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(line["wrong"], Value::Null);
        found.push(line);
        let has = |path: &str| found.iter().any(|line| line["path"] == path);
        if has("/v1/traces") && has("/GetSamplingRules") {
            break;
        }
    }
    let sent = found.iter().find(|line| line["path"] == "/v1/traces").unwrap();
    let span = json!({ "name": "GET /karma-hello/streams", "trace": "67891233abcdef012345678912345678", "kind": 2 });
    assert_eq!(
        (&sent["service"], &sent["spans"]),
        (&json!("karmacadabra-karma-hello"), &json!([span]))
    );
}
