//! What proxies of a service mesh do and load balancers do not: trying others, giving up in time, leaving outliers
//! alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use karma_balancer::{Attributes, Listener, OutlierEjection, TargetGroup, TargetGroupSettings};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::support::{
    all_to, connect, get, group, hold, listener, named, nobody, raw_target, read_head, read_to_end, send, silent,
};

async fn retrying(group: &TargetGroup) -> Listener {
    let attributes = Attributes {
        retries: 2,
        ..Attributes::default()
    };
    listener(all_to(group), attributes).await
}

#[tokio::test]
async fn a_refused_connection_is_tried_elsewhere_whatever_the_method() {
    let group = group(&[nobody().await, named("ok").await]);
    let balancer = retrying(&group).await;
    for _ in 0..6 {
        assert_eq!(get(&balancer, "/").await.body, "ok");
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        assert_eq!(send(&balancer, post).await.body, "ok");
    }
    assert!(group.statistics().target_connection_errors > 0);
}

/// A target that takes requests and closes, and how many it took.
async fn closing() -> (SocketAddr, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let target = raw_target(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            if read_head(&mut stream).await.ends_with("\r\n\r\n") {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (target.await, taken)
}

#[tokio::test]
async fn a_request_that_went_out_is_not_repeated() {
    let (closing, taken) = closing().await;
    let balancer = retrying(&group(&[closing])).await;
    assert_eq!(get(&balancer, "/").await.status, 502);
    assert_eq!(taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_load_balancer_tries_no_other_target() {
    let group = group(&[nobody().await, named("ok").await]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut statuses = [get(&balancer, "/").await.status, get(&balancer, "/").await.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
}

async fn hurried(targets: &[SocketAddr]) -> Listener {
    let attributes = Attributes {
        request_timeout: Some(Duration::from_millis(300)),
        ..Attributes::default()
    };
    listener(all_to(&group(targets)), attributes).await
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_504() {
    let start = Instant::now();
    assert_eq!(get(&hurried(&[silent().await]).await, "/").await.status, 504);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_cut() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await;
        hold(stream).await;
    });
    let balancer = hurried(&[target.await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let seen = read_to_end(&mut client).await;
    assert!(seen.starts_with("HTTP/1.1 200") && seen.ends_with("half"), "{seen}");
}

#[tokio::test]
async fn an_outlier_is_left_alone() {
    let group = TargetGroup::new(TargetGroupSettings {
        outlier_ejection: Some(OutlierEjection::default()),
        ..TargetGroupSettings::named("test")
    });
    group.register(nobody().await);
    group.register(named("ok").await);
    let balancer = retrying(&group).await;
    for _ in 0..30 {
        assert_eq!(get(&balancer, "/").await.body, "ok");
    }
    assert_eq!(group.statistics().target_connection_errors, 5);
}
