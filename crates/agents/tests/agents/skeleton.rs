//! What every agent answers: health, card, prefix, refusals.

use std::time::Duration;

use karma_agents::AGENTS;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Running, client, start};

/// Some agents need the address of karma-hello; here nobody asks it.
async fn start_any(agent: &str) -> Running {
    start(agent, &[("KARMA_HELLO_URL", "http://127.0.0.1:9")]).await
}

#[tokio::test]
async fn every_route_stands_with_and_without_the_prefix() {
    for agent in &AGENTS {
        let running = start_any(agent.name).await;
        for path in ["/health", "/.well-known/agent-card.json", "/.well-known/agent-card", ""] {
            for path in [path.to_owned(), format!("/{}{path}", agent.name)] {
                let (status, answer) = running.get(&path).await;
                assert_eq!(status, StatusCode::OK, "{}: {path}: {answer}", agent.name);
            }
        }
        assert_eq!(
            running.get(&format!("/{}/", agent.name)).await.0,
            StatusCode::PERMANENT_REDIRECT
        );
    }
}

#[tokio::test]
async fn health_says_who_and_since_when() {
    let agent = start("validator", &[]).await;
    let (status, health) = agent.get("/validator/health").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&health["status"], &health["agent"]),
        (&json!("ok"), &json!("validator"))
    );
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["uptime_seconds"].is_u64());
    assert_eq!(health["dependencies"], Value::Null);
}

#[tokio::test]
async fn deep_health_asks_the_dependencies() {
    let karma_hello = start("karma-hello", &[]).await;
    let extractor = start("voice-extractor", &[("KARMA_HELLO_URL", &karma_hello.url())]).await;
    let (status, health) = extractor.get("/health?deep=1").await;
    let url = format!("{}/", karma_hello.url());
    let reached = json!([
        { "name": "karma-hello", "url": url, "reachable": true },
        { "name": "store", "place": "memory", "reachable": true },
    ]);
    assert_eq!((status, &health["dependencies"]), (StatusCode::OK, &reached));
}

#[tokio::test]
async fn deep_health_says_what_is_out_of_reach_and_why() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let extractor = start("voice-extractor", &[("KARMA_HELLO_URL", &format!("http://{closed}"))]).await;
    let (status, health) = extractor.get("/voice-extractor/health?deep=1").await;
    assert_eq!(
        (status, &health["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("degraded"))
    );
    let reach = &health["dependencies"][0];
    assert_eq!(reach["reachable"], false);
    assert!(
        reach["error"].as_str().unwrap().contains("Connection refused"),
        "{reach}"
    );
    assert_eq!(
        extractor.get("/health").await.0,
        StatusCode::OK,
        "liveness does not depend on others"
    );
}

#[tokio::test]
async fn cards_have_what_a2a_requires() {
    for agent in &AGENTS {
        let running = start_any(agent.name).await;
        let (_, card) = running.get("/.well-known/agent-card.json").await;
        let required = ["name", "description", "version"];
        assert!(required.iter().all(|field| card[field].is_string()), "{card}");
        assert!(card["capabilities"].is_object(), "{card}");
        for field in [
            "supportedInterfaces",
            "defaultInputModes",
            "defaultOutputModes",
            "skills",
        ] {
            assert!(!card[field].as_array().unwrap().is_empty(), "{field}: {card}");
        }
        for skill in card["skills"].as_array().unwrap() {
            assert!(
                ["id", "name", "description"]
                    .iter()
                    .all(|field| skill[field].is_string()),
                "{skill}"
            );
            assert!(!skill["tags"].as_array().unwrap().is_empty(), "{skill}");
        }
        assert_eq!(
            card["supportedInterfaces"][0]["url"],
            format!("{}/{}", running.url(), agent.name)
        );
    }
}

#[tokio::test]
async fn a_known_card_is_not_sent_again() {
    let agent = start("validator", &[("PUBLIC_URL", "https://agents.example.org/validator")]).await;
    let client = client();
    let url = format!("{}/.well-known/agent-card.json", agent.url());
    let first = client.get(&url).send().await.unwrap();
    assert_eq!(first.headers()["cache-control"], "max-age=300");
    let tag = first.headers()["etag"].clone();
    let card: Value = first.json().await.unwrap();
    assert_eq!(
        card["supportedInterfaces"][0]["url"],
        "https://agents.example.org/validator"
    );
    let second = client.get(&url).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn refusals_are_json_with_a_reason() {
    let agent = start("karma-hello", &[]).await;
    let check = async |method: Method, path: &str, body: &str, status: StatusCode, error: &str| {
        let (found, answer) = agent.ask(method, path, Some(body.to_owned())).await;
        assert_eq!(
            (found, answer["error"].as_str()),
            (status, Some(error)),
            "{path}: {answer}"
        );
        assert!(answer["reason"].is_string() && answer["help"].is_string(), "{answer}");
    };
    check(Method::GET, "/nothing", "", StatusCode::NOT_FOUND, "no_such_route").await;
    check(
        Method::GET,
        "/karma-hello/nothing",
        "",
        StatusCode::NOT_FOUND,
        "no_such_route",
    )
    .await;
    check(
        Method::DELETE,
        "/streams",
        "",
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
    )
    .await;
    check(
        Method::DELETE,
        "/karma-hello/streams",
        "",
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
    )
    .await;
    check(Method::POST, "/chat_logs", "{", StatusCode::BAD_REQUEST, "bad_field").await;
    check(
        Method::POST,
        "/chat_logs",
        "\u{0}",
        StatusCode::BAD_REQUEST,
        "bad_field",
    )
    .await;
    let deep = "[".repeat(100_000);
    check(Method::POST, "/chat_logs", &deep, StatusCode::BAD_REQUEST, "bad_field").await;
    let large = " ".repeat(4 * 1024 * 1024 + 1);
    check(
        Method::POST,
        "/karma-hello/chat_logs",
        &large,
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
    )
    .await;
}

/// The load balancer keeps idle connections for as long as its idle timeout, 4000 s at the most. An agent that closed them earlier would now and
/// then close one just as a request comes, which is a 502:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues>
#[tokio::test]
async fn an_idle_connection_outlives_the_load_balancers_idle_timeout() {
    let agent = start("validator", &[]).await;
    let mut connection = TcpStream::connect(agent.address).await.unwrap();
    let mut ask = async || {
        let request = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = connection.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(4001)).await;
    tokio::time::resume();
    assert!(ask().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn metrics_count_what_was_answered_and_the_load_balancer_does_not_see_them() {
    let agent = start("validator", &[]).await;
    agent.get("/validator/health").await;
    agent.post("/validate", &json!({})).await;
    let page = client().get(format!("{}/metrics", agent.url())).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/plain; version=0.0.4");
    let page = page.text().await.unwrap();
    for line in [
        r#"http_requests_total{method="GET",route="/validator/health",status="200"} 1"#,
        r#"http_requests_total{method="POST",route="/validate",status="400"} 1"#,
        r#"http_request_duration_seconds_count{route="/validate"} 1"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(page.contains("process_resident_memory_bytes "), "{page}");
    assert_eq!(agent.get("/validator/metrics").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_and_stays_healthy() {
    let agent = start("karma-hello", &[("RATE_LIMIT_PER_MINUTE", "60")]).await;
    let ask = async |path: &str, from: &str| {
        let request = client().get(format!("{}{path}", agent.url()));
        request.header("x-forwarded-for", from).send().await.unwrap()
    };
    let mut refused = None;
    for _ in 0..30 {
        let answer = ask("/karma-hello/streams", "6.6.6.6, 192.0.2.7").await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"], "too_many_requests");
    for _ in 0..30 {
        assert_eq!(ask("/karma-hello/health", "192.0.2.7").await.status(), StatusCode::OK);
    }
    assert_eq!(ask("/karma-hello/streams", "192.0.2.8").await.status(), StatusCode::OK);
}
