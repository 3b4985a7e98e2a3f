//! Rules, and what a request looks like when it reaches its target.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Response, StatusCode};
use karma_balancer::{Action, Attributes, Condition, ContentType, Pattern, Rule, Rules};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::{
    Reply, all_to, balancer, connect, exchange, get, group, listener, mirror, named, raw_target, read_head,
    read_to_end, send, target,
};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn not_found() -> Action {
    Action::FixedResponse {
        status: StatusCode::NOT_FOUND,
        content_type: ContentType::ApplicationJson,
        body: r#"{"error":"no such path"}"#.into(),
    }
}

fn path(priority: u32, pattern: &str, action: Action) -> Rule {
    Rule::new(
        priority,
        vec![Condition::PathPattern(vec![Pattern::new(pattern)])],
        action,
    )
}

#[tokio::test]
async fn rules_are_tried_by_priority_and_the_default_answers_the_rest() {
    let (narrow, wide) = (group(&[named("narrow").await]), group(&[named("wide").await]));
    let rules = vec![
        path(20, "/api/*", Action::forward_to(wide)),
        path(10, "/api/v1/*", Action::forward_to(narrow)),
    ];
    let rules = Rules {
        rules,
        default_action: not_found(),
    };
    let balancer = listener(rules.clone(), Attributes::default()).await;
    for _ in 0..2 {
        assert_eq!(get(&balancer, "/api/v1/x").await.body, "narrow");
        assert_eq!(get(&balancer, "/api/v2/x").await.body, "wide");
        balancer.set_rules(rules.clone());
    }
    let reply = get(&balancer, "/API/v1/x").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (404, r#"{"error":"no such path"}"#)
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("server"), Some("awselb/2.0"));
}

#[tokio::test]
async fn host_rules_ignore_case_and_port() {
    let conditions = vec![Condition::HostHeader(vec![Pattern::new("*.example.com")])];
    let action = Action::forward_to(group(&[named("it").await]));
    let rules = Rules {
        rules: vec![Rule::new(1, conditions, action)],
        default_action: not_found(),
    };
    let balancer = listener(rules, Attributes::default()).await;
    for (host, status) in [
        ("API.Example.com:8080", 200),
        ("api.example.com", 200),
        ("example.com", 404),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(send(&balancer, &request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn rules_change_under_an_open_connection() {
    let balancer = balancer(&[named("old").await]).await;
    let mut client = connect(&balancer).await;
    assert_eq!(exchange(&mut client, REQUEST).await.unwrap().body, "old");
    balancer.set_rules(all_to(&group(&[named("new").await])));
    assert_eq!(exchange(&mut client, REQUEST).await.unwrap().body, "new");
}

#[tokio::test]
async fn weights_decide_between_groups() {
    let (never, always) = (group(&[named("never").await]), group(&[named("always").await]));
    let balancer = balancer(&[]).await;
    let forward = |weights: [u32; 2]| {
        let groups = vec![(never.clone(), weights[0]), (always.clone(), weights[1])];
        Rules {
            rules: Vec::new(),
            default_action: Action::forward(groups),
        }
    };
    balancer.set_rules(forward([0, 5]));
    for _ in 0..20 {
        assert_eq!(get(&balancer, "/").await.body, "always");
    }
    balancer.set_rules(forward([0, 0]));
    assert_eq!(get(&balancer, "/").await.status, 503);
}

#[tokio::test]
async fn healthy_targets_take_turns() {
    let balancer = balancer(&[named("a").await, named("b").await]).await;
    let mut client = connect(&balancer).await;
    let mut served = String::new();
    for _ in 0..6 {
        served += &exchange(&mut client, REQUEST).await.unwrap().body;
    }
    assert!(["ababab", "bababa"].contains(&served.as_str()), "{served}");
}

#[tokio::test]
async fn the_target_sees_the_path_as_sent_and_where_the_request_came_from() {
    let balancer = balancer(&[mirror().await]).await;
    let port = balancer.local_addr().port();
    let seen = get(&balancer, "/img/a%20b//../c?x=1&x=*").await.body;
    assert!(seen.starts_with("GET /img/a%20b//../c?x=1&x=*\n"), "{seen}");
    assert!(seen.contains(&format!("host: example.com:{port}\n")), "{seen}");
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: http\n"), "{seen}");
    assert!(seen.contains(&format!("x-forwarded-port: {port}\n")), "{seen}");
    assert!(seen.contains("x-amzn-trace-id: Root=1-"), "{seen}");
    assert!(!seen.contains("connection"), "{seen}");
}

#[tokio::test]
async fn headers_of_one_connection_stay_on_it() {
    let target = target(|_| async {
        let answer = Response::builder()
            .header("connection", "x-secret")
            .header("x-secret", "1");
        answer
            .header("keep-alive", "timeout=5")
            .header("x-open", "2")
            .body("ok".into())
            .unwrap()
    });
    let reply = get(&balancer(&[target.await]).await, "/").await;
    assert_eq!((reply.header("x-secret"), reply.header("keep-alive")), (None, None));
    assert_eq!(reply.header("x-open"), Some("2"));
}

#[tokio::test]
async fn an_http_1_0_client_is_served() {
    let balancer = balancer(&[mirror().await]).await;
    let reply = send(&balancer, "GET /old HTTP/1.0\r\n\r\n").await;
    assert_eq!(reply.status, 200);
    assert!(reply.head.starts_with("HTTP/1.0"), "{}", reply.head);
    assert!(reply.body.starts_with("GET /old\nhost: 127.0.0.1:"), "{}", reply.body);
}

#[tokio::test]
async fn connections_to_a_target_are_kept() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let target = raw_target(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            while read_head(&mut stream).await.ends_with("\r\n\r\n") {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await;
            }
        }
    });
    let balancer = balancer(&[target.await]).await;
    for _ in 0..5 {
        assert_eq!(get(&balancer, "/").await.status, 200);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// A target that answers the first request of each connection, and closes it when the second has come.
async fn once_per_connection() -> std::net::SocketAddr {
    raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await;
        read_head(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn a_request_lost_on_a_kept_connection_is_sent_again_if_that_does_no_harm() {
    let balancer = balancer(&[once_per_connection().await]).await;
    for _ in 0..5 {
        assert_eq!(get(&balancer, "/").await.status, 200);
    }
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(send(&balancer, post).await.status, 502);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_loses_no_request_at_all() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let close = Arc::new(Notify::new());
    let may_close = Arc::clone(&close);
    let target = raw_target(move |mut stream| {
        let (tell, may_close) = (tell.clone(), Arc::clone(&may_close));
        async move {
            read_head(&mut stream).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await;
            may_close.notified().await;
            drop(stream);
            tell.send("closed").unwrap();
        }
    });
    let balancer = balancer(&[target.await]).await;
    for _ in 0..20 {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        assert_eq!(send(&balancer, post).await.status, 200);
        close.notify_one();
        assert_eq!(told.recv().await, Some("closed"));
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let balancer = balancer(&[mirror().await]).await;
    let mut client = connect(&balancer).await;
    let requests = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.write_all(requests.as_bytes()).await.unwrap();
    let answers = read_to_end(&mut client).await;
    let (first, second) = (answers.find("GET /1").unwrap(), answers.find("GET /2").unwrap());
    assert!(first < second, "{answers}");
    balancer.stop(Duration::ZERO).await;
}

/// Keeps the helper honest: an answer without `Content-Length` would otherwise go unread.
#[tokio::test]
async fn an_answer_keeps_its_length() {
    let balancer = balancer(&[named("four").await]).await;
    let reply: Reply = get(&balancer, "/").await;
    assert_eq!(reply.header("content-length"), Some("4"));
}
