//! The client against a server that does what servers do on bad days.

#[path = "../../tests/agents/model_server.rs"]
mod model_server;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde::Deserialize;

use serde_json::{Value, json};

use self::model_server::{Behaviour, ModelServer};
use super::prompt::SUMMARY;
use super::*;
use crate::settings::Environment;

const KEY: &str = "sk-a-key-of-nobody";

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    sentences: Vec<String>,
}

fn good() -> String {
    json!({ "sentences": ["¡Hola!"] }).to_string()
}

fn llm(server: &str, more: &[(&str, &str)]) -> Llm {
    let lookup = |name: &str| {
        let own = [
            ("OPENAI_BASE_URL", server),
            ("OPENAI_API_KEY", KEY),
            ("OPENAI_EMBEDDING_MODEL", "letters"),
        ];
        let found = more.iter().chain(&own).find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let settings = LlmSettings::read(&Environment { lookup }).unwrap();
    let store = Store::open(None, "abracadabra").unwrap();
    Llm::new(settings.as_ref(), &store).unwrap().unwrap()
}

async fn ask(llm: &Llm, delivery: Delivery) -> Result<Told<Answer>, LlmError> {
    llm.ask(&Prompt::new(&SUMMARY, &["hola", "adiós"]), delivery).await
}

fn count(llm: &Llm, name: &str) -> u64 {
    let counts = llm.counters().all();
    counts.iter().find(|(found, ..)| *found == name).unwrap().2
}

#[tokio::test]
async fn a_question_is_what_the_api_wants() {
    let server = ModelServer::start([Behaviour::Say(good())]).await;
    let llm = llm(&server.url, &[("OPENAI_MODEL", "small")]);
    let told = ask(&llm, Delivery::Whole).await.unwrap();
    assert_eq!(
        (told.answer.sentences, told.model.as_str()),
        (vec!["¡Hola!".to_owned()], "stub-1")
    );
    let asked = &server.asked()[0];
    assert_eq!(asked.authorization.as_deref(), Some("Bearer sk-a-key-of-nobody"));
    assert_eq!(
        (&asked.body["model"], &asked.body["stream"]),
        (&json!("small"), &json!(false))
    );
    assert_eq!(asked.body["response_format"]["json_schema"]["strict"], true);
    assert_eq!(asked.body["messages"][0]["role"], "system");
    let data = asked.body["messages"][1]["content"].as_str().unwrap();
    assert!(data.contains("hola") && !asked.body["messages"][0]["content"].as_str().unwrap().contains("hola"));
    assert_eq!(
        (count(&llm, "llm_calls_total"), count(&llm, "llm_prompt_tokens_total")),
        (1, 17)
    );
    llm.check().await.unwrap();
}

#[tokio::test]
async fn a_stream_is_put_together() {
    let server = ModelServer::start([Behaviour::Say(good())]).await;
    let llm = llm(&server.url, &[]);
    let told = ask(&llm, Delivery::Streamed).await.unwrap();
    assert_eq!(told.answer.sentences, ["¡Hola!"]);
    assert_eq!((told.usage.prompt_tokens, told.usage.completion_tokens), (17, 3));
    assert_eq!(server.asked()[0].body["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let body = json!({ "model": "m", "choices": [{ "message": { "content": good() }, "finish_reason": "stop" }] });
    let server = ModelServer::start([Behaviour::Raw("application/json; charset=utf-8", body.to_string())]).await;
    assert!(ask(&llm(&server.url, &[]), Delivery::Streamed).await.is_ok());
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let busy = |seconds: &str| {
        let headers = vec![("retry-after", seconds.to_owned())];
        Behaviour::Refuse(
            StatusCode::TOO_MANY_REQUESTS,
            headers,
            json!({ "error": { "code": "rate_limit_exceeded" } }),
        )
    };
    let broken = Behaviour::Refuse(StatusCode::INTERNAL_SERVER_ERROR, vec![], json!({}));
    let server = ModelServer::start([busy("0"), broken.clone(), Behaviour::Say(good())]).await;
    let model = llm(&server.url, &[]);
    ask(&model, Delivery::Whole).await.unwrap();
    assert_eq!((server.asked().len(), count(&model, "llm_retries_total")), (3, 2));

    let server = ModelServer::start([broken]).await;
    let error = ask(&llm(&server.url, &[]), Delivery::Whole).await.unwrap_err();
    assert_eq!(error, LlmError::Unwell(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(server.asked().len(), 3);

    // Nobody waits for an hour: the answer comes at once.
    let server = ModelServer::start([busy("3600")]).await;
    let begun = Instant::now();
    ask(&llm(&server.url, &[]), Delivery::Whole).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5) && server.asked().len() == 1);
}

/// The one question to a server that behaves so comes to this, and nothing of the key is shown.
async fn check(behaviour: Behaviour, delivery: Delivery, expected: LlmError) {
    let server = ModelServer::start([behaviour]).await;
    let llm = llm(&server.url, &[]);
    let error = ask(&llm, delivery).await.unwrap_err();
    assert_eq!(error, expected);
    assert_eq!(server.asked().len(), 1, "{error}: no second try");
    assert_eq!(count(&llm, "llm_failures_total"), 1, "{error}");
    let shown = format!("{error} {error:?} {llm:?}");
    assert!(!shown.contains(KEY), "{shown}");
}

#[tokio::test]
async fn refusals_are_told_by_their_code_and_never_repeat_what_was_written() {
    let check = async |status: StatusCode, error: Value, code: Option<&str>| {
        let refuse = Behaviour::Refuse(status, vec![], json!({ "error": error }));
        let code = code.map(str::to_owned);
        check(refuse, Delivery::Whole, LlmError::Refused { status, code }).await;
    };
    let echo = json!({ "code": "invalid_api_key", "message": format!("Incorrect key: {KEY}") });
    check(StatusCode::UNAUTHORIZED, echo, Some("invalid_api_key")).await;
    let quota = json!({ "code": "insufficient_quota" });
    check(StatusCode::TOO_MANY_REQUESTS, quota, Some("insufficient_quota")).await;
    check(StatusCode::BAD_REQUEST, json!({ "code": KEY }), None).await;
}

#[tokio::test]
async fn what_is_no_answer_of_the_api_is_none() {
    let completion = |message: Value, reason: &str| {
        let choice = json!({ "message": message, "finish_reason": reason });
        Behaviour::Raw("application/json", json!({ "choices": [choice] }).to_string())
    };
    let whole = async |behaviour, expected| check(behaviour, Delivery::Whole, expected).await;
    let (html, json) = ("text/html", "application/json");
    whole(
        Behaviour::Raw(html, "<h1>hi</h1>".into()),
        LlmError::Unreadable("something that is no JSON"),
    )
    .await;
    whole(
        Behaviour::Raw(json, "{".into()),
        LlmError::Unreadable("JSON that is none of the API's"),
    )
    .await;
    whole(
        completion(json!({ "content": null }), "stop"),
        LlmError::Unreadable("no text"),
    )
    .await;
    whole(
        completion(json!({ "content": "", "refusal": "no" }), "stop"),
        LlmError::Unfinished("it refused"),
    )
    .await;
    let cut = LlmError::Unfinished("it reached the longest answer allowed");
    whole(completion(json!({ "content": "{\"sen" }), "length"), cut).await;
    whole(
        Behaviour::Say("I am sorry".into()),
        LlmError::OffSchema("no JSON at .".into()),
    )
    .await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_answer() {
    let streamed = async |behaviour, expected| check(behaviour, Delivery::Streamed, expected).await;
    let off_schema = LlmError::OffSchema("another kind of value at sentences[0]".into());
    streamed(Behaviour::Say(r#"{"sentences": [7]}"#.into()), off_schema).await;
    streamed(
        Behaviour::EndStream(good()),
        LlmError::Unfinished("its server ended the stream"),
    )
    .await;
    streamed(
        Behaviour::CutStream(good()),
        LlmError::Unfinished("the connection broke"),
    )
    .await;
    let other = Behaviour::Raw("text/event-stream", "data: hello\n\n".into());
    streamed(other, LlmError::Unreadable("a stream that is none of the API's")).await;
}

#[tokio::test]
async fn patience_ends() {
    let server = ModelServer::start([Behaviour::Silence]).await;
    let llm = llm(&server.url, &[("LLM_TIMEOUT_SECONDS", "0.2")]);
    let begun = Instant::now();
    assert_eq!(ask(&llm, Delivery::Whole).await.unwrap_err(), LlmError::Slow);
    assert!(begun.elapsed() >= Duration::from_millis(200), "not before its time");
    // Six at once for four turns: those who wait for a turn lose patience as well.
    let all = futures_util::future::join_all((0..6).map(|_| ask(&llm, Delivery::Streamed))).await;
    assert!(all.into_iter().all(|one| one.unwrap_err() == LlmError::Slow));
}

#[tokio::test]
async fn nobody_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let llm = llm(&url, &[]);
    assert_eq!(ask(&llm, Delivery::Whole).await.unwrap_err(), LlmError::Unreachable);
    assert_eq!(llm.check().await.unwrap_err(), LlmError::Unreachable);
}

#[tokio::test]
async fn the_days_cap_is_kept_and_nothing_is_sent_beyond_it() {
    let server = ModelServer::start([Behaviour::Spend(good(), 2_990)]).await;
    // One question is reserved with what it may take at most, about 2,200 tokens.
    let llm = llm(&server.url, &[("LLM_TOKENS_PER_DAY", "4000")]);
    ask(&llm, Delivery::Whole).await.unwrap();
    let error = ask(&llm, Delivery::Whole).await.unwrap_err();
    assert_eq!(
        error,
        LlmError::Exhausted(budget::Exhausted::Tokens {
            spent: 2_993,
            cap: 4_000
        })
    );
    assert_eq!((server.asked().len(), count(&llm, "llm_refusals_total")), (1, 1));
    assert!(
        LlmNote::failed(&llm, &error)
            .outcome
            .contains("LLM_TOKENS_PER_DAY is reached")
    );
    assert!(!LlmNote::failed(&llm, &error).asked);
}

#[tokio::test]
async fn money_is_counted_in_millionths() {
    let server = ModelServer::start([Behaviour::Spend(good(), 1_000_000)]).await;
    let prices = [
        ("LLM_TOKENS_PER_DAY", "9000000"),
        ("LLM_USD_PER_MILLION_TOKENS", "0.15,0.60"),
    ];
    let llm = llm(&server.url, &prices);
    ask(&llm, Delivery::Whole).await.unwrap();
    // 1,000,000 tokens in at 0.15 a million, 3 out at 0.60: 1.8 millionths, rounded up.
    assert_eq!(count(&llm, "llm_microdollars_total"), 150_002);
}

#[tokio::test]
async fn texts_become_vectors_in_their_order() {
    let server = ModelServer::start([]).await;
    let llm = llm(&server.url, &[]);
    let texts: Vec<String> = (0..EMBEDDED_AT_ONCE + 2).map(|number| "b".repeat(number)).collect();
    let vectors = llm.embed(&texts).await.unwrap();
    assert!(
        vectors
            .iter()
            .zip(0_u16..)
            .all(|(vector, number)| (vector[1] - f32::from(number)).abs() < 1e-6)
    );
    assert_eq!(server.asked().len(), 2, "in two calls");
}
