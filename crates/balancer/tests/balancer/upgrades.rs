//! Connections that go on with WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use karma_balancer::{Attributes, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{
    DEADLINE, all_to, balancer, connect, group, hold, impatient_balancer, listener, mirror, raw_target, read_head,
    read_to_end, read_until, send,
};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const AGREE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A target that agrees, says a word at once, and then sends back what it gets.
async fn echo() -> SocketAddr {
    raw_target(|mut stream| async move {
        let head = read_head(&mut stream).await;
        assert!(
            head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"),
            "{head}"
        );
        stream.write_all(format!("{AGREE}hello ").as_bytes()).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await
}

/// Connects, and reads up to the target's first word.
async fn open(balancer: &Listener) -> TcpStream {
    let mut client = connect(balancer).await;
    client.write_all(ASK.as_bytes()).await.unwrap();
    let seen = read_until(&mut client, "hello ").await;
    assert!(seen.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{seen}");
    for line in [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ] {
        assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line} is not in {seen}");
    }
    client
}

#[tokio::test]
async fn bytes_pass_both_ways_as_they_come() {
    let group = group(&[echo().await]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = open(&balancer).await;
    let before = balancer.statistics().processed_bytes;
    for word in ["\x01one", "\x02two"] {
        client.write_all(word.as_bytes()).await.unwrap();
        let mut back = vec![0; word.len()];
        timeout(DEADLINE, client.read_exact(&mut back)).await.unwrap().unwrap();
        assert_eq!(back, word.as_bytes());
    }
    assert_eq!(balancer.statistics().processed_bytes - before, 16);
    assert_eq!(group.targets()[0].in_flight, 1);
    client.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
    while group.targets()[0].in_flight > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_sent_ahead_of_the_agreement_is_not_lost() {
    let balancer = balancer(&[echo().await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(format!("{ASK}early").as_bytes()).await.unwrap();
    assert!(read_until(&mut client, "early").await.ends_with("hello early"));
}

#[tokio::test]
async fn silence_ends_it() {
    let balancer = impatient_balancer(&[echo().await], Duration::from_millis(100)).await;
    let mut client = open(&balancer).await;
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn a_target_that_has_to_go_ends_it() {
    let target = echo().await;
    let group = karma_balancer::TargetGroup::new(karma_balancer::TargetGroupSettings {
        deregistration_delay: Duration::from_millis(100),
        ..karma_balancer::TargetGroupSettings::named("hasty")
    });
    group.register(target);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = open(&balancer).await;
    timeout(DEADLINE, group.deregister(target)).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn a_target_may_decline() {
    let balancer = balancer(&[mirror().await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(ASK.as_bytes()).await.unwrap();
    let seen = read_until(&mut client, "sec-websocket-version: 13\n").await;
    assert!(seen.starts_with("HTTP/1.1 200 OK"), "{seen}");
}

#[tokio::test]
async fn a_change_nobody_asked_for_is_502() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(AGREE.as_bytes()).await.unwrap();
        hold(stream).await;
    });
    let balancer = balancer(&[target.await]).await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(send(&balancer, request).await.status, 502);
}
