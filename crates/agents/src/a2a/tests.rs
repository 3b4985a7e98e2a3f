//! A2A over routes that do as a test wants, with stores that several tasks of a service share.

use std::sync::Arc;
use std::time::Duration;

use ::a2a::{Message, Part, Role, TaskState, error_code};
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tower::ServiceExt;

use super::record::Record;
use super::*;
use crate::agents::find_agent;
use crate::logging::Level;

/// A skill that echoes, one that fails as it is told, one that waits, and one that is paid.
fn skills(go: Arc<Notify>) -> Router {
    let echo = async |Json(input): Json<Value>| {
        let status = input["status"]
            .as_u64()
            .and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
        (status.unwrap_or(StatusCode::OK), Json(json!({ "echo": input })))
    };
    let wait = move || {
        let go = go.clone();
        async move {
            go.notified().await;
            Json(json!({ "waited": true }))
        }
    };
    Router::new()
        .route("/get_chat_logs", post(echo))
        .route("/streams", get(wait))
        .route("/chat_logs", post(paid))
}

async fn paid(headers: HeaderMap) -> Response {
    let base64 = |value: Value| STANDARD.encode(value.to_string());
    match headers.get("payment-signature") {
        None => {
            let required = base64(json!({ "x402Version": 2, "accepts": [] }));
            (
                StatusCode::PAYMENT_REQUIRED,
                [("payment-required", required)],
                Json(json!({})),
            )
                .into_response()
        }
        Some(payment) => {
            let payment: Value = serde_json::from_slice(&STANDARD.decode(payment).unwrap()).unwrap();
            let receipt = base64(json!({ "success": true, "transaction": "0x1" }));
            ([("payment-response", receipt)], Json(json!({ "paid": payment }))).into_response()
        }
    }
}

struct Service {
    a2a: A2a,
    go: Arc<Notify>,
}

fn service(store: &Store) -> Service {
    let agent = find_agent("karma-hello").unwrap();
    let go = Arc::new(Notify::new());
    let settings = Settings::read(|name| match name {
        "PORT" => Some("1".into()),
        "DATA_DIR" => Some("data".into()),
        "PUSH_REACH" => Some("any".into()),
        _ => None,
    });
    let log = Log::new(agent.name, Level::Error);
    let a2a = A2a::new(
        agent,
        skills(go.clone()),
        store.clone(),
        &settings.unwrap(),
        Activity::new(),
        log,
    );
    Service { a2a: a2a.unwrap(), go }
}

fn memory() -> Store {
    Store::open(None, "karma-hello").unwrap()
}

impl Service {
    async fn post(&self, version: Option<&str>, body: String) -> Response {
        let mut request = Request::post("/").header("content-type", "application/json");
        if let Some(version) = version {
            request = request.header("a2a-version", version);
        }
        let request = request.body(Body::from(body)).unwrap();
        self.a2a.routes().oneshot(request).await.unwrap()
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": "7", "method": method, "params": params }).to_string();
        let answer = self.post(Some("1.0"), body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&json!("2.0"), &json!("7")),
            "{answer}"
        );
        answer
    }

    /// The updates of a stream, to its end; `begun` happens when it has begun.
    async fn stream(&self, method: &str, params: Value, begun: impl FnOnce()) -> Vec<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string();
        let answer = self.post(Some("1.0"), body).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        begun();
        let mut text = String::new();
        let mut chunks = answer.into_body().into_data_stream();
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
        let events = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        events
            .map(|event| serde_json::from_str::<Value>(event).unwrap()["result"].clone())
            .collect()
    }

    async fn error(&self, method: &str, params: Value) -> (i64, Value) {
        let answer = self.call(method, params).await;
        let error = &answer["error"];
        let details = error["data"].as_array().unwrap();
        assert!(details.iter().all(|detail| detail["@type"].is_string()), "{error}");
        (error["code"].as_i64().unwrap(), error.clone())
    }

    async fn send(&self, skill: &str, input: Value) -> Value {
        self.call("SendMessage", send(skill, input)).await["result"]["task"].clone()
    }

    /// Begins a task that waits, and gives its id and context.
    async fn begin_waiting(&self) -> (String, String) {
        let mut params = send("list_streams", json!({}));
        params["configuration"] = json!({ "returnImmediately": true });
        let answer = self.call("SendMessage", params).await;
        let task = &answer["result"]["task"];
        assert_eq!(task["status"]["state"], "TASK_STATE_WORKING", "{answer}");
        let text = |field: &str| task[field].as_str().unwrap().to_owned();
        (text("id"), text("contextId"))
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller makes its input for this call"
)]
fn send(skill: &str, input: Value) -> Value {
    let data = json!({ "data": { "skill": skill, "input": input } });
    json!({ "message": { "messageId": "m", "role": "ROLE_USER", "parts": [data] } })
}

#[tokio::test]
async fn a_skill_answers_with_an_artifact() {
    let service = service(&memory());
    let task = service.send("get_chat_logs", json!({ "limit": 3 })).await;
    assert_eq!(task["status"]["state"], "TASK_STATE_COMPLETED");
    assert!(task["status"]["timestamp"].as_str().unwrap().ends_with('Z'));
    let part = &task["artifacts"][0]["parts"][0];
    assert_eq!(part["data"], json!({ "echo": { "limit": 3 } }));
    assert_eq!(part["mediaType"], "application/json");
    assert_eq!(task["history"][0]["taskId"], task["id"]);
    let text = json!({ "message": { "messageId": "m", "role": "ROLE_USER", "parts": [{ "text": "s1" }] } });
    let task = &service.call("SendMessage", text).await["result"]["task"];
    assert_eq!(
        task["artifacts"][0]["parts"][0]["data"]["echo"],
        json!({ "stream_id": "s1" })
    );
}

#[tokio::test]
async fn a_refusal_rejects_the_task_and_a_failure_fails_it() {
    let service = service(&memory());
    for (status, state) in [(400, "REJECTED"), (404, "REJECTED"), (500, "FAILED"), (503, "FAILED")] {
        let task = service.send("get_chat_logs", json!({ "status": status })).await;
        assert_eq!(task["status"]["state"], format!("TASK_STATE_{state}"), "{status}");
        assert_eq!(task["status"]["message"]["parts"][0]["data"]["echo"]["status"], status);
        assert_eq!(task["artifacts"], Value::Null);
    }
}

#[tokio::test]
async fn every_error_is_the_specified_one() {
    let service = service(&memory());
    let nowhere = json!({ "id": "nowhere" });
    let done = service.send("get_chat_logs", json!({})).await["id"].clone();
    let mut refused_output = send("get_chat_logs", json!({}));
    refused_output["configuration"] = json!({ "acceptedOutputModes": ["image/png"] });
    let mut further = send("get_chat_logs", json!({}));
    further["message"]["taskId"] = done.clone();
    let mut elsewhere = send("get_chat_logs", json!({}));
    elsewhere["message"]["taskId"] = json!("nowhere");
    let cases = [
        ("GetTask", nowhere.clone(), error_code::TASK_NOT_FOUND, "TASK_NOT_FOUND"),
        (
            "CancelTask",
            nowhere.clone(),
            error_code::TASK_NOT_FOUND,
            "TASK_NOT_FOUND",
        ),
        ("SubscribeToTask", nowhere, error_code::TASK_NOT_FOUND, "TASK_NOT_FOUND"),
        ("SendMessage", elsewhere, error_code::TASK_NOT_FOUND, "TASK_NOT_FOUND"),
        (
            "CancelTask",
            json!({ "id": done }),
            error_code::TASK_NOT_CANCELABLE,
            "TASK_NOT_CANCELABLE",
        ),
        (
            "SubscribeToTask",
            json!({ "id": done }),
            error_code::UNSUPPORTED_OPERATION,
            "UNSUPPORTED_OPERATION",
        ),
        (
            "SendMessage",
            further,
            error_code::UNSUPPORTED_OPERATION,
            "UNSUPPORTED_OPERATION",
        ),
        (
            "GetExtendedAgentCard",
            json!({}),
            error_code::UNSUPPORTED_OPERATION,
            "UNSUPPORTED_OPERATION",
        ),
        (
            "SendMessage",
            refused_output,
            error_code::CONTENT_TYPE_NOT_SUPPORTED,
            "CONTENT_TYPE_NOT_SUPPORTED",
        ),
        (
            "message/send",
            json!({}),
            error_code::METHOD_NOT_FOUND,
            "METHOD_NOT_FOUND",
        ),
        ("SendMessage", json!({}), error_code::INVALID_PARAMS, "INVALID_PARAMS"),
        (
            "SendMessage",
            send("parrot", json!({})),
            error_code::INVALID_PARAMS,
            "INVALID_PARAMS",
        ),
        (
            "ListTasks",
            json!({ "pageSize": 0 }),
            error_code::INVALID_PARAMS,
            "INVALID_PARAMS",
        ),
        (
            "ListTasks",
            json!({ "pageToken": "x" }),
            error_code::INVALID_PARAMS,
            "INVALID_PARAMS",
        ),
    ];
    for (method, params, code, reason) in cases {
        let (found, error) = service.error(method, params).await;
        assert_eq!(found, i64::from(code), "{method}: {error}");
        let info = error["data"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&info["reason"], &info["domain"]),
            (&json!(reason), &json!("a2a-protocol.org"))
        );
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": { "id": done } });
    let answer = service.post(None, body.to_string()).await;
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["error"]["code"], error_code::VERSION_NOT_SUPPORTED);
}

#[tokio::test]
async fn a_stream_begins_with_the_task_and_ends_with_it() {
    let service = service(&memory());
    let told = service
        .stream("SendStreamingMessage", send("get_chat_logs", json!({})), || ())
        .await;
    let [first, artifact, status] = told.as_slice() else {
        panic!("{told:#?}");
    };
    assert_eq!(first["task"]["status"]["state"], "TASK_STATE_WORKING");
    assert_eq!(
        artifact["artifactUpdate"]["artifact"]["parts"][0]["data"],
        json!({ "echo": {} })
    );
    assert_eq!(status["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(status["statusUpdate"]["taskId"], first["task"]["id"]);
}

#[tokio::test]
async fn what_one_task_of_the_service_works_on_another_tells() {
    let store = memory();
    let (one, other) = (service(&store), service(&store));
    let (id, _) = one.begin_waiting().await;
    let told = other
        .stream("SubscribeToTask", json!({ "id": id }), || one.go.notify_one())
        .await;
    assert_eq!(told[0]["task"]["status"]["state"], "TASK_STATE_WORKING");
    assert_eq!(
        told.last().unwrap()["statusUpdate"]["status"]["state"],
        "TASK_STATE_COMPLETED"
    );
    let later = service(&store);
    let task = &later.call("GetTask", json!({ "id": id, "historyLength": 0 })).await["result"];
    assert_eq!(task["artifacts"][0]["parts"][0]["data"], json!({ "waited": true }));
    assert_eq!(task["history"], Value::Null);
}

#[tokio::test]
async fn a_cancelled_task_stays_cancelled_wherever_it_was_worked_on() {
    let store = memory();
    let (one, other) = (service(&store), service(&store));
    let (id, _) = one.begin_waiting().await;
    let task = &other.call("CancelTask", json!({ "id": id })).await["result"];
    assert_eq!(task["status"]["state"], "TASK_STATE_CANCELED");
    one.go.notify_one();
    let (here, _) = one.begin_waiting().await;
    let task = &one.call("CancelTask", json!({ "id": here })).await["result"];
    assert_eq!(task["status"]["state"], "TASK_STATE_CANCELED");
    for id in [id, here] {
        let task = &one.call("GetTask", json!({ "id": id })).await["result"];
        assert_eq!(task["status"]["state"], "TASK_STATE_CANCELED");
        assert_eq!(task["artifacts"], Value::Null);
    }
}

#[tokio::test]
async fn tasks_are_listed_by_their_context_and_by_page() {
    let service = service(&memory());
    let mut params = send("get_chat_logs", json!({}));
    params["message"]["contextId"] = json!("ours");
    for _ in 0..5 {
        service.call("SendMessage", params.clone()).await;
    }
    service.send("get_chat_logs", json!({})).await;
    let page = async |token: &str| {
        let params = json!({ "contextId": "ours", "pageSize": 2, "pageToken": token });
        service.call("ListTasks", params).await["result"].clone()
    };
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let answer = page(&token).await;
        assert_eq!((&answer["totalSize"], &answer["pageSize"]), (&json!(5), &json!(2)));
        for task in answer["tasks"].as_array().unwrap() {
            assert!(task.get("artifacts").is_none(), "{task}");
            seen.push(task["id"].as_str().unwrap().to_owned());
        }
        token = answer["nextPageToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    let once: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(once.len(), 5);
    let count = async |params: Value| {
        let answer = service.call("ListTasks", params).await;
        answer["result"]["tasks"].as_array().unwrap().len()
    };
    assert_eq!(
        count(json!({ "contextId": "ours", "status": "TASK_STATE_WORKING" })).await,
        0
    );
    assert_eq!(
        count(json!({ "contextId": "ours", "statusTimestampAfter": "2100-01-01T00:00:00Z" })).await,
        0
    );
    assert_eq!(count(json!({})).await, 0, "nobody sees the tasks of others");
    let whole = json!({ "contextId": "ours", "includeArtifacts": true, "pageSize": 1 });
    let answer = service.call("ListTasks", whole).await;
    assert!(answer["result"]["tasks"][0]["artifacts"].is_array());
}

#[tokio::test]
async fn a_task_that_died_is_taken_over_once_and_given_up_after_three_times() {
    let store = memory();
    let long_ago = Timestamp::now() - Duration::from_mins(5);
    let begin = |id: &str, attempt| {
        let data = json!({ "skill": "get_chat_logs", "input": { "limit": 1 } });
        let message = Message::new(Role::User, vec![Part::data(data)]);
        let record = Record::begin(id.to_owned(), "c".to_owned(), message, long_ago);
        Record { attempt, ..record }
    };
    let died = service(&store);
    died.a2a.0.tasks.begin(begin("lost", 1), None).await.unwrap();
    died.a2a.0.tasks.begin(begin("hopeless", 3), None).await.unwrap();
    let (one, other) = (service(&store), service(&store));
    tokio::join!(one.a2a.take_over(), other.a2a.take_over());
    let ended = async |id: &str| loop {
        let record = other.a2a.0.tasks.find(id).await.unwrap();
        if record.task.status.state != TaskState::Working {
            return record;
        }
        tokio::task::yield_now().await;
    };
    let lost = ended("lost").await;
    assert_eq!((lost.attempt, lost.task.status.state), (2, TaskState::Completed));
    assert_eq!(lost.task.artifacts.unwrap().len(), 1);
    assert_eq!(ended("hopeless").await.task.status.state, TaskState::Failed);
}

#[tokio::test]
async fn a_payment_goes_with_the_message_and_its_receipt_with_the_task() {
    let service = service(&memory());
    let task = service.send("add_chat_logs", json!({})).await;
    assert_eq!(task["status"]["state"], "TASK_STATE_INPUT_REQUIRED");
    let said = &task["status"]["message"]["metadata"];
    assert_eq!(said["x402.payment.status"], "payment-required");
    assert_eq!(said["x402.payment.required"]["x402Version"], 2);
    let payload = json!({ "x402Version": 2, "payload": { "signature": "0x" } });
    let message = json!({
        "messageId": "n", "role": "ROLE_USER", "taskId": task["id"], "contextId": task["contextId"], "parts": [],
        "metadata": { "x402.payment.payload": payload },
    });
    let mut elsewhere = json!({ "message": message.clone() });
    elsewhere["message"]["contextId"] = json!("another");
    assert_eq!(
        service.error("SendMessage", elsewhere).await.0,
        i64::from(error_code::INVALID_PARAMS)
    );
    let answer = service.call("SendMessage", json!({ "message": message })).await;
    let task = &answer["result"]["task"];
    assert_eq!(task["status"]["state"], "TASK_STATE_COMPLETED", "{answer}");
    assert_eq!(task["artifacts"][0]["parts"][0]["data"]["paid"], payload);
    let said = &task["status"]["message"]["metadata"];
    assert_eq!(said["x402.payment.receipts"][0]["transaction"], "0x1");
}

#[tokio::test]
async fn notifications_are_sent_with_their_credentials_and_tried_again() {
    let (sender, mut notes) = mpsc::unbounded_channel();
    let receive = move |headers: HeaderMap, Json(body): Json<Value>| {
        let sender = sender.clone();
        async move { sender.send((headers, body)).unwrap() }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}/hook", listener.local_addr().unwrap().port());
    let receiver = Router::new().route("/hook", post(receive));
    let serving = tokio::spawn(axum::serve(listener, receiver).into_future());

    let service = service(&memory());
    let (id, _) = service.begin_waiting().await;
    let config = json!({
        "taskId": id, "url": url, "token": "mine", "authentication": { "scheme": "Bearer", "credentials": "secret" },
    });
    let created = &service.call("CreateTaskPushNotificationConfig", config).await["result"];
    let named = json!({ "taskId": id, "id": created["id"] });
    let listed = &service
        .call("ListTaskPushNotificationConfigs", json!({ "taskId": id }))
        .await["result"];
    assert_eq!(listed["configs"][0], *created);
    assert_eq!(
        service.call("GetTaskPushNotificationConfig", named.clone()).await["result"],
        *created
    );
    service.go.notify_one();
    let (headers, artifact) = notes.recv().await.unwrap();
    assert_eq!(headers["authorization"], "Bearer secret");
    assert_eq!(headers["x-a2a-notification-token"], "mine");
    assert_eq!(headers["content-type"], "application/a2a+json");
    assert_eq!(artifact["artifactUpdate"]["taskId"], json!(id));
    let (_, status) = notes.recv().await.unwrap();
    assert_eq!(status["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED");
    for _ in 0..2 {
        let deleted = service.call("DeleteTaskPushNotificationConfig", named.clone()).await;
        assert_eq!(deleted["result"], json!({}));
    }
    assert_eq!(
        service.error("GetTaskPushNotificationConfig", named).await.0,
        i64::from(error_code::TASK_NOT_FOUND)
    );
    serving.abort();
}

#[tokio::test]
async fn no_notification_goes_where_only_we_can_reach() {
    let push = Push::new(Reach::Public);
    let config = ::a2a::TaskPushNotificationConfig {
        url: "http://169.254.170.2/v2/credentials".to_owned(),
        id: None,
        task_id: "t".to_owned(),
        token: None,
        authentication: None,
        tenant: None,
    };
    let refused = push.accept(config.clone()).await.unwrap_err();
    assert_eq!(refused.code, error_code::INVALID_PARAMS);
    // A name that was public when it was accepted, and is not any more, is looked at again.
    let news = [::a2a::StreamResponse::Message(Message::new(Role::Agent, Vec::new()))];
    tokio::time::pause();
    let refused = push.deliver(&config, &news).await.unwrap_err();
    assert!(refused.contains("not public"), "{refused}");
}
