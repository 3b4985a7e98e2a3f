//! Clients that are slow, silent, or gone.

use std::time::Duration;

use karma_balancer::Attributes;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{
    DEADLINE, all_to, balancer, connect, exchange, get, group, hold, impatient_balancer, listener, named, raw_target,
    read_head, read_to_end,
};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_with_it() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let target = raw_target(move |mut stream| {
        let tell = tell.clone();
        async move {
            read_head(&mut stream).await;
            tell.send("request").unwrap();
            hold(stream).await;
            tell.send("gone").unwrap();
        }
    });
    let group = group(&[target.await]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = connect(&balancer).await;
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    assert_eq!(told.recv().await, Some("request"));
    assert_eq!(group.targets()[0].in_flight, 1);
    drop(client);
    assert_eq!(timeout(DEADLINE, told.recv()).await.unwrap(), Some("gone"));
    assert_eq!(group.targets()[0].in_flight, 0);
}

#[tokio::test]
async fn slow_clients_do_not_hold_up_others() {
    let balancer = balancer(&[named("quick").await]).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut client = connect(&balancer).await;
        client
            .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx")
            .await
            .unwrap();
        slow.push(client);
    }
    assert_eq!(get(&balancer, "/").await.body, "quick");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let balancer = impatient_balancer(&[named("it").await], Duration::from_millis(100)).await;
    let mut client = connect(&balancer).await;
    exchange(&mut client, REQUEST).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn a_connection_is_closed_when_it_has_lived_its_time() {
    let attributes = Attributes {
        client_keep_alive: Duration::from_millis(200),
        ..Attributes::default()
    };
    let balancer = listener(all_to(&group(&[named("it").await])), attributes).await;
    let mut client = connect(&balancer).await;
    exchange(&mut client, REQUEST).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}
