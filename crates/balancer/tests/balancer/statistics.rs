//! What a listener and a target group say they have done.

use std::time::Duration;

use http::{Response, StatusCode};
use karma_balancer::{
    Action, Attributes, Condition, ContentType, ListenerStatistics, Pattern, Rule, Rules, TargetGroup,
    TargetGroupStatistics,
};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::health::{check, checked};
use crate::support::{
    DEADLINE, all_to, balancer, connect, exchange, get, group, hold, listener, nobody, raw_target, read_head, send,
    target,
};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Waits until the numbers are so: the balancer counts what a client does a moment after the client has done it.
async fn eventually<T>(snapshot: impl Fn() -> T, holds: impl Fn(&T) -> bool) -> T {
    let looking = async {
        loop {
            let seen = snapshot();
            if holds(&seen) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, looking).await.expect("the numbers should come true")
}

/// A group with one target that answers with the status its path names.
async fn group_of_statuses() -> TargetGroup {
    let target = target(|request| async move {
        let status = request.uri().path().trim_start_matches('/').parse().unwrap();
        Response::builder().status::<u16>(status).body("ok".into()).unwrap()
    });
    group(&[target.await])
}

fn path(priority: u32, pattern: &str, action: Action) -> Rule {
    Rule::new(
        priority,
        vec![Condition::PathPattern(vec![Pattern::new(pattern)])],
        action,
    )
}

fn teapot() -> Action {
    Action::FixedResponse {
        status: StatusCode::IM_A_TEAPOT,
        content_type: ContentType::TextPlain,
        body: "".into(),
    }
}

#[tokio::test]
async fn answers_of_targets_are_counted_with_their_group() {
    let group = group_of_statuses().await;
    let balancer = listener(all_to(&group), Attributes::default()).await;
    for status in [200, 204, 302, 404, 404, 404, 500] {
        get(&balancer, &format!("/{status}")).await;
    }
    let counted = group.statistics();
    assert_eq!(counted.response_times.count(), 7);
    assert!(counted.response_times.quantile(0.5) > Some(Duration::ZERO));
    let expected = TargetGroupStatistics {
        requests: 7,
        target_2xx: 2,
        target_3xx: 1,
        target_4xx: 3,
        target_5xx: 1,
        response_times: counted.response_times.clone(),
        healthy_hosts: 1,
        ..TargetGroupStatistics::default()
    };
    assert_eq!(counted, expected);
    let seen = balancer.statistics();
    assert_eq!((seen.requests, seen.elb_4xx, seen.elb_5xx), (7, 0, 0));
}

#[tokio::test]
async fn answers_of_our_own_are_counted_with_the_listener() {
    let (away, empty) = (group(&[nobody().await]), group(&[]));
    let rules = Rules {
        rules: vec![
            path(1, "/teapot", teapot()),
            path(2, "/empty", Action::forward_to(empty)),
        ],
        default_action: Action::forward_to(away.clone()),
    };
    let balancer = listener(rules, Attributes::default()).await;
    for path in ["/teapot", "/empty", "/away"] {
        get(&balancer, path).await;
    }
    send(&balancer, "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let seen = eventually(|| balancer.statistics(), |seen| seen.active_connections == 0).await;
    let expected = ListenerStatistics {
        new_connections: 4,
        requests: 1,
        processed_bytes: seen.processed_bytes,
        rule_evaluations: 1 + 2 + 2,
        fixed_responses: 1,
        elb_4xx: 2,
        elb_5xx: 2,
        elb_502: 1,
        elb_503: 1,
        ..ListenerStatistics::default()
    };
    assert_eq!(seen, expected);
    assert_eq!(away.statistics().target_connection_errors, 1);
}

#[tokio::test]
async fn connections_of_both_sides_and_their_bytes_are_counted() {
    let balancer = balancer(&[target(|_| async { Response::new("hello".into()) }).await]).await;
    let mut client = connect(&balancer).await;
    for _ in 0..3 {
        exchange(&mut client, REQUEST).await.unwrap();
    }
    let seen = balancer.statistics();
    assert_eq!((seen.new_connections, seen.active_connections), (2, 2));
    let least = 3 * (REQUEST.len() + "HTTP/1.1 200 OK\r\n\r\nhello".len());
    assert!(seen.processed_bytes > least as u64, "{seen:?}");
    drop(client);
    // The target's connection stays in its pool.
    eventually(|| balancer.statistics(), |seen| seen.active_connections == 1).await;
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_counted() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let target = raw_target(move |mut stream| {
        let tell = tell.clone();
        async move {
            read_head(&mut stream).await;
            tell.send(()).unwrap();
            hold(stream).await;
        }
    });
    let balancer = balancer(&[target.await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    told.recv().await.unwrap();
    drop(client);
    let seen = eventually(|| balancer.statistics(), |seen| seen.elb_4xx == 1).await;
    assert_eq!((seen.requests, seen.elb_5xx), (1, 0));
}

#[tokio::test]
async fn requests_that_go_to_the_unhealthy_are_counted() {
    let group = checked(check(), &[nobody().await]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    get(&balancer, "/").await;
    assert_eq!(group.statistics().unhealthy_routing_requests, 1);
    let seen = eventually(|| group.statistics(), |seen| seen.unhealthy_hosts == 1).await;
    assert_eq!(seen.healthy_hosts, 0);
}
