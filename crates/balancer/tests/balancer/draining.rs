//! Targets that leave while requests are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use karma_balancer::{Attributes, TargetGroup, TargetGroupSettings};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use crate::support::{
    DEADLINE, all_to, connect, exchange, get, group, hold, listener, named, raw_target, read_head, read_to_end,
    read_until, silent, target,
};

/// A target that takes a moment, and counts what it has served.
async fn busy(served: &Arc<AtomicUsize>) -> std::net::SocketAddr {
    let served = Arc::clone(served);
    target(move |_| {
        let served = Arc::clone(&served);
        async move {
            sleep(Duration::from_millis(2)).await;
            served.fetch_add(1, Ordering::SeqCst);
            Response::new("ok".into())
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_leaves_under_load_and_nothing_is_lost() {
    let counts = [Arc::default(), Arc::default()];
    let targets = [busy(&counts[0]).await, busy(&counts[1]).await];
    let group = group(&targets);
    let balancer = Arc::new(listener(all_to(&group), Attributes::default()).await);
    let enough = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..16)
        .map(|_| tokio::spawn(client(Arc::clone(&balancer), Arc::clone(&enough))))
        .collect();
    while counts[0].load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    timeout(DEADLINE, group.deregister(targets[0])).await.unwrap();
    let served_when_gone = counts[0].load(Ordering::SeqCst);
    let until = counts[1].load(Ordering::SeqCst) + 200;
    while counts[1].load(Ordering::SeqCst) < until {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        counts[0].load(Ordering::SeqCst),
        served_when_gone,
        "a request reached the target after it was gone"
    );
    enough.store(true, Ordering::SeqCst);
    let mut answered = 0;
    for client in clients {
        answered += client.await.unwrap();
    }
    assert_eq!(
        answered,
        counts.iter().map(|count| count.load(Ordering::SeqCst)).sum::<usize>()
    );
}

/// Sends one request after the other, each of which must be answered with 200; returns their number.
async fn client(balancer: Arc<karma_balancer::Listener>, enough: Arc<AtomicBool>) -> usize {
    let mut stream = connect(&balancer).await;
    let mut answered = 0;
    while !enough.load(Ordering::SeqCst) {
        let reply = exchange(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(reply.status, 200);
        answered += 1;
    }
    answered
}

fn hasty_group() -> TargetGroup {
    TargetGroup::new(TargetGroupSettings {
        deregistration_delay: Duration::from_millis(100),
        ..TargetGroupSettings::named("hasty")
    })
}

#[tokio::test]
async fn a_request_without_an_answer_is_502_when_the_delay_is_over() {
    let target = silent();
    let (target, group) = (target.await, hasty_group());
    group.register(target);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = connect(&balancer).await;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    while group.targets()[0].in_flight == 0 {
        tokio::task::yield_now().await;
    }
    timeout(DEADLINE, group.deregister(target)).await.unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 502"));
}

#[tokio::test]
async fn an_answer_half_sent_is_cut_when_the_delay_is_over() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            .await
            .unwrap();
        hold(stream).await;
    });
    let (target, group) = (target.await, hasty_group());
    group.register(target);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = connect(&balancer).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(read_until(&mut client, "half").await.ends_with("half"));
    timeout(DEADLINE, group.deregister(target)).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn the_last_target_leaves_503_behind() {
    let target = named("last").await;
    let group = group(&[target]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    assert_eq!(get(&balancer, "/").await.status, 200);
    group.deregister(target).await;
    assert_eq!(get(&balancer, "/").await.status, 503);
}

#[tokio::test]
async fn kept_connections_close_when_their_target_leaves() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let target = raw_target(move |mut stream| {
        let tell = tell.clone();
        async move {
            while read_head(&mut stream).await.ends_with("\r\n\r\n") {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await;
            }
            tell.send("closed").unwrap();
        }
    });
    let target = target.await;
    let group = group(&[target]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    assert_eq!(get(&balancer, "/").await.status, 200);
    group.deregister(target).await;
    assert_eq!(timeout(DEADLINE, told.recv()).await.unwrap(), Some("closed"));
}
