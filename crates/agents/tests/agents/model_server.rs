//! A server that speaks OpenAI's API and behaves, or misbehaves, as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What is done with one question.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Answers with this text, whole or as a stream, as it is asked.
    Say(String),
    /// The same, and counts so many tokens.
    Spend(String, u64),
    /// A status with headers and a body of JSON.
    Refuse(StatusCode, Vec<(&'static str, String)>, Value),
    /// This body of this content type, with 200.
    Raw(&'static str, String),
    /// Begins a stream, and breaks the connection.
    CutStream(String),
    /// Begins a stream, and ends it without having said that it is done.
    EndStream(String),
    /// Never answers.
    Silence,
}

/// A question as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// The server. It ends with this value. When nothing is left to do it goes on with the last thing.
#[derive(Debug)]
pub(crate) struct ModelServer {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Shared {
    behaviours: Arc<Mutex<VecDeque<Behaviour>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl ModelServer {
    pub(crate) async fn start(behaviours: impl IntoIterator<Item = Behaviour>) -> ModelServer {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            behaviours: Arc::new(Mutex::new(behaviours.into_iter().collect())),
            asked: asked.clone(),
        };
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embeddings))
            .route("/v1/models", get(async || Json(json!({ "data": [] }))))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        ModelServer {
            url: format!("http://{}/v1", listener.local_addr().unwrap()),
            asked,
            serving: tokio::spawn(async move { axum::serve(listener, router).await }),
        }
    }

    /// The questions so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn chat(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let is_streamed = body["stream"] == true;
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    shared.asked.lock().unwrap().push(Asked { authorization, body });
    let behaviour = {
        let mut behaviours = shared.behaviours.lock().unwrap();
        if behaviours.len() > 1 {
            behaviours.pop_front()
        } else {
            behaviours.front().cloned()
        }
    };
    behave(behaviour.expect("a test says what to do"), is_streamed).await
}

async fn behave(behaviour: Behaviour, is_streamed: bool) -> Response {
    match behaviour {
        Behaviour::Say(text) if is_streamed => streamed(&text, 17, &["[DONE]"]),
        Behaviour::Say(text) => whole(&text, 17),
        Behaviour::Spend(text, tokens) => whole(&text, tokens),
        Behaviour::Refuse(status, headers, body) => {
            let mut response = (status, Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Behaviour::Raw(content_type, body) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        Behaviour::CutStream(text) => cut(&text),
        Behaviour::EndStream(text) => {
            let body = format!("data: {}\n\n", chunk(&text, None));
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Behaviour::Silence => std::future::pending().await,
    }
}

fn whole(text: &str, tokens: u64) -> Response {
    let message = json!({ "role": "assistant", "content": text });
    Json(json!({
        "model": "stub-1",
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": tokens, "completion_tokens": 3, "total_tokens": tokens + 3 },
    }))
    .into_response()
}

/// The text in pieces of three letters.
fn streamed(text: &str, tokens: u64, end: &[&str]) -> Response {
    let letters: Vec<char> = text.chars().collect();
    let mut events: Vec<String> = letters
        .chunks(3)
        .map(|piece| chunk(&piece.iter().collect::<String>(), None))
        .collect();
    events.push(chunk("", Some("stop")));
    let usage =
        json!({ "model": "stub-1", "choices": [], "usage": { "prompt_tokens": tokens, "completion_tokens": 3 } });
    events.push(usage.to_string());
    events.extend(end.iter().map(ToString::to_string));
    let body: String = events.iter().map(|event| ["data: ", event, "\n\n"].concat()).collect();
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}

fn chunk(piece: &str, finish_reason: Option<&str>) -> String {
    json!({ "model": "stub-1", "choices": [{ "index": 0, "delta": { "content": piece }, "finish_reason": finish_reason }] })
        .to_string()
}

/// A stream that breaks off in the middle of an event.
fn cut(text: &str) -> Response {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    let begun = format!("data: {}\n\ndata: {{\"cho", chunk(text, None));
    tokio::spawn(async move {
        let _ = sender.send(Ok(begun.into())).await;
        // The client must see the first piece before the end.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = sender.send(Err(std::io::Error::other("cut"))).await;
    });
    let body = Body::from_stream(futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    }));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Vectors that count the letters of a text: equal texts point the same way.
async fn embeddings(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let count = |text: &str, letter: char| text.to_lowercase().matches(letter).count();
    let vector = |text: &str| ('a'..='z').map(|letter| count(text, letter)).collect::<Vec<_>>();
    let texts = body["input"].as_array().unwrap().clone();
    let data = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({ "index": index, "embedding": vector(text.as_str().unwrap()) }));
    let answer = json!({ "data": data.collect::<Vec<_>>(), "usage": { "prompt_tokens": 5, "total_tokens": 5 } });
    shared.asked.lock().unwrap().push(Asked {
        authorization: None,
        body,
    });
    Json(answer)
}
