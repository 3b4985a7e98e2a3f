//! Bodies in both directions: their framing, their size, their pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::support::{
    DEADLINE, balancer, connect, get, hold, impatient_balancer, mirror, raw_target, read_head, read_to_end, read_until,
    scripted, send, target,
};

/// A target that answers with the framing and the body it got.
async fn echo() -> std::net::SocketAddr {
    target(|request| async move {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("-")
                .to_owned()
        };
        let framing = format!("{}/{} ", header("content-length"), header("transfer-encoding"));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(Full::new(Bytes::from([framing.as_bytes(), &body].concat())))
    })
    .await
}

#[tokio::test]
async fn request_bodies_keep_their_framing() {
    let balancer = balancer(&[echo().await]).await;
    for (method, framing, sent, seen) in [
        ("POST", "Content-Length: 5", "hello", "5/- hello"),
        (
            "POST",
            "Transfer-Encoding: chunked",
            "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            "-/chunked hello",
        ),
        (
            "GET",
            "Transfer-Encoding: chunked",
            "5\r\nhello\r\n0\r\n\r\n",
            "-/chunked hello",
        ),
        ("DELETE", "Content-Length: 2", "hi", "2/- hi"),
        ("POST", "Content-Length: 0", "", "0/- "),
    ] {
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n{sent}");
        assert_eq!(send(&balancer, &request).await.body, seen, "{method} {framing}");
    }
}

#[tokio::test]
async fn a_client_may_wait_to_be_told_to_send_its_body() {
    let balancer = balancer(&[echo().await]).await;
    let mut client = connect(&balancer).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hello").await.unwrap();
    let answer = read_to_end(&mut client).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("5/- hello"),
        "{answer}"
    );
}

#[tokio::test]
async fn large_bodies_pass_both_ways_at_once() {
    let balancer = balancer(&[echo().await]).await;
    let body = "x".repeat(8 << 20);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = send(&balancer, &request).await;
    assert_eq!(reply.body.len(), body.len() + format!("{}/- ", body.len()).len());
}

#[tokio::test]
async fn answers_without_a_body_stay_so() {
    for (method, answer, status, length) in [
        (
            "HEAD",
            &b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"[..],
            200,
            Some("1234"),
        ),
        (
            "HEAD",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            200,
            None,
        ),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, None),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", 304, None),
        (
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            304,
            None,
        ),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, Some("0")),
    ] {
        let balancer = balancer(&[scripted(answer).await]).await;
        let reply = send(
            &balancer,
            &format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        )
        .await;
        let what = String::from_utf8_lossy(answer);
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{method} {what}");
        assert_eq!(reply.header("content-length"), length, "{method} {what}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_becomes_chunked() {
    let reply = get(&balancer(&[scripted(b"HTTP/1.1 200 OK\r\n\r\nhello").await]).await, "/").await;
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    assert_eq!(reply.body, "5\r\nhello\r\n0\r\n\r\n");
}

#[tokio::test]
async fn of_two_lengths_of_an_answer_the_wrong_one_is_dropped() {
    for framing in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 9",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let reply = get(&balancer(&[scripted(answer).await]).await, "/").await;
        assert_eq!(
            (reply.body.as_str(), reply.header("content-length")),
            ("5\r\nhello\r\n0\r\n\r\n", None)
        );
    }
}

#[tokio::test]
async fn trailers_reach_a_client_that_wants_them() {
    let answer = b"HTTP/1.1 200 OK\r\nTrailer: sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nsum: 7\r\n\r\n";
    let balancer = balancer(&[scripted(answer).await]).await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, te\r\n\r\n";
    assert_eq!(send(&balancer, request).await.body, "2\r\nok\r\n0\r\nsum: 7\r\n\r\n");
}

/// A target that sends as fast as it is read, and counts.
async fn fountain(length: usize, sent: Arc<AtomicUsize>) -> std::net::SocketAddr {
    raw_target(move |mut stream| {
        let sent = Arc::clone(&sent);
        async move {
            read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let drops = vec![b'x'; 64 * 1_024];
            while sent.load(Ordering::SeqCst) < length {
                stream.write_all(&drops).await.unwrap();
                sent.fetch_add(drops.len(), Ordering::SeqCst);
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_slow_reader_slows_the_target_down() {
    const LENGTH: usize = 256 << 20;
    let sent = Arc::new(AtomicUsize::new(0));
    let balancer = balancer(&[fountain(LENGTH, Arc::clone(&sent)).await]).await;
    let mut client = connect(&balancer).await;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    read_head(&mut client).await;
    let mut before = usize::MAX;
    while before != sent.load(Ordering::SeqCst) {
        before = sent.load(Ordering::SeqCst);
        sleep(Duration::from_millis(200)).await;
    }
    assert!(
        before < LENGTH / 4,
        "{before} bytes have left the target, and nobody has read them"
    );
    let mut buffer = vec![0; 1 << 20];
    let drained = async { while client.read(&mut buffer).await.unwrap() > 0 {} };
    timeout(DEADLINE, drained).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), LENGTH);
}

/// A target that sends an event every tenth of a second, `count` times, and then nothing.
async fn events(count: usize) -> std::net::SocketAddr {
    raw_target(move |mut stream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head).await.unwrap();
        for _ in 0..count {
            sleep(Duration::from_millis(100)).await;
            stream.write_all(b"7\r\ndata: x\r\n").await.unwrap();
        }
        hold(stream).await;
    })
    .await
}

#[tokio::test]
async fn a_stream_lives_while_bytes_flow_and_no_longer() {
    let balancer = impatient_balancer(&[events(30).await], Duration::from_secs(2)).await;
    let reply = get(&balancer, "/").await;
    assert_eq!(reply.body.matches("data: x").count(), 30, "{}", reply.body);
    assert!(
        !reply.body.ends_with("0\r\n\r\n"),
        "the end should be missing: the stream was cut"
    );
}

#[tokio::test]
async fn each_part_of_an_answer_has_the_whole_idle_timeout() {
    let target = raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        for part in ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "o", "k"] {
            sleep(Duration::from_secs(1)).await;
            stream.write_all(part.as_bytes()).await.unwrap();
        }
    });
    let balancer = impatient_balancer(&[target.await], Duration::from_millis(2500)).await;
    assert_eq!(get(&balancer, "/").await.body, "ok");
}

#[tokio::test]
async fn events_are_passed_on_as_they_come() {
    let balancer = balancer(&[events(1).await]).await;
    let mut client = connect(&balancer).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(read_until(&mut client, "data: x").await.contains("data: x"));
}

#[tokio::test]
async fn an_upload_that_stalls_is_408() {
    let balancer = impatient_balancer(&[echo().await], Duration::from_millis(200)).await;
    let mut client = connect(&balancer).await;
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal")
        .await
        .unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_400() {
    let balancer = balancer(&[echo().await]).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    assert_eq!(send(&balancer, request).await.status, 400);
}

#[tokio::test]
async fn a_target_may_answer_before_it_has_the_whole_body() {
    let target = scripted(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno").await;
    let balancer = balancer(&[target, mirror().await]).await;
    let mut client = connect(&balancer).await;
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart")
        .await
        .unwrap();
    assert!(read_until(&mut client, "no").await.starts_with("HTTP/1.1 413"));
}
