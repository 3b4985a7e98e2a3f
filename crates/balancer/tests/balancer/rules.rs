//! Conditions, redirects and transforms, as clients and targets see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use karma_balancer::{
    Action, Attributes, Condition, ContentType, Permanence, Redirect, Rewrite, Rule, Rules, StatusCode, Transforms,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::support::{
    all_to, balancer, connect, exchange, get, group, listener, mirror, named, raw_target, read_head, send,
};

fn says(text: &'static str) -> Action {
    Action::FixedResponse {
        status: StatusCode::OK,
        content_type: ContentType::TextPlain,
        body: text.into(),
    }
}

fn one_rule(conditions: Vec<Condition>, action: Action) -> Rules {
    Rules {
        rules: vec![Rule::new(1, conditions, action)],
        default_action: says("default"),
    }
}

/// A listener for which `condition` decides between two fixed answers.
async fn check(condition: Condition, request_lines_and_headers: &[(&str, &str)]) {
    let balancer = listener(one_rule(vec![condition], says("rule")), Attributes::default()).await;
    for (request, expected) in request_lines_and_headers {
        let request = format!("{request}\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(send(&balancer, &request).await.body, *expected, "{request}");
    }
}

#[tokio::test]
async fn methods_headers_and_addresses_decide() {
    let methods = Condition::HttpRequestMethod(vec!["PURGE".parse().unwrap()]);
    check(methods, &[("PURGE / HTTP/1.1", "rule"), ("GET / HTTP/1.1", "default")]).await;
    let header = Condition::HttpHeader {
        name: "x-version".parse().unwrap(),
        values: vec!["v?".into()],
    };
    let requests = [
        ("GET / HTTP/1.1\r\nX-Version: V2", "rule"),
        ("GET / HTTP/1.1\r\nX-Version: 2", "default"),
    ];
    check(header, &requests).await;
    let here = Condition::SourceIp(vec!["127.0.0.0/8".parse().unwrap()]);
    check(here, &[("GET / HTTP/1.1", "rule")]).await;
    let elsewhere = Condition::SourceIp(vec!["10.0.0.0/8".parse().unwrap()]);
    check(elsewhere, &[("GET / HTTP/1.1\r\nX-Forwarded-For: 10.0.0.1", "default")]).await;
}

#[tokio::test]
async fn a_redirect_tells_where_to_go() {
    let secure = Redirect {
        protocol: "HTTPS".into(),
        port: "443".into(),
        ..Redirect::new(Permanence::Permanent)
    };
    let balancer = listener(one_rule(Vec::new(), Action::Redirect(secure)), Attributes::default()).await;
    let reply = get(&balancer, "/a%20b?c=d").await;
    assert_eq!(reply.status, 301);
    assert_eq!(reply.header("location"), Some("https://example.com:443/a%20b?c=d"));
    assert_eq!(reply.header("server"), Some("awselb/2.0"));
    assert!(reply.body.contains("<h1>301 Moved Permanently</h1>"), "{}", reply.body);
    let long = get(&balancer, &format!("/{}", "x".repeat(8_192))).await;
    assert_eq!(long.status, 500);
    let seen = balancer.statistics();
    assert_eq!(
        (seen.redirects, seen.elb_3xx, seen.elb_500, seen.requests),
        (1, 1, 1, 0)
    );
}

#[tokio::test]
async fn transforms_rewrite_what_the_target_gets() {
    let rule = Rule {
        transforms: Transforms {
            host_header: Some(Rewrite::new("^(.+)\\.com$", "$1.internal").unwrap()),
            url: Some(Rewrite::new("^/api/(.*)$", "/$1").unwrap()),
        },
        ..Rule::new(1, Vec::new(), Action::forward_to(group(&[mirror().await])))
    };
    let rules = Rules {
        rules: vec![rule],
        default_action: says("default"),
    };
    let balancer = listener(rules, Attributes::default()).await;
    let port = balancer.local_addr().port();
    let seen = get(&balancer, "/api/v1?x=/api/y").await.body;
    assert!(seen.starts_with("GET /v1?x=/api/y\n"), "{seen}");
    assert!(seen.contains(&format!("host: example.internal:{port}\n")), "{seen}");
    let seen = get(&balancer, "/other").await.body;
    assert!(seen.starts_with("GET /other\n"), "{seen}");
}

/// Rules are swapped as fast as they can be while requests come in on kept and on new connections; each must be
/// answered, by the old rules or by the new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_change_under_load_and_no_request_is_lost() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 400;
    let groups = [group(&[named("left").await]), group(&[named("right").await])];
    let balancer = Arc::new(balancer(&[]).await);
    balancer.set_rules(all_to(&groups[0]));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (balancer, answered) = (Arc::clone(&balancer), Arc::clone(&answered));
        clients.spawn(async move {
            let mut kept = connect(&balancer).await;
            for request in 0..REQUESTS {
                let reply = if (request + client) % 10 == 0 {
                    get(&balancer, "/").await
                } else {
                    exchange(&mut kept, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap()
                };
                assert!(["left", "right"].contains(&reply.body.as_str()), "{reply:?}");
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let mut swaps = 0_usize;
    while clients.try_join_next().is_none_or(|joined| joined.is_ok()) && !clients.is_empty() {
        swaps += 1;
        balancer.set_rules(all_to(&groups[swaps % 2]));
        tokio::task::yield_now().await;
    }
    while let Some(joined) = clients.join_next().await {
        joined.unwrap();
    }
    assert_eq!(answered.load(Ordering::SeqCst), CLIENTS * REQUESTS);
    assert!(swaps > 100, "{swaps}");
    let served = groups.map(|group| group.statistics().target_2xx);
    assert!(served.iter().all(|&served| served > 0), "{served:?}");
    assert_eq!(served.iter().sum::<u64>(), (CLIENTS * REQUESTS) as u64);
}

#[tokio::test]
async fn a_request_ends_by_the_rules_it_began_with() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let may_answer = Arc::new(tokio::sync::Notify::new());
    let answers = Arc::clone(&may_answer);
    let slow = raw_target(move |mut stream| {
        let (tell, answers) = (tell.clone(), Arc::clone(&answers));
        async move {
            read_head(&mut stream).await;
            tell.send(()).unwrap();
            answers.notified().await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
                .await;
        }
    });
    let balancer = balancer(&[slow.await]).await;
    let mut client = connect(&balancer).await;
    let (reply, ()) = tokio::join!(exchange(&mut client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), async {
        told.recv().await.unwrap();
        balancer.set_rules(one_rule(Vec::new(), says("new")));
        may_answer.notify_one();
    });
    assert_eq!(reply.unwrap().body, "old");
    assert_eq!(get(&balancer, "/").await.body, "new");
}
