//! Profiles in three languages, worked out by hand: `golden.json`.

use std::path::Path;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::harness::{Running, start};

/// Messages a minute apart, and what they show.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    language: String,
    messages: Vec<String>,
    skills: Value,
    tools_and_platforms: Value,
    interests: Value,
    idioms: Vec<String>,
    /// Figures by their path below the categories.
    voice: Map<String, Value>,
}

#[tokio::test]
async fn profiles_are_those_worked_out_by_hand() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents/golden.json");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let karma_hello = start("karma-hello", &[]).await;
    let settings = [("KARMA_HELLO_URL", karma_hello.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (skills, voice) = (
        start("skill-extractor", &settings).await,
        start("voice-extractor", &settings).await,
    );
    for case in &cases {
        write(&karma_hello, case).await;
        check_skills(&skills, case).await;
        check_voice(&voice, case).await;
    }
}

async fn write(karma_hello: &Running, case: &Case) {
    let message = |(minute, text): (usize, &String)| json!({ "timestamp": format!("2026-02-01T10:{minute:02}:00Z"), "user": case.language, "message": text });
    let log = json!({
        "stream_id": case.language, "stream_date": "2026-02-01", "stream_title": "T", "streamer": "eva",
        "messages": case.messages.iter().enumerate().map(message).collect::<Vec<_>>(),
    });
    assert_eq!(karma_hello.post("/chat_logs", &log).await.0, StatusCode::CREATED);
}

async fn profile(agent: &Running, path: &str, case: &Case) -> Value {
    let (status, profile) = agent.post(path, &json!({ "username": case.language })).await;
    assert_eq!(status, StatusCode::OK, "{profile}");
    profile
}

async fn check_skills(agent: &Running, case: &Case) {
    let profile = profile(agent, "/extract_skill_profile", case).await;
    let named = |list: &str| -> Value {
        let pair = |one: &Value| json!([one["name"], one["confidence"]]);
        profile[list].as_array().unwrap().iter().map(pair).collect()
    };
    let found = (named("skills"), named("tools_and_platforms"), named("interests"));
    let expected = (&case.skills, &case.tools_and_platforms, &case.interests);
    assert_eq!((&found.0, &found.1, &found.2), expected, "{}", case.language);
}

async fn check_voice(agent: &Running, case: &Case) {
    let profile = profile(agent, "/extract_voice_profile", case).await;
    let categories = &profile["analysis"]["categories"];
    assert_eq!(profile["analysis"]["languages"], json!({ case.language.as_str(): 1.0 }));
    for (path, expected) in &case.voice {
        assert_eq!(
            categories.pointer(&format!("/{path}")),
            Some(expected),
            "{}: {path}",
            case.language
        );
    }
    let idioms = categories["idioms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|idiom| &idiom["idiom"]);
    assert!(idioms.eq(&case.idioms), "{}: {}", case.language, categories["idioms"]);
}
