//! validator: each flaw gives its deduction, and the shipped data has none.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Running, shipped, start};

const CHATS: [&str; 3] = ["20260112", "20260114", "20260115"];

async fn validate(agent: &Running, data_type: &str, data: &Value) -> Value {
    let (status, answer) = agent
        .post("/validate", &json!({ "data_type": data_type, "data_content": data }))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// The deductions as `dimension code`.
fn codes(answer: &Value) -> Vec<String> {
    let code = |deduction: &Value| {
        assert!(
            !deduction["evidence"].as_array().unwrap().is_empty() || deduction["code"] == "empty",
            "{deduction}"
        );
        assert!(deduction["reason"].as_str().unwrap().ends_with('.') && deduction["points"].as_f64() > Some(0.0));
        format!(
            "{} {}",
            deduction["dimension"].as_str().unwrap(),
            deduction["code"].as_str().unwrap()
        )
    };
    answer["deductions"].as_array().unwrap().iter().map(code).collect()
}

#[tokio::test]
async fn the_shipped_data_is_faultless() {
    let agent = start("validator", &[]).await;
    let check = async |data_type: &str, file: String| {
        let answer = validate(&agent, data_type, &shipped(&file)).await;
        assert_eq!(codes(&answer), [""; 0], "{file}: {}", answer["reasoning"]);
        assert_eq!(
            (&answer["overall_score"], &answer["recommendation"]),
            (&json!(1.0), &json!("approve"))
        );
    };
    for day in CHATS {
        check("chat_logs", format!("karma-hello/chat_logs_{day}.json")).await;
    }
    for day in &CHATS[..2] {
        check("transcript", format!("abracadabra/transcription_{day}.json")).await;
    }
}

#[tokio::test]
async fn each_flaw_of_a_chat_log_is_found() {
    let agent = start("validator", &[]).await;
    let check = async |change: fn(&mut Value), expected: &[&str]| {
        let mut data = shipped("karma-hello/chat_logs_20260115.json");
        change(&mut data);
        let answer = validate(&agent, "chat_logs", &data).await;
        assert_eq!(codes(&answer), expected, "{}", answer["reasoning"]);
    };
    check(
        |data| data["total_messages"] = json!(156),
        &["quality declared_messages", "fraud declared_messages"],
    )
    .await;
    check(|data| data["total_messages"] = json!(3), &["quality declared_messages"]).await;
    check(
        |data| data["unique_users"] = json!(23),
        &["quality declared_users", "fraud declared_users"],
    )
    .await;
    check(
        |data| data["statistics"] = json!({ "question_count": 1 }),
        &["quality declared_statistics"],
    )
    .await;
    check(
        |data| data["messages"][3]["timestamp"] = json!("soon"),
        &["quality unreadable"],
    )
    .await;
    check(
        |data| data["messages"][3]["message"] = json!(""),
        &["quality unreadable"],
    )
    .await;
    check(|data| data["messages"][3] = json!(7), &["quality unreadable"]).await;
    check(
        |data| data["messages"].as_array_mut().unwrap().swap(3, 4),
        &["quality disorder"],
    )
    .await;
    check(
        |data| data["messages"][5] = data["messages"][4].clone(),
        &["quality duplicates", "fraud duplicates"],
    )
    .await;
    check(
        |data| data["messages"][48]["timestamp"] = json!("2026-01-15T23:10:00Z"),
        &["quality gaps"],
    )
    .await;
    check(|data| data["stream_date"] = json!("2026-01-09"), &["quality wrong_day"]).await;
    check(
        |data| data["messages"] = json!([]),
        &[
            "quality empty",
            "quality declared_messages",
            "fraud declared_messages",
            "quality declared_users",
            "fraud declared_users",
        ],
    )
    .await;
}

/// A log of messages `(second, user, text)` without claims.
fn log(messages: impl IntoIterator<Item = (i64, String, String)>) -> Value {
    let message = |(second, user, text)| {
        let timestamp = jiff::Timestamp::from_second(1_768_240_800 + second).unwrap();
        json!({ "timestamp": timestamp, "user": user, "message": text })
    };
    json!({ "messages": messages.into_iter().map(message).collect::<Vec<_>>() })
}

#[tokio::test]
async fn machines_are_told_from_people() {
    let agent = start("validator", &[]).await;
    let check = async |data: Value, expected: &[&str]| {
        assert_eq!(codes(&validate(&agent, "chat_logs", &data).await), expected);
    };
    let user = |number: i64| format!("user{}", number % 5);
    check(
        log((0..30).map(|n| (n * 20, user(n), format!("number {n}")))),
        &["fraud clockwork"],
    )
    .await;
    check(log((0..30).map(|n| (n * n, user(n), format!("number {n}")))), &[]).await;
    check(
        log((0..8).map(|n| (n / 2, "bot".to_owned(), format!("number {n}")))),
        &["fraud bursts"],
    )
    .await;
    let text = |n: i64| {
        if n % 4 == 0 {
            "¡Compren YA este token!".to_owned()
        } else {
            format!("number {n}")
        }
    };
    check(log((0..20).map(|n| (n * n, user(n), text(n)))), &["fraud templates"]).await;
    let short = |n: i64| {
        if n % 4 == 0 {
            "gg".to_owned()
        } else {
            format!("number {n}")
        }
    };
    check(log((0..20).map(|n| (n * n, user(n), short(n)))), &[]).await;
}

#[tokio::test]
async fn each_flaw_of_a_transcript_is_found() {
    let agent = start("validator", &[]).await;
    let check = async |change: fn(&mut Value), expected: &[&str]| {
        let mut data = shipped("abracadabra/transcription_20260114.json");
        change(&mut data);
        let answer = validate(&agent, "transcription", &data).await;
        assert_eq!(codes(&answer), expected, "{}", answer["reasoning"]);
    };
    check(
        |data| data["statistics"] = json!({ "total_words": 9000 }),
        &["quality declared_words", "fraud declared_words"],
    )
    .await;
    check(
        |data| data["transcript"][3]["end"] = Value::Null,
        &["quality unreadable"],
    )
    .await;
    check(
        |data| data["transcript"][3]["end"] = json!(1),
        &["quality negative_spans"],
    )
    .await;
    check(
        |data| data["transcript"].as_array_mut().unwrap().swap(8, 9),
        &["quality disorder"],
    )
    .await;
    check(
        |data| data["transcript"][3]["end"] = data["transcript"][4]["end"].clone(),
        &["quality overlaps"],
    )
    .await;
    check(|data| data["transcript"][3]["speaker"] = json!("someone else"), &[]).await;
    check(
        |data| data["duration_seconds"] = json!(730),
        &["quality beyond_the_end"],
    )
    .await;
    check(|data| data["duration_seconds"] = json!(3600), &["quality gaps"]).await;
    check(
        |data| data["transcript"][10]["text"] = data["transcript"][9]["text"].clone(),
        &["quality duplicates", "fraud duplicates"],
    )
    .await;
    check(
        |data| data["transcript"][2]["text"] = json!("palabra ".repeat(60)),
        &["fraud impossible_speech"],
    )
    .await;
}

#[tokio::test]
async fn a_log_that_claims_ten_times_what_it_holds_is_rejected() {
    let agent = start("validator", &[]).await;
    let mut data = shipped("karma-hello/chat_logs_20260115.json");
    data["messages"].as_array_mut().unwrap().truncate(15);
    data["total_messages"] = json!(156);
    data["unique_users"] = json!(23);
    let question =
        json!({ "data_type": "chat_logs", "data_content": data, "price_glue": 0.02, "metadata": { "order": 7 } });
    let (_, answer) = agent.post("/validate", &question).await;
    assert_eq!(answer["counted"]["messages"], 15);
    assert!(
        answer["reasoning"]
            .as_str()
            .unwrap()
            .contains("15 messages, 8 users. It claims 156 messages and holds 15. It claims 23 users"),
        "{answer}"
    );
    assert_eq!(answer["price_score"], 0.575, "0.0115 is the price of 15 messages");
    assert_eq!(
        (&answer["recommendation"], &answer["metadata"]["order"]),
        (&json!("reject"), &json!(7))
    );
}

#[tokio::test]
async fn the_same_question_has_the_same_id_and_another_another() {
    let agent = start("validator", &[]).await;
    let data = shipped("karma-hello/chat_logs_20260112.json");
    let (first, again) = (
        validate(&agent, "chat_logs", &data).await,
        validate(&agent, "chat_logs", &data).await,
    );
    let other = validate(&agent, "chat_logs", &shipped("karma-hello/chat_logs_20260114.json")).await;
    assert_eq!(
        (&first["validation_id"], &first["data_digest"]),
        (&again["validation_id"], &again["data_digest"])
    );
    assert_ne!(first["validation_id"], other["validation_id"]);
    assert_ne!(first["data_digest"], other["data_digest"]);
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_refused() {
    let agent = start("validator", &[]).await;
    let check = async |question: Value, field: &str| {
        let (status, answer) = agent.post("/validate", &question).await;
        assert_eq!(
            (status, &answer["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{answer}"
        );
    };
    check(json!({ "data_type": "song", "data_content": {} }), "data_type").await;
    check(json!({ "data_type": "chat_logs", "data_content": [] }), "data_content").await;
    check(
        json!({ "data_type": "chat_logs", "data_content": {} }),
        "data_content.messages",
    )
    .await;
    check(
        json!({ "data_type": "transcript", "data_content": { "transcript": 3 } }),
        "data_content.transcript",
    )
    .await;
    let unpaid = json!({ "data_type": "chat_logs", "data_content": { "messages": [] }, "price_glue": -1 });
    check(unpaid, "price_glue").await;
}

/// A chat of 40 messages, a text and a pause in seconds for each.
fn chat(message: impl Fn(i64) -> (&'static str, String, i64)) -> Value {
    let mut second = 0;
    let messages: Vec<Value> = (0..40)
        .map(|number| {
            let (user, text, pause) = message(number);
            second += pause;
            let timestamp = format!(
                "2026-02-01T{:02}:{:02}:{:02}Z",
                10 + second / 3600,
                second / 60 % 60,
                second % 60
            );
            json!({ "timestamp": timestamp, "user": user, "message": text })
        })
        .collect();
    json!({ "stream_date": "2026-02-01", "messages": messages })
}

#[tokio::test]
async fn machines_and_repetition_are_found() {
    let agent = start("validator", &[]).await;
    let pause = |number: i64| [7, 19, 31, 5, 43][usize::try_from(number % 5).unwrap()];
    let check = async |data: Value, expected: &[&str]| {
        let answer = validate(&agent, "chat_logs", &data).await;
        assert_eq!(codes(&answer), expected, "{}", answer["reasoning"]);
    };
    let word = |number: i64| {
        format!(
            "{} {number}",
            ["rust", "docker", "gas", "logs"][usize::try_from(number % 4).unwrap()]
        )
    };
    check(chat(|number| ("ana", word(number * 7919), pause(number))), &[]).await;
    let spam = |number: i64| {
        format!(
            "buy cheap followers today at example dot org {}",
            ["!", "!!", "now"][usize::try_from(number % 3).unwrap()]
        )
    };
    check(
        chat(|number| ("ana", spam(number), pause(number))),
        &["fraud repetition"],
    )
    .await;
    // Every second message comes from a machine, each 60 seconds; between them somebody writes when he likes.
    let between = |number: i64| {
        if number % 2 == 0 {
            10 + pause(number / 2)
        } else {
            50 - pause(number / 2)
        }
    };
    let talk = |number: i64| {
        (
            ["bot", "ana"][usize::try_from(number % 2).unwrap()],
            word(number * 7919),
            between(number + 1),
        )
    };
    let data = chat(talk);
    let answer = validate(&agent, "chat_logs", &data).await;
    assert!(codes(&answer).contains(&"fraud machines".to_owned()), "{answer}");
}

#[tokio::test]
async fn a_price_is_compared_with_those_before() {
    let agent = start("validator", &[]).await;
    let ask = async |messages: u32, price: f64| {
        let mut data = shipped("karma-hello/chat_logs_20260115.json");
        data["messages"]
            .as_array_mut()
            .unwrap()
            .truncate(usize::try_from(messages).unwrap());
        for claim in ["total_messages", "unique_users", "statistics"] {
            data.as_object_mut().unwrap().remove(claim);
        }
        let question = json!({ "data_type": "chat_logs", "data_content": data, "price_glue": price });
        let (status, answer) = agent.post("/validate", &question).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    };
    assert_eq!(ask(10, 0.001).await["usual_price"], Value::Null);
    for messages in 11..16 {
        ask(messages, 0.0001 * f64::from(messages)).await;
    }
    let dear = ask(20, 0.008).await;
    assert_eq!(
        (&dear["price"]["score"], &dear["price_score"]),
        (&json!(1.0), &json!(0.25))
    );
    assert_eq!(dear["usual_price"]["offers"], 6);
}
