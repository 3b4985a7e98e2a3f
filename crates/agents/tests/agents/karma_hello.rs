//! karma-hello: filters, statistics of what is returned, ingesting.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Running, shipped, start};

async fn count(agent: &Running, query: &str) -> u64 {
    let (status, answer) = agent.get(&format!("/get_chat_logs?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{query}: {answer}");
    assert_eq!(
        answer["total_messages"],
        answer["messages"].as_array().unwrap().len(),
        "{query}"
    );
    answer["total_messages"].as_u64().unwrap()
}

#[tokio::test]
async fn every_filter_narrows_the_messages() {
    let agent = start("karma-hello", &[]).await;
    let check = async |query: &str, expected: u64| assert_eq!(count(&agent, query).await, expected, "{query}");
    check("", 153).await;
    check("stream_id=stream_20260112", 52).await;
    check("date=2026-01-14", 52).await;
    check("users=VERA_solidity", 15).await;
    check("users=vera_solidity,ana_profe&stream_id=stream_20260112", 12).await;
    check("users=nobody", 0).await;
    check("limit=7", 7).await;
    // The first message came at 17:00:22 UTC; instants are compared, not their spelling.
    check("stream_id=stream_20260112&end_time=2026-01-12T17:00:23Z", 1).await;
    check("stream_id=stream_20260112&end_time=2026-01-12T12:00:23-05:00", 1).await;
    check("stream_id=stream_20260112&end_time=2026-01-12T17:00:22Z", 0).await;
    check("start_time=2026-01-15T18:18:52Z", 1).await;
}

#[tokio::test]
async fn statistics_are_those_of_the_returned_messages() {
    let agent = start("karma-hello", &[]).await;
    let question = json!({ "users": ["tio_linux"], "date": "2026-01-12" });
    let (_, answer) = agent.post("/get_chat_logs", &question).await;
    assert_eq!(answer["unique_users"], 1);
    assert_eq!(
        answer["statistics"]["most_active_users"],
        json!([{ "user": "tio_linux", "messages": 6 }])
    );
    assert_eq!(answer["statistics"]["emoji_count"], 2);
    assert_eq!(answer["statistics"]["question_count"], 0);
    let (_, without) = agent.get("/get_chat_logs?limit=1&include_stats=false").await;
    assert_eq!(without["statistics"], Value::Null);
}

fn log(messages: &[(&str, &str)]) -> Value {
    let message =
        |(second, text)| json!({ "timestamp": format!("2026-02-01T10:00:{second}Z"), "user": "Eva", "message": text });
    json!({
        "stream_id": "new", "stream_date": "2026-02-01", "stream_title": "New", "streamer": "eva",
        "messages": messages.iter().copied().map(message).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn a_message_is_taken_once() {
    let agent = start("karma-hello", &[]).await;
    let (status, receipt) = agent.post("/chat_logs", &log(&[("00", "hola"), ("01", "hola")])).await;
    assert_eq!(
        (status, receipt),
        (
            StatusCode::CREATED,
            json!({ "stream_id": "new", "added": 2, "already_known": 0 })
        )
    );
    let (status, receipt) = agent.post("/chat_logs", &log(&[("01", "hola"), ("02", "adiós")])).await;
    assert_eq!(
        (status, receipt),
        (
            StatusCode::CREATED,
            json!({ "stream_id": "new", "added": 1, "already_known": 1 })
        )
    );
    let (status, _) = agent.post("/chat_logs", &log(&[("00", "hola")])).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(count(&agent, "stream_id=new").await, 3);
    let (_, streams) = agent.get("/streams").await;
    assert_eq!(streams["streams"][0]["messages"], 3);
}

#[tokio::test]
async fn bad_logs_are_refused_whole() {
    let agent = start("karma-hello", &[]).await;
    let check = async |change: fn(&mut Value), status: StatusCode, field: Value, reason: &str| {
        let mut log = log(&[("00", "hola"), ("01", "adiós")]);
        change(&mut log);
        let (found, answer) = agent.post("/chat_logs", &log).await;
        assert_eq!((found, &answer["field"]), (status, &field), "{answer}");
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
        assert!(answer["help"].is_string(), "{answer}");
    };
    let bad = StatusCode::BAD_REQUEST;
    check(
        |log| log["total_messages"] = json!(156),
        bad,
        json!("total_messages"),
        "claims 156 and holds 2",
    )
    .await;
    check(
        |log| log["unique_users"] = json!(23),
        bad,
        json!("unique_users"),
        "claims 23 and holds 1",
    )
    .await;
    check(
        |log| log["messages"][1]["timestamp"] = json!("10:00"),
        bad,
        json!("messages[1].timestamp"),
        "",
    )
    .await;
    check(
        |log| log["messages"][1]["user"] = json!(" "),
        bad,
        json!("messages[1].user"),
        "is empty",
    )
    .await;
    check(
        |log| log["messages"][0]["message"] = json!("x".repeat(4001)),
        bad,
        json!("messages[0].message"),
        "4001",
    )
    .await;
    check(
        |log| log["stream_id"] = json!(3),
        bad,
        json!("stream_id"),
        "expected a string",
    )
    .await;
    check(
        |log| log["stream_id"] = json!("stream_20260112"),
        StatusCode::CONFLICT,
        Value::Null,
        "is known as",
    )
    .await;
    assert_eq!(count(&agent, "users=eva").await, 0);
}

#[tokio::test]
async fn bad_questions_name_the_field() {
    let agent = start("karma-hello", &[]).await;
    let check = async |query: &str, field: &str| {
        let (status, answer) = agent.get(&format!("/get_chat_logs?{query}")).await;
        assert_eq!(
            (status, &answer["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{answer}"
        );
    };
    check("limit=0", "limit").await;
    check("limit=1001", "limit").await;
    check("limit=x", "limit").await;
    check("date=2026-13-01", "date").await;
    check("date=../../etc/passwd", "date").await;
    check("start_time=yesterday", "start_time").await;
    check(
        "start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z",
        "end_time",
    )
    .await;
    check("cursor=next", "cursor").await;
    check("user=ana", "user").await;
    check(&format!("users={}", "a,".repeat(101)), "users").await;
    let (status, answer) = agent.get("/get_chat_logs?stream_id=none").await;
    assert_eq!(
        (status, answer["error"].as_str()),
        (StatusCode::NOT_FOUND, Some("unknown_stream"))
    );
}

#[tokio::test]
async fn the_shipped_logs_are_what_karma_hello_gives() {
    let agent = start("karma-hello", &[]).await;
    let shipped = shipped("karma-hello/chat_logs_20260115.json");
    let (_, answer) = agent.get("/get_chat_logs?date=2026-01-15").await;
    for (at, message) in shipped["messages"].as_array().unwrap().iter().enumerate() {
        for field in ["timestamp", "user", "message", "user_badges"] {
            assert_eq!(answer["messages"][at][field], message[field], "{at}");
        }
    }
    assert_eq!(answer["unique_users"], shipped["unique_users"]);
    assert_eq!(answer["stream_id"], shipped["stream_id"]);
}
