//! abracadabra: transcripts in, transcripts out, search.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{shipped, start};

/// The results as `start seconds: highlighted words`.
fn found(answer: &Value) -> Vec<String> {
    let result = |result: &Value| {
        let snippet: Vec<char> = result["snippet"].as_str().unwrap().chars().collect();
        let at = |place: &Value| usize::try_from(place.as_u64().unwrap()).unwrap();
        let highlights = result["highlights"].as_array().unwrap();
        let words = highlights
            .iter()
            .map(|place| snippet[at(&place[0])..at(&place[1])].iter().collect::<String>());
        format!("{}: {}", result["start"], words.collect::<Vec<_>>().join(" "))
    };
    answer["results"].as_array().unwrap().iter().map(result).collect()
}

#[tokio::test]
async fn search_ranks_and_shows_where() {
    let agent = start("abracadabra", &[]).await;
    let (status, answer) = agent
        .get("/search?q=el+NONCE+aleat%C3%B3rio&stream_id=stream_20260112")
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["words"], json!(["nonce", "aleatorio"]));
    assert_eq!(answer["total_results"], 2);
    let expected = shipped("abracadabra/transcription_20260112.json")["transcript"][5]["start"].to_string();
    assert_eq!(found(&answer)[0], format!("{expected}: nonce aleatorio"));
    let (_, answer) = agent
        .post("/search", &json!({ "q": "draining", "language": "es" }))
        .await;
    assert_eq!(answer["total_results"], 0);
}

#[tokio::test]
async fn pages_follow_one_another() {
    let agent = start("abracadabra", &[]).await;
    let (_, whole) = agent.get("/search?q=deploy+deploys+tasks+task").await;
    let (_, first) = agent.get("/search?q=deploy+deploys+tasks+task&limit=3").await;
    let (_, rest) = agent
        .get(&format!(
            "/search?q=deploy+deploys+tasks+task&cursor={}",
            first["next_cursor"]
        ))
        .await;
    assert!(whole["total_results"].as_u64().unwrap() > 3, "{whole}");
    assert_eq!([found(&first), found(&rest)].concat(), found(&whole));
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_transcript_comes_with_topics_and_passages_of_its_own() {
    let agent = start("abracadabra", &[]).await;
    let (status, answer) = agent.get("/get_transcription?date=2026-01-14").await;
    assert_eq!(status, StatusCode::OK);
    let shipped = shipped("abracadabra/transcription_20260114.json");
    assert_eq!(answer["transcript"], shipped["transcript"]);
    let texts: Vec<&Value> = shipped["transcript"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| &segment["text"])
        .collect();
    let passages = answer["summary"].as_array().unwrap();
    assert_eq!(passages.len(), 3);
    assert!(
        passages.iter().all(|passage| texts.contains(&&passage["text"])),
        "{answer}"
    );
    let topics: Vec<&str> = answer["key_topics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic["phrase"].as_str().unwrap())
        .collect();
    assert!(
        topics.contains(&"load balancer") && topics.contains(&"health check"),
        "{topics:?}"
    );
    let (_, short) = agent
        .get("/get_transcription?date=2026-01-14&include_summary=false&include_topics=false")
        .await;
    assert_eq!((&short["summary"], &short["key_topics"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_transcript_comes_in_pages_too() {
    let agent = start("abracadabra", &[]).await;
    let whole = shipped("abracadabra/transcription_20260114.json")["transcript"].clone();
    let page = async |query: &str| {
        agent
            .get(&format!("/get_transcription?date=2026-01-14&{query}"))
            .await
            .1
    };
    let first = page("limit=8").await;
    let rest = page(&format!("limit=1000&cursor={}", first["next_cursor"])).await;
    let segments = |answer: &Value| answer["transcript"].as_array().unwrap().clone();
    assert_eq!(json!([segments(&first), segments(&rest)].concat()), whole);
    assert_eq!(
        (&first["metadata"]["segments"], &rest["next_cursor"]),
        (&json!(8), &Value::Null)
    );
    assert_eq!(page("cursor=1000").await["transcript"], json!([]));
}

#[tokio::test]
async fn what_is_added_is_found() {
    let agent = start("abracadabra", &[]).await;
    let transcript = json!({
        "stream_id": "new", "stream_date": "2026-02-01", "stream_title": "T", "streamer": "eva", "language": "pt",
        "duration_seconds": 20, "transcript": [{ "start": 1.5, "end": 4, "speaker": "eva", "text": "Olá, coração!" }],
    });
    assert_eq!(agent.post("/transcripts", &transcript).await.0, StatusCode::CREATED);
    assert_eq!(agent.post("/transcripts", &transcript).await.0, StatusCode::OK);
    let (_, answer) = agent.get("/search?q=CORACAO").await;
    assert_eq!(found(&answer), ["1.5: coração"]);
    let mut other = transcript.clone();
    other["transcript"][0]["text"] = json!("Tchau");
    assert_eq!(agent.post("/transcripts", &other).await.0, StatusCode::CONFLICT);
    let (_, list) = agent.get("/transcripts").await;
    assert_eq!(list["transcripts"][0]["segments"], 1);
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let agent = start("abracadabra", &[]).await;
    let check = async |change: fn(&mut Value), field: &str| {
        let mut transcript = shipped("abracadabra/transcription_20260114.json");
        transcript["stream_id"] = json!("bad");
        change(&mut transcript);
        let (status, answer) = agent.post("/transcripts", &transcript).await;
        assert_eq!(
            (status, &answer["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{answer}"
        );
    };
    check(|bad| bad["transcript"][1]["end"] = json!(0), "transcript[1].end").await;
    check(|bad| bad["transcript"][1]["start"] = json!(0), "transcript[1].start").await;
    check(|bad| bad["duration_seconds"] = json!(730), "transcript[20].end").await;
    check(|bad| bad["transcript"][2]["text"] = json!(""), "transcript[2].text").await;
    check(|bad| bad["language"] = json!("de"), "language").await;

    let check = async |path: &str, status: StatusCode, field: Value| {
        let (found, answer) = agent.get(path).await;
        assert_eq!((found, &answer["field"]), (status, &field), "{path}: {answer}");
    };
    check("/search?q=%3F", StatusCode::BAD_REQUEST, json!("q")).await;
    check("/search", StatusCode::BAD_REQUEST, json!(".")).await;
    check("/search?q=a&limit=0", StatusCode::BAD_REQUEST, json!("limit")).await;
    check("/search?q=a&stream_id=none", StatusCode::NOT_FOUND, Value::Null).await;
    check("/get_transcription", StatusCode::BAD_REQUEST, json!("stream_id")).await;
    check(
        "/get_transcription?date=2026-01-14&limit=1001",
        StatusCode::BAD_REQUEST,
        json!("limit"),
    )
    .await;
    check("/get_transcription?stream_id=none", StatusCode::NOT_FOUND, Value::Null).await;
}
