//! The end of a listener.

use std::time::Duration;

use http::Response;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{DEADLINE, balancer, connect, exchange, named, read_head, read_to_end, silent, target};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn open_requests_end_and_idle_connections_close() {
    let (asked, mut wait_for_request) = mpsc::unbounded_channel();
    let (answer, may_answer) = tokio::sync::watch::channel(false);
    let target = target(move |_| {
        let (asked, mut may_answer) = (asked.clone(), may_answer.clone());
        async move {
            asked.send(()).unwrap();
            may_answer.wait_for(|may| *may).await.unwrap();
            Response::new("done".into())
        }
    });
    let balancer = balancer(&[target.await]).await;
    let (mut idle, mut busy) = (connect(&balancer).await, connect(&balancer).await);
    busy.write_all(REQUEST.as_bytes()).await.unwrap();
    wait_for_request.recv().await.unwrap();
    let address = balancer.local_addr();
    let stopped = tokio::spawn(balancer.stop(DEADLINE));
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "a stopped listener should accept nothing"
    );
    assert!(!stopped.is_finished());
    answer.send(true).unwrap();
    assert!(read_to_end(&mut busy).await.ends_with("done"));
    timeout(DEADLINE, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let target = silent();
    let balancer = balancer(&[target.await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    timeout(DEADLINE, balancer.stop(Duration::from_millis(100)))
        .await
        .unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn dropping_a_listener_stops_it() {
    let balancer = balancer(&[named("it").await]).await;
    let mut client = connect(&balancer).await;
    exchange(&mut client, REQUEST).await.unwrap();
    drop(balancer);
    assert_eq!(read_head(&mut client).await, "");
}
