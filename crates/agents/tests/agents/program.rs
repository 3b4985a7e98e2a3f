//! The real program: its arguments, its settings, its logs, and stopping without losing a request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::harness::shipped_data;

const PROGRAM: &str = env!("CARGO_BIN_EXE_karma-agent");
const PATIENCE: Duration = Duration::from_secs(20);

fn command(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().envs(settings.iter().copied());
    command
}

fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    command(arguments, settings).output().unwrap()
}

/// An agent in a process of its own.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    /// Its log, read as it is written: a full pipe would hold the agent up.
    log: mpsc::Receiver<Value>,
}

impl Process {
    /// Starts karma-hello and waits until it listens.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Process {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (port, data) = (free.port().to_string(), shipped_data());
        let mut command = command(&["karma-hello"], settings);
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", port)
            .env("DATA_DIR", data)
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = read_log(child.stdout.take().unwrap());
        let process = Process {
            child,
            address: free,
            log,
        };
        process.wait_for("listening");
        process
    }

    /// Reads the log up to the line with this message.
    pub(crate) fn wait_for(&self, message: &str) -> Value {
        loop {
            let line = self
                .log
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|end| panic!("no `{message}` in the log: {end}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// The status of a request on a connection of its own.
    pub(crate) fn ask(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amzn-trace-id: Root=1-2-3\r\n\r\n"
        )
        .unwrap();
        status(&mut stream)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Waits for the end and gives the exit code and how long it took.
    fn exit(mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            std::thread::yield_now();
        }
        panic!("it still runs");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_log(stdout: ChildStdout) -> mpsc::Receiver<Value> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            // A line that is no JSON ends the log, and with it the test that waits for more.
            let read = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            if read.is_none_or(|line| sender.send(line).is_err()) {
                return;
            }
        }
    });
    lines
}

fn status(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn it_answers_until_nobody_asks_any_more() {
    let process = Process::start(&[("DRAIN_QUIET_SECONDS", "1")]);
    process.signal(Signal::SIGTERM);
    process.wait_for("draining");
    let begun = Instant::now();
    let mut answered = 0;
    while begun.elapsed() < Duration::from_millis(2500) {
        assert_eq!(process.ask("/karma-hello/streams"), "200", "after {answered} answers");
        answered += 1;
    }
    let address = process.address;
    let (code, took) = process.exit();
    assert_eq!(code, Some(0));
    assert!(took > Duration::from_millis(500), "{took:?} is no quiet time");
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn health_checks_do_not_keep_it() {
    let process = Process::start(&[("DRAIN_QUIET_SECONDS", "0.5")]);
    process.signal(Signal::SIGINT);
    process.wait_for("draining");
    while let Ok(mut stream) = TcpStream::connect(process.address) {
        // The last one may come too late: it stops just then.
        let _ = write!(stream, "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(process.exit().0, Some(0));
}

#[test]
fn what_has_begun_is_finished() {
    let process = Process::start(&[("DRAIN_QUIET_SECONDS", "0.1")]);
    let body = r#"{"stream_id":"n","stream_date":"2026-02-01","stream_title":"n","streamer":"n","messages":[]}"#;
    let (first, rest) = body.split_at(20);
    let mut stream = process.connect();
    write!(
        stream,
        "POST /chat_logs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    process.signal(Signal::SIGTERM);
    process.wait_for("draining");
    stream.write_all(rest.as_bytes()).unwrap();
    assert_eq!(status(&mut stream), "200");
    assert_eq!(process.exit().0, Some(0));
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let process = Process::start(&[("DRAIN_QUIET_SECONDS", "60")]);
    process.signal(Signal::SIGTERM);
    process.wait_for("draining");
    process.signal(Signal::SIGINT);
    let line = process.wait_for("stopped at once");
    assert_eq!(line["reason"], "SIGINT");
    assert_eq!(process.exit().0, Some(0));
}

#[test]
fn the_stop_timeout_ends_it_under_load() {
    let process = Process::start(&[("DRAIN_QUIET_SECONDS", "60"), ("STOP_TIMEOUT_SECONDS", "0.5")]);
    process.signal(Signal::SIGTERM);
    let line = process.wait_for("closing");
    assert_eq!(line["quiet"], false);
    assert_eq!(process.exit().0, Some(0));
}

#[test]
fn a_request_has_one_line_and_no_personal_text() {
    let process = Process::start(&[]);
    assert_eq!(process.ask("/karma-hello/get_chat_logs?users=secret_name"), "200");
    let line = process.wait_for("request");
    assert_eq!(
        (line["route"].as_str(), line["status"].as_u64()),
        (Some("/karma-hello/get_chat_logs"), Some(200))
    );
    assert_eq!(
        (line["trace_id"].as_str(), line["agent"].as_str()),
        (Some("Root=1-2-3"), Some("karma-hello"))
    );
    assert!(line["duration_us"].is_u64() && line["timestamp"].is_string());
    assert!(!line.to_string().contains("secret_name"), "{line}");
}

#[test]
fn the_health_command_asks_the_running_agent() {
    let process = Process::start(&[]);
    let port = process.address.port().to_string();
    assert_eq!(run(&["health"], &[("PORT", &port)]).status.code(), Some(0));
    drop(process);
    let output = run(&["health"], &[("PORT", &port)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no answer"));
    assert_eq!(
        run(&["health"], &[]).status.code(),
        Some(1),
        "without a port there is nobody to ask"
    );
}

#[test]
fn a_silent_agent_is_not_healthy() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    assert_eq!(run(&["health"], &[("PORT", &port)]).status.code(), Some(1));
}

#[test]
fn wrong_usage_is_64_and_names_the_agents() {
    let output = run(&["parrot"], &[]);
    assert_eq!(output.status.code(), Some(64));
    let message = String::from_utf8(output.stderr).unwrap();
    for agent in &karma_agents::AGENTS {
        assert!(message.contains(agent.name), "{message}");
    }
    assert_eq!(run(&[], &[]).status.code(), Some(64));
    assert_eq!(run(&["--help"], &[]).status.code(), Some(0));
    let version = String::from_utf8(run(&["--version"], &[]).stdout).unwrap();
    assert_eq!(version, format!("karma-agent {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_demo_that_cannot_begin_says_so_as_an_event_and_with_its_code() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["demo", &format!("http://{closed}")], &[]);
    assert_eq!(output.status.code(), Some(1));
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["event"], "refused");
    let reason = event["reason"].as_str().unwrap();
    assert!(reason.starts_with("validator cannot be asked how it is: "), "{reason}");
    assert!(event["hint"].as_str().unwrap().contains("karma status"), "{event}");
    let check = |url: &str, code: i32, expected: &str| {
        let output = run(&["demo", url], &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.contains(expected)),
            (Some(code), true),
            "{said}"
        );
    };
    check("ftp://x", 2, "the URL has the scheme `ftp`: give http or https");
    check("", 2, "the URL is not a URL");
}

#[test]
fn what_keeps_it_from_starting_is_one_line_of_the_log() {
    let data = shipped_data();
    let data = data.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let check = |agent: &str, settings: &[(&str, &str)], reason: &str| {
        let output = run(&[agent], settings);
        assert_eq!(output.status.code(), Some(2), "{reason}");
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (line["level"].as_str(), line["agent"].as_str()),
            (Some("error"), Some(agent))
        );
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
    };
    check("validator", &[("DATA_DIR", data)], "PORT: is not set");
    check(
        "validator",
        &[("PORT", "9001 # mine"), ("DATA_DIR", data)],
        "PORT: holds a comment",
    );
    check(
        "skill-extractor",
        &[("PORT", "9004"), ("DATA_DIR", data)],
        "KARMA_HELLO_URL: is not set",
    );
    check(
        "karma-hello",
        &[("PORT", "9002"), ("DATA_DIR", "/nowhere")],
        "could not read /nowhere/karma-hello",
    );
    check(
        "validator",
        &[("PORT", &port), ("HOST", "127.0.0.1"), ("DATA_DIR", data)],
        "Address already in use",
    );
}

#[test]
fn a_bad_data_file_is_named_with_the_place() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().join("karma-hello");
    std::fs::create_dir(&directory).unwrap();
    let check = |log: &str, reason: &str| {
        std::fs::write(directory.join("chat.json"), log).unwrap();
        let output = run(
            &["karma-hello"],
            &[("PORT", "9002"), ("DATA_DIR", data.path().to_str().unwrap())],
        );
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = line["reason"].as_str().unwrap();
        assert!(found.contains("chat.json") && found.contains(reason), "{found}");
    };
    let log = r#""stream_id":"n","stream_date":"2026-02-01","stream_title":"n","streamer":"n""#;
    check(
        &format!(r#"{{{log},"messages":[],"total_messages":156}}"#),
        "total_messages: the log claims 156 and holds 0",
    );
    check(&format!(r#"{{{log},"messages":[{{"timestamp":"now"}}]}}"#), "timestamp");
    check("not json", "expected");
}
