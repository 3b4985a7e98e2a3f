//! Every agent, driven by a client that is none of ours: the A2A project's own, in Python.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use karma_e2e::karma::{agent_binary, repository, request, target_directory, wait_until};
use karma_e2e::{python, skip};
use serde_json::{Value, json};

/// A program that ends with this value.
struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts an agent and waits until it answers.
fn start(agent: &str, karma_hello: Option<u16>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    drop(listener);
    let log = tempfile::tempfile_in(target_directory()).expect("the target directory can be written");
    let mut command = Command::new(agent_binary());
    command
        .arg(agent)
        .env_clear()
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("DATA_DIR", repository().join("crates/agents/data"))
        .envs(karma_hello.map(|port| ("KARMA_HELLO_URL", format!("http://127.0.0.1:{port}"))))
        .stdin(Stdio::null())
        .stdout(log);
    let child = command.spawn().expect("the agent can be started");
    let running = Running { child, port };
    wait_until("the agent answers", || {
        let reply = request(port, "GET", "/health", "").ok()?;
        (reply.status == 200).then_some(())
    });
    running
}

fn drive(python: &std::path::Path, agent: &str, port: u16, data: &Value) {
    let status = Command::new(python)
        .arg(repository().join("e2e/a2a/drive.py"))
        .arg(format!("http://127.0.0.1:{port}/{agent}"))
        .arg(data.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .expect("Python can be started");
    assert!(status.success(), "{agent}");
}

#[test]
fn a_stranger_with_the_protocols_own_client_is_served_by_every_agent() {
    let python = match python::program("a2a", "python") {
        Ok(python) => python,
        Err(reason) => {
            return skip(
                "a_stranger_with_the_protocols_own_client_is_served_by_every_agent",
                &reason,
            );
        }
    };
    let karma_hello = start("karma-hello", None);
    let peer = Some(karma_hello.port);
    let check = |agent: &str, port: u16, skill: &str, input: Value| {
        drive(&python, agent, port, &json!({ "skill": skill, "input": input }));
    };
    check("karma-hello", karma_hello.port, "get_chat_logs", json!({ "limit": 3 }));
    let validator = start("validator", None);
    let log = json!({ "messages": [{ "timestamp": "2026-01-12T18:00:00Z", "user": "ana", "message": "hola" }] });
    let question = json!({ "data_type": "chat_logs", "data_content": log });
    check("validator", validator.port, "validate", question);
    let abracadabra = start("abracadabra", peer);
    check("abracadabra", abracadabra.port, "search", json!({ "q": "contract" }));
    for (agent, skill) in [
        ("skill-extractor", "extract_skill_profile"),
        ("voice-extractor", "extract_voice_profile"),
    ] {
        let running = start(agent, peer);
        check(agent, running.port, skill, json!({ "username": "maya_codes" }));
    }
}
