//! What the client is told when there is no answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use karma_balancer::{Attributes, Listener};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::{
    Reply, all_to, balancer, connect, get, group, impatient_balancer, listener, mirror, nobody, raw_target, read_head,
    read_to_end, scripted, send, silent,
};

#[track_caller]
fn check_page(reply: &Reply, title: &str) {
    assert_eq!(Some(reply.status.to_string().as_str()), title.split(' ').next());
    assert_eq!(reply.header("server"), Some("awselb/2.0"));
    assert_eq!(reply.header("content-type"), Some("text/html"));
    assert!(reply.body.contains(&format!("<h1>{title}</h1>")), "{}", reply.body);
}

async fn answer_of(target: SocketAddr) -> Reply {
    get(&balancer(&[target]).await, "/").await
}

#[tokio::test]
async fn without_targets_503() {
    check_page(&get(&balancer(&[]).await, "/").await, "503 Service Unavailable");
}

#[tokio::test]
async fn a_refused_connection_is_502() {
    check_page(&answer_of(nobody().await).await, "502 Bad Gateway");
}

#[tokio::test]
async fn a_reset_is_502() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        stream.set_zero_linger().unwrap();
    });
    check_page(&answer_of(target.await).await, "502 Bad Gateway");
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_502() {
    for answer in [
        &b"hello\r\n\r\n"[..],
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"",
    ] {
        check_page(&answer_of(scripted(answer).await).await, "502 Bad Gateway");
    }
}

#[tokio::test]
async fn an_answer_that_ends_within_its_head_is_502() {
    check_page(
        &answer_of(scripted(b"HTTP/1.1 200 OK\r\nContent-Le").await).await,
        "502 Bad Gateway",
    );
}

#[tokio::test]
async fn an_answer_with_too_large_a_head_is_502() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: {}\r\n\r\n",
            "b".repeat(33 * 1_024)
        );
        let _ = stream.write_all(head.as_bytes()).await;
        read_head(&mut stream).await;
    });
    check_page(&answer_of(target.await).await, "502 Bad Gateway");
}

#[tokio::test]
async fn an_answer_that_ends_within_its_body_is_cut_for_the_client_too() {
    let reply = answer_of(scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "half"));
    let reply = answer_of(scripted(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await).await;
    assert!(!reply.body.contains("0\r\n"), "{:?}", reply.body);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_504() {
    let target = silent();
    let balancer = impatient_balancer(&[target.await], Duration::from_millis(200)).await;
    let start = Instant::now();
    check_page(&get(&balancer, "/").await, "504 Gateway Timeout");
    assert!(start.elapsed() >= Duration::from_millis(200));
}

/// A socket that listens and whose queue is full: a further connection is neither taken nor refused.
async fn full_queue() -> (SocketAddr, Vec<TcpStream>, tokio::net::TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let socket = socket.listen(1).unwrap();
    let address = socket.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queue.push(stream);
    }
    (address, queue, socket)
}

#[tokio::test]
async fn a_target_that_does_not_take_the_connection_is_504() {
    let (target, _queue, _socket) = full_queue().await;
    let attributes = Attributes {
        connect_timeout: Duration::from_millis(200),
        ..Attributes::default()
    };
    let balancer = listener(all_to(&group(&[target])), attributes).await;
    check_page(&get(&balancer, "/").await, "504 Gateway Timeout");
}

#[tokio::test]
async fn requests_that_are_not_for_a_target_are_refused() {
    let balancer = balancer(&[mirror().await]).await;
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "a".repeat(17 * 1_024)
    );
    let large = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nA: {}\r\n\r\n",
        "b".repeat(17 * 1_024)
    );
    for (request, title) in [
        (
            "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "405 Method Not Allowed",
        ),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400 Bad Request"),
        (&long, "414 URI Too Long"),
        (&large, "400 Bad Request"),
    ] {
        check_page(&send(&balancer, request).await, title);
    }
}

#[tokio::test]
async fn what_is_no_http_is_400() {
    let balancer = balancer(&[mirror().await]).await;
    for request in [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    ] {
        assert_eq!(send(&balancer, request).await.status, 400, "{request:?}");
    }
}

async fn check_smuggling(balancer: &Listener, framing: &str, status: u16) {
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n0\r\n\r\n");
    let mut client = connect(balancer).await;
    client.write_all(request.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let reply = read_to_end(&mut client).await;
    assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{framing:?} {reply}");
}

#[tokio::test]
async fn framing_that_two_readers_could_read_differently_is_refused() {
    let balancer = balancer(&[mirror().await]).await;
    check_smuggling(&balancer, "Content-Length: 5\r\nContent-Length: 6", 400).await;
    check_smuggling(&balancer, "Content-Length: 5, 6", 400).await;
    check_smuggling(&balancer, "Content-Length: +5", 400).await;
    check_smuggling(&balancer, "Transfer-Encoding : chunked", 400).await;
    check_smuggling(&balancer, "Transfer-Encoding: chunked, gzip", 400).await;
    check_smuggling(&balancer, "Transfer-Encoding: xchunked", 400).await;
    check_smuggling(&balancer, "Transfer-Encoding: gzip, chunked", 501).await;
}

/// With both, `Transfer-Encoding` counts (RFC 9112 §6.3), and the target never learns of the other.
#[tokio::test]
async fn of_two_framings_only_one_reaches_the_target() {
    let balancer = balancer(&[mirror().await]).await;
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n0\r\n\r\n");
        let seen = send(&balancer, &request).await.body;
        assert!(
            seen.contains("transfer-encoding: chunked") && !seen.contains("content-length"),
            "{seen}"
        );
    }
}
