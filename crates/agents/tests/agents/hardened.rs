//! What a caller must not be able to do: hold a connection, hold up a health check, or send what is not his to send.

use std::sync::Arc;

use axum::routing::post;
use axum::{Json, Router};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::harness::{client, shipped, start};

/// What comes until the agent ends the connection, on a paused clock: patience ends as soon as nothing else happens.
async fn end_of(sent: &str) -> String {
    let agent = start("karma-hello", &[]).await;
    let mut stream = TcpStream::connect(agent.address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may be reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_head_is_cut_off() {
    for head in ["", "G", "GET /health HTTP/1.1\r\nHost: agent\r\nX-Slow: "] {
        assert_eq!(end_of(head).await, "", "{head:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_second_head_is_cut_off_too() {
    let answer = end_of("GET /health HTTP/1.1\r\nHost: agent\r\n\r\nGET /hea").await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_body_is_told_so() {
    let head = "POST /chat_logs HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n";
    for sent in [
        format!("{head}Content-Length: 100\r\n\r\n{{\"stream"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n4\r\n{{\"st\r\n"),
    ] {
        let answer = end_of(&sent).await;
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("slow_body"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn who_waits_for_an_answer_that_takes_its_time_is_not_cut_off() {
    // Longer than a head may take, on a clock that runs only while nobody has anything to do.
    let (listener, agent_asks) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::new(Notify::new()));
    let url = format!("http://{}", listener.local_addr().unwrap());
    let agent = start("voice-extractor", &[("KARMA_HELLO_URL", &url)]).await;
    let asked = agent_asks.clone();
    let _silent = tokio::spawn(async move {
        let held = listener.accept().await.unwrap();
        asked.notify_one();
        std::future::pending::<()>().await;
        drop(held);
    });
    let question = json!({ "username": "ana" });
    let (answer, ()) = tokio::join!(agent.post("/extract_voice_profile", &question), async {
        agent_asks.notified().await;
        tokio::time::pause();
    });
    assert_eq!(answer.0, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
}

#[tokio::test]
async fn a_slow_language_model_holds_up_no_health_check() {
    let (asked, answered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let model = {
        let (asked, answered) = (asked.clone(), answered.clone());
        move || async move {
            asked.notify_one();
            answered.notified().await;
            (StatusCode::BAD_REQUEST, Json(json!({})))
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(model));
    let _serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let karma_hello = start("karma-hello", &[]).await;
    let extractor = start(
        "skill-extractor",
        &[("KARMA_HELLO_URL", &karma_hello.url()), ("OPENAI_BASE_URL", &url)],
    )
    .await;
    let question = json!({ "username": "vera_solidity" });
    let ((status, profile), ()) = tokio::join!(extractor.post("/extract_skill_profile", &question), async {
        asked.notified().await;
        // The model says nothing before the health check has answered.
        assert_eq!(extractor.get("/health").await.0, StatusCode::OK);
        answered.notify_one();
    });
    assert_eq!(
        (status, &profile["language_model"]["asked"]),
        (StatusCode::OK, &json!(true)),
        "{profile}"
    );
}

/// A transcript, whatever it is.
fn transcript() -> Value {
    let mut transcript = shipped("abracadabra/transcription_20260112.json");
    transcript["stream_id"] = json!("sent");
    transcript
}

fn chat_log() -> Value {
    let mut log = shipped("karma-hello/chat_logs_20260112.json");
    log["stream_id"] = json!("sent");
    log
}

#[tokio::test]
async fn with_a_token_only_who_shows_it_may_send_and_everybody_may_ask() {
    const TOKEN: &str = "a-token-of-the-tests";
    let check = async |agent: &'static str, path: &str, body: Value, asks: &str| {
        let agent = start(agent, &[("INGEST_TOKEN", TOKEN)]).await;
        let send = async |path: &str, authorization: Option<&str>| {
            let mut request = client().post(format!("{}{path}", agent.url())).body(body.to_string());
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            request.send().await.unwrap()
        };
        for wrong in [
            None,
            Some("Bearer another-token-of-the-tests"),
            Some("Bearer "),
            Some(TOKEN),
        ] {
            for path in [path.to_owned(), format!("/{}{path}", agent_name(path))] {
                let answer = send(&path, wrong).await;
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}: {wrong:?}");
                assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            }
        }
        assert_eq!(agent.get(asks).await.0, StatusCode::OK);
        // A body that nobody could take is not even looked at.
        assert_ne!(
            send(path, Some(&format!("Bearer {TOKEN}"))).await.status(),
            StatusCode::UNAUTHORIZED
        );
    };
    check("karma-hello", "/chat_logs", chat_log(), "/streams").await;
    check("abracadabra", "/transcripts", transcript(), "/transcripts").await;
    check("abracadabra", "/aws_transcripts", json!({}), "/transcripts").await;
}

fn agent_name(path: &str) -> &'static str {
    if path == "/chat_logs" {
        "karma-hello"
    } else {
        "abracadabra"
    }
}

#[tokio::test]
async fn without_a_token_everybody_may_send() {
    let agent = start("karma-hello", &[]).await;
    assert_eq!(agent.post("/chat_logs", &chat_log()).await.0, StatusCode::CREATED);
}
