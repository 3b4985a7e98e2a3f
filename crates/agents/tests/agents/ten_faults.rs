//! Ten things that agents like these were once found to fake or get wrong, and that ours must not. Each has its test:
//!
//! 1. a skill profile that is the same for everybody;
//! 2. a voice profile that is the same for everybody;
//! 3. invented messages under a false count;
//! 4. a validator that scores without having looked;
//! 5. verdicts that never reach a chain,
//! 6. buyers who never pay,
//! 7. a seller who does not check what he is paid, and
//! 8. prices as floating point: these four are tested where payments are;
//! 9. filters and statistics that are not those of the answer;
//! 10. cards that no standard client can read.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Running, shipped, start};

async fn extractor(name: &str) -> (Running, Running) {
    let karma_hello = start("karma-hello", &[]).await;
    let extractor = start(name, &[("KARMA_HELLO_URL", &karma_hello.url())]).await;
    (karma_hello, extractor)
}

/// The profiles of two shipped users, without their names.
async fn two_profiles(extractor: &Running, path: &str) -> [Value; 2] {
    let mut profiles = ["vera_solidity", "tio_linux"].map(Value::from);
    for profile in &mut profiles {
        let (status, answer) = extractor.post(path, &json!({ "username": profile })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        *profile = answer;
    }
    profiles
}

#[tokio::test]
async fn fault_1_a_skill_profile_is_its_users_and_every_trait_is_quoted() {
    let (_karma_hello, extractor) = extractor("skill-extractor").await;
    let [vera, tio] = two_profiles(&extractor, "/extract_skill_profile").await;
    for list in ["skills", "tools_and_platforms", "keyphrases"] {
        assert_ne!(vera[list], tio[list], "{list}");
    }
    assert_ne!(
        vera["computed_from"]["messages_digest"],
        tio["computed_from"]["messages_digest"]
    );
    for found in [&vera["skills"], &tio["skills"]]
        .into_iter()
        .flat_map(|list| list.as_array().unwrap())
    {
        let quotes = found["evidence"].as_array().unwrap();
        assert!(
            !quotes.is_empty() && quotes.iter().all(|quote| quote["message_id"].is_string()),
            "{found}"
        );
    }
}

#[tokio::test]
async fn fault_2_a_voice_profile_is_measured() {
    let (_karma_hello, extractor) = extractor("voice-extractor").await;
    let [vera, tio] = two_profiles(&extractor, "/extract_voice_profile").await;
    let categories = |profile: &Value| profile["analysis"]["categories"].as_object().unwrap().clone();
    let (vera_is, tio_is) = (categories(&vera), categories(&tio));
    assert_eq!(vera_is.len(), 8);
    let same: Vec<&String> = vera_is.keys().filter(|name| vera_is[*name] == tio_is[*name]).collect();
    // Neither of the two addresses anybody, in as many streams.
    assert_eq!(same, ["engagement"]);
}

#[tokio::test]
async fn fault_3_the_count_is_that_of_the_messages_there_are() {
    let (karma_hello, extractor) = extractor("skill-extractor").await;
    let (_, profile) = extractor
        .post("/extract_skill_profile", &json!({ "username": "sofi_ux" }))
        .await;
    let (_, held) = karma_hello.get("/get_chat_logs?users=sofi_ux").await;
    assert_eq!(profile["data_coverage"]["messages"], held["total_messages"]);
    assert_eq!(
        profile["data_coverage"]["first_message"],
        held["messages"][0]["timestamp"]
    );
    let (status, _) = extractor
        .post("/extract_skill_profile", &json!({ "username": "nobody" }))
        .await;
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "nothing is invented for somebody unknown"
    );
}

#[tokio::test]
async fn fault_4_a_verdict_needs_no_key_looks_at_everything_and_explains_itself() {
    let validator = start("validator", &[]).await;
    let mut data = shipped("karma-hello/chat_logs_20260115.json");
    // Words prove nothing, and the flaw stands far behind the first thousand letters.
    data["messages"][0]["message"] = json!("fraud fraud fraud");
    let last = data["messages"].as_array().unwrap().len() - 1;
    let verdict = async |data: &Value| {
        let question = json!({ "data_type": "chat_logs", "data_content": data });
        validator.post("/validate", &question).await.1
    };
    let honest = verdict(&data).await;
    assert_eq!(
        (&honest["fraud_score"], &honest["deductions"]),
        (&json!(0.0), &json!([]))
    );
    data["messages"][last] = data["messages"][last - 1].clone();
    let copied = verdict(&data).await;
    assert!(copied["overall_score"].as_f64() < honest["overall_score"].as_f64());
    assert!(
        copied["deductions"][0]["reason"].as_str().unwrap().contains("twice"),
        "{copied}"
    );
    assert_ne!(copied["data_digest"], honest["data_digest"]);
}

#[tokio::test]
async fn fault_9_filters_pick_messages_and_statistics_are_of_the_answer() {
    let karma_hello = start("karma-hello", &[]).await;
    let (_, answer) = karma_hello
        .get("/get_chat_logs?users=tio_linux&end_time=2026-01-12T13:00:00-05:00")
        .await;
    let messages = answer["messages"].as_array().unwrap();
    assert!(!messages.is_empty() && messages.iter().all(|message| message["user"] == "tio_linux"));
    let counted = answer["statistics"]["most_active_users"][0]["messages"]
        .as_u64()
        .unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), messages.len());
    let (status, refusal) = karma_hello.get("/get_chat_logs?date=../../etc/passwd").await;
    assert_eq!((status, &refusal["field"]), (StatusCode::BAD_REQUEST, &json!("date")));
}

#[tokio::test]
async fn fault_10_every_card_has_the_one_standard_shape() {
    for agent in karma_agents::AGENTS.iter().map(|agent| agent.name) {
        let settings = [("KARMA_HELLO_URL", "http://127.0.0.1:9")];
        let running = start(agent, &settings).await;
        let (status, card) = running.get("/.well-known/agent-card.json").await;
        assert_eq!(status, StatusCode::OK, "{agent}");
        let interface = &card["supportedInterfaces"][0];
        assert_eq!(
            (&interface["protocolBinding"], &interface["protocolVersion"]),
            (&json!("JSONRPC"), &json!("1.0"))
        );
        for list in ["skills", "defaultInputModes", "defaultOutputModes"] {
            assert!(!card[list].as_array().unwrap().is_empty(), "{agent}: {list}");
        }
        let skills = card["skills"].as_array().unwrap();
        assert!(
            skills
                .iter()
                .all(|skill| skill["id"].is_string() && !skill["tags"].as_array().unwrap().is_empty())
        );
    }
}
