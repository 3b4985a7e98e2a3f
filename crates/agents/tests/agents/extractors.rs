//! skill-extractor and voice-extractor against a real karma-hello: other messages, other profile.

use axum::http::HeaderMap;
use axum::routing::post;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::harness::{Running, client, start};

const SKILLS: &str = "/extract_skill_profile";
const VOICE: &str = "/extract_voice_profile";

struct Pair {
    karma_hello: Running,
    extractor: Running,
}

async fn pair(extractor: &str) -> Pair {
    let karma_hello = start("karma-hello", &[]).await;
    let extractor = start(extractor, &[("KARMA_HELLO_URL", &karma_hello.url())]).await;
    Pair { karma_hello, extractor }
}

impl Pair {
    /// Lets a user of this name write these texts, a minute apart.
    async fn write(&self, user: &str, texts: &[&str]) {
        let message = |(minute, text): (usize, &&str)| json!({ "timestamp": format!("2026-02-01T10:{minute:02}:00Z"), "user": user, "message": text });
        let log = json!({
            "stream_id": "new", "stream_date": "2026-02-01", "stream_title": "New", "streamer": "eva",
            "messages": texts.iter().enumerate().map(message).collect::<Vec<_>>(),
        });
        assert_eq!(self.karma_hello.post("/chat_logs", &log).await.0, StatusCode::CREATED);
    }

    async fn profile(&self, path: &str, question: Value) -> Value {
        let (status, profile) = self.extractor.post(path, &question).await;
        assert_eq!(status, StatusCode::OK, "{profile}");
        profile
    }
}

fn names(traits: &Value) -> Vec<&str> {
    traits
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn other_messages_give_other_skills() {
    let pair = pair("skill-extractor").await;
    pair.write(
        "eva",
        &[
            "I built a robot with Arduino",
            "my robot runs on Linux",
            "¿Quién juega ajedrez?",
        ],
    )
    .await;
    let eva = pair.profile(SKILLS, json!({ "username": "eva" })).await;
    assert_eq!(names(&eva["tools_and_platforms"]), ["Linux"]);
    assert_eq!(names(&eva["interests"]), ["Robotics", "Hardware", "Chess"]);
    assert_eq!(
        eva["interests"][0]["evidence"][0]["message"],
        "I built a robot with Arduino"
    );
    assert_eq!(eva["data_coverage"]["messages"], 3);

    pair.write("EVA", &["I deployed a smart contract"]).await;
    let later = pair.profile(SKILLS, json!({ "username": "eva" })).await;
    assert_eq!(names(&later["skills"]), ["Deployment", "Smart contracts"]);

    pair.write("luis", &["hola a todos", "qué tal"]).await;
    let luis = pair.profile(SKILLS, json!({ "username": "luis" })).await;
    assert_eq!(
        (&luis["skills"], &luis["tools_and_platforms"], &luis["interests"]),
        (&json!([]), &json!([]), &json!([]))
    );
}

#[tokio::test]
async fn the_shipped_users_are_told_apart() {
    let pair = pair("skill-extractor").await;
    let check = async |user: &str, skill: &str, tool: &str| {
        let profile = pair
            .profile(SKILLS, json!({ "username": user, "profile_level": "basic" }))
            .await;
        assert!(
            names(&profile["skills"]).contains(&skill),
            "{user}: {:?}",
            names(&profile["skills"])
        );
        assert!(
            names(&profile["tools_and_platforms"]).contains(&tool),
            "{:?}",
            names(&profile["tools_and_platforms"])
        );
        assert!(profile["skills"].as_array().unwrap().len() <= 2);
    };
    check("vera_solidity", "Smart contracts", "Foundry").await;
    check("ruben_ops", "Deployment", "Terraform").await;
    check("kai_data", "Machine learning", "Python").await;
    check("tio_linux", "Scripting", "Bash").await;
    check("sofi_ux", "Accessibility", "Figma").await;
}

#[tokio::test]
async fn more_than_a_page_is_read() {
    let pair = pair("skill-extractor").await;
    for part in 0..3 {
        let message = |number: usize| {
            let timestamp = format!("2026-02-01T1{part}:{:02}:{:02}Z", number / 60, number % 60);
            json!({ "timestamp": timestamp, "user": "eva", "message": format!("message {number} of {part}") })
        };
        let log = json!({
            "stream_id": "new", "stream_date": "2026-02-01", "stream_title": "New", "streamer": "eva",
            "messages": (0..700).map(message).collect::<Vec<_>>(),
        });
        pair.karma_hello.post("/chat_logs", &log).await;
    }
    let profile = pair.profile(SKILLS, json!({ "username": "eva" })).await;
    assert_eq!(profile["data_coverage"]["messages"], 2100);
    assert_eq!(profile["data_coverage"]["truncated"], false);
}

#[tokio::test]
async fn a_date_range_narrows_the_profile() {
    let pair = pair("skill-extractor").await;
    let range = json!({ "start_date": "2026-01-14", "end_date": "2026-01-14" });
    let profile = pair
        .profile(SKILLS, json!({ "username": "vera_solidity", "date_range": range }))
        .await;
    assert_eq!(profile["data_coverage"]["streams"], 1);
    assert_eq!(profile["data_coverage"]["first_message"], "2026-01-14T18:45:56Z");
}

#[tokio::test]
async fn other_messages_give_another_voice() {
    let pair = pair("voice-extractor").await;
    pair.write("eva", &["Would you explain that, please?", "Thank you very much."])
        .await;
    pair.write("luis", &["jajaja dale 😂😂", "xq no", "wey q risa 😂 jajaja"])
        .await;
    let eva = pair.profile(VOICE, json!({ "username": "eva" })).await;
    let luis = pair.profile(VOICE, json!({ "username": "luis" })).await;
    let figure = |profile: &Value, path: &str| {
        profile
            .pointer(&format!("/analysis/categories/{path}"))
            .unwrap()
            .clone()
    };
    let check = |path: &str, of_eva: Value, of_luis: Value| {
        assert_eq!((figure(&eva, path), figure(&luis, path)), (of_eva, of_luis), "{path}");
    };
    check("formality/score", json!(1.0), json!(0.0));
    check("expression/emoji", json!(0), json!(3));
    check("expression/laughter_share", json!(0.0), json!(0.667));
    check("questions/question_share", json!(0.5), json!(0.0));
    check("vocabulary/words", json!(9), json!(8));
    check("rhythm/median_gap_seconds", json!(60.0), json!(60.0));
    assert_eq!(eva["analysis"]["languages"], json!({ "en": 1.0 }));
    assert!(
        luis["confidence_score"].as_f64() > eva["confidence_score"].as_f64(),
        "three messages say more than two"
    );
}

#[tokio::test]
async fn idioms_and_company_are_quoted_from_the_chat() {
    let pair = pair("voice-extractor").await;
    let leo = pair.profile(VOICE, json!({ "username": "leo_trader" })).await;
    let categories = &leo["analysis"]["categories"];
    assert_eq!(categories.as_object().unwrap().len(), 8);
    let idioms: Vec<&str> = categories["idioms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|idiom| idiom["idiom"].as_str().unwrap())
        .collect();
    assert_eq!(idioms, ["puro humo", "trato hecho", "mira tú"]);
    assert_eq!(categories["engagement"]["users_mentioned"], 1);
    for (level, expected) in [("basic", 3), ("standard", 5)] {
        let profile = pair
            .profile(VOICE, json!({ "username": "leo_trader", "profile_type": level }))
            .await;
        assert_eq!(
            profile["analysis"]["categories"].as_object().unwrap().len(),
            expected,
            "{level}"
        );
    }
}

#[tokio::test]
async fn bad_questions_are_refused() {
    for (extractor, path) in [("skill-extractor", SKILLS), ("voice-extractor", VOICE)] {
        let pair = pair(extractor).await;
        let check = async |question: Value, status: StatusCode, field: Value| {
            let (found, answer) = pair.extractor.post(path, &question).await;
            assert_eq!((found, &answer["field"]), (status, &field), "{question}: {answer}");
        };
        let bad = StatusCode::BAD_REQUEST;
        check(json!({}), bad, json!(".")).await;
        check(json!({ "username": "" }), bad, json!("username")).await;
        check(json!({ "username": "ana", "colour": 1 }), bad, json!("colour")).await;
        let backwards = json!({ "start_date": "2026-01-02", "end_date": "2026-01-01" });
        check(
            json!({ "username": "ana", "date_range": backwards }),
            bad,
            json!("date_range.end_date"),
        )
        .await;
        let never = json!({ "end_date": "9999-12-31" });
        check(
            json!({ "username": "ana", "date_range": never }),
            bad,
            json!("date_range.end_date"),
        )
        .await;
        check(json!({ "username": "nobody" }), StatusCode::NOT_FOUND, Value::Null).await;
    }
}

#[tokio::test]
async fn an_unreachable_karma_hello_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let extractor = start("skill-extractor", &[("KARMA_HELLO_URL", &format!("http://{closed}"))]).await;
    let (status, answer) = extractor.post(SKILLS, &json!({ "username": "ana" })).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer["error"], "karma_hello_unreachable");
    assert!(
        answer["reason"].as_str().unwrap().contains("Connection refused"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_karma_hello_that_refuses_is_told() {
    // Not an agent of this version: it has no /get_chat_logs.
    let stranger = start("validator", &[]).await;
    let extractor = start("voice-extractor", &[("KARMA_HELLO_URL", &stranger.url())]).await;
    let (status, answer) = extractor.post(VOICE, &json!({ "username": "ana" })).await;
    assert_eq!(
        (status, answer["error"].as_str()),
        (StatusCode::BAD_GATEWAY, Some("karma_hello_failed"))
    );
    assert!(answer["reason"].as_str().unwrap().contains("404"), "{answer}");
}

#[tokio::test]
async fn a_request_and_its_calls_are_spans_of_one_trace() {
    let (sender, mut requests) = mpsc::unbounded_channel();
    let collector = axum::Router::new().route(
        "/v1/traces",
        post(async move |axum::Json(request): axum::Json<Value>| sender.send(request).unwrap()),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, collector).await });
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings = [
        ("KARMA_HELLO_URL", format!("http://{closed}")),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
        ("OTEL_SERVICE_NAME", "extractor".to_owned()),
    ];
    let extractor = start(
        "skill-extractor",
        &settings.each_ref().map(|(name, value)| (*name, value.as_str())),
    )
    .await;
    extractor.get("/health").await;
    let request = client().post(format!("{}{SKILLS}", extractor.url()));
    let header = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
    let request = request.header("X-Amzn-Trace-Id", header);
    request.json(&json!({ "username": "ana" })).send().await.unwrap();
    let sent = &requests.recv().await.unwrap()["resourceSpans"][0];
    assert_eq!(sent["resource"]["attributes"][0]["value"]["stringValue"], "extractor");
    let spans = sent["scopeSpans"][0]["spans"].as_array().unwrap();
    let [call, request] = spans.as_slice() else {
        panic!("the health check is no span: {spans:#?}")
    };
    assert_eq!((&call["kind"], &request["kind"]), (&json!(3), &json!(2)));
    assert_eq!(request["parentSpanId"], "53995c3f42cd8ad8");
    assert_eq!(call["parentSpanId"], request["spanId"]);
    assert!(
        spans
            .iter()
            .all(|span| span["traceId"] == "67891233abcdef012345678912345678" && span["status"]["code"] == 2)
    );
    serving.abort();
}

#[tokio::test]
async fn the_trace_id_goes_on() {
    let (sender, mut traces) = mpsc::unbounded_channel();
    let recorder = axum::Router::new().route(
        "/get_chat_logs",
        post(async move |headers: HeaderMap| {
            sender
                .send(headers["x-amzn-trace-id"].to_str().unwrap().to_owned())
                .unwrap();
            axum::Json(json!({ "messages": [], "next_cursor": null }))
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, recorder).await });
    let extractor = start("skill-extractor", &[("KARMA_HELLO_URL", &url)]).await;
    let request = client().post(format!("{}{SKILLS}", extractor.url()));
    let request = request.header("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678");
    request.json(&json!({ "username": "ana" })).send().await.unwrap();
    assert_eq!(traces.recv().await.unwrap(), "Root=1-67891233-abcdef012345678912345678");
    serving.abort();
}
