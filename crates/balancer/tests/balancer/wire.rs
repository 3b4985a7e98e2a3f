//! Heads and bodies that are slow, large, ambiguous or no HTTP, from clients and from targets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use karma_balancer::{Attributes, DesyncMitigationMode, Listener};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

use crate::support::{
    all_to, balancer, connect, exchange, get, group, hold, impatient_balancer, listener, mirror, named, raw_target,
    read_head, read_to_end, scripted, send,
};

async fn in_mode(target: SocketAddr, desync_mitigation_mode: DesyncMitigationMode) -> Listener {
    let attributes = Attributes {
        desync_mitigation_mode,
        ..Attributes::default()
    };
    listener(all_to(&group(&[target])), attributes).await
}

/// One byte at a time, for as long as the balancer listens.
async fn drip(balancer: &Listener, bytes: &[u8], pause: Duration) -> String {
    let mut client = connect(balancer).await;
    let (mut from, mut to) = client.split();
    let dripping = async {
        for byte in bytes.iter().cycle() {
            if to.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(pause).await;
        }
    };
    let mut seen = Vec::new();
    tokio::select! {
        () = dripping => {}
        read = tokio::io::AsyncReadExt::read_to_end(&mut from, &mut seen) => drop(read),
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn a_head_that_drips_is_408_when_the_idle_timeout_is_over() {
    let balancer = impatient_balancer(&[named("it").await], Duration::from_millis(300)).await;
    let start = Instant::now();
    let seen = drip(
        &balancer,
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: aaaa",
        Duration::from_millis(20),
    )
    .await;
    assert!(seen.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{seen}");
    assert!(seen.contains("server: awselb/2.0\r\n"), "{seen}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_head_that_comes_in_parts_is_read() {
    let balancer = balancer(&[mirror().await]).await;
    let mut client = connect(&balancer).await;
    for part in [
        "\r\nGE",
        "T /slow HT",
        "TP/1.1\r",
        "\nHost: a\r\nConnection: close\r\n",
        "\r",
        "\n",
    ] {
        client.write_all(part.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(read_to_end(&mut client).await.contains("GET /slow\n"));
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused_with_a_page() {
    let balancer = balancer(&[mirror().await]).await;
    let filler = "x".repeat(16_000);
    let lines = |count: usize| {
        (0..count)
            .map(|number| format!("H{number}: {filler}\r\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    for (request, status) in [
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                "a".repeat(90_000)
            ),
            414,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nA: {}\r\n\r\n",
                "b".repeat(17_000)
            ),
            400,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", lines(5)),
            400,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", lines(20)),
            400,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", lines(3)),
            200,
        ),
        ("GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), 505),
        (
            "GET / HTTP/1.1 x\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
            400,
        ),
    ] {
        let reply = send(&balancer, &request).await;
        assert_eq!(reply.status, status, "{request:.60}");
        assert!(status == 200 || reply.body.contains("<center><h1>"), "{}", reply.body);
    }
}

#[tokio::test]
async fn very_many_headers_pass() {
    let balancer = balancer(&[mirror().await]).await;
    let lines = (0..3_000)
        .map(|number| format!("h{number}: v\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let reply = send(
        &balancer,
        &format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n"),
    )
    .await;
    assert_eq!(
        (reply.status, reply.body.contains("h2999: v\n")),
        (431, false),
        "the target's own limit is lower"
    );
}

/// A target that counts its connections.
async fn counting(connections: &Arc<AtomicUsize>) -> SocketAddr {
    let connections = Arc::clone(connections);
    raw_target(move |mut stream| {
        connections.fetch_add(1, Ordering::SeqCst);
        async move {
            while read_head(&mut stream).await.ends_with("\r\n\r\n") {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn after_an_ambiguous_request_both_connections_close() {
    let connections = Arc::default();
    let balancer = in_mode(counting(&connections).await, DesyncMitigationMode::Defensive).await;
    for round in 1..=3 {
        let reply = send(
            &balancer,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        )
        .await;
        assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
        assert_eq!(connections.load(Ordering::SeqCst), round);
    }
    assert_eq!(balancer.statistics().desync_non_compliant_requests, 3);
}

#[tokio::test]
async fn the_mode_decides_what_passes() {
    use DesyncMitigationMode::{Defensive, Monitor, Strictest};
    let acceptable = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let ambiguous = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent_Length: 5\r\n\r\n";
    let target = mirror().await;
    for (mode, expected) in [(Monitor, [200, 200]), (Defensive, [200, 200]), (Strictest, [400, 400])] {
        let balancer = in_mode(target, mode).await;
        let answered = [
            send(&balancer, acceptable).await.status,
            send(&balancer, ambiguous).await.status,
        ];
        assert_eq!(answered, expected, "{mode:?}");
    }
}

#[tokio::test]
async fn headers_with_strange_names_are_dropped_if_asked() {
    for (drop_invalid_header_fields, dropped) in [(false, 0), (true, 1)] {
        let attributes = Attributes {
            drop_invalid_header_fields,
            ..Attributes::default()
        };
        let balancer = listener(all_to(&group(&[mirror().await])), attributes).await;
        let seen = send(
            &balancer,
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx_mine: 1\r\nx-good: 2\r\n\r\n",
        )
        .await;
        assert_eq!(
            seen.body.contains("x_mine: 1\n"),
            !drop_invalid_header_fields,
            "{}",
            seen.body
        );
        assert!(seen.body.contains("x-good: 2\n"));
        assert_eq!(balancer.statistics().dropped_invalid_headers_requests, dropped);
    }
}

#[tokio::test]
async fn what_a_target_says_before_its_answer_stays_behind() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let reply = get(&balancer(&[scripted(answer).await]).await, "/").await;
    assert_eq!(
        (reply.status, reply.body.as_str(), reply.header("link")),
        (200, "ok", None)
    );
}

#[tokio::test]
async fn what_a_target_says_after_its_answer_is_nobodys() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let target = raw_target(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            read_head(&mut stream).await;
            let _ = stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
                )
                .await;
            hold(stream).await;
        }
    });
    let balancer = balancer(&[target.await]).await;
    for _ in 0..3 {
        assert_eq!(get(&balancer, "/").await.body, "ok");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_target_that_closes_within_a_chunk_cuts_the_answer() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    let reply = get(&balancer(&[scripted(answer).await]).await, "/").await;
    assert!(reply.body.ends_with("hel\r\n"), "{:?}", reply.body);
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzzz\r\n";
    let reply = get(&balancer(&[scripted(answer).await]).await, "/").await;
    assert!(reply.body.ends_with("hello\r\n"), "{:?}", reply.body);
}

#[tokio::test]
async fn a_client_that_closes_its_half_and_waits_is_gone() {
    let group = group(&[raw_target(|mut stream| async move {
        read_head(&mut stream).await;
        hold(stream).await;
    })
    .await]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut client = connect(&balancer).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    while group.targets()[0].in_flight == 0 {
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
    assert_eq!(group.targets()[0].in_flight, 0);
}

#[tokio::test]
async fn a_request_body_left_unread_ends_the_connection_and_not_the_answer() {
    let target = scripted("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").await;
    let balancer = balancer(&[target]).await;
    let body = "x".repeat(1 << 20);
    let reply = send(
        &balancer,
        &format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n{body}"),
    )
    .await;
    assert_eq!((reply.status, reply.body.as_str()), (413, "no"));
}

#[tokio::test]
async fn an_old_client_may_keep_its_connection() {
    let balancer = balancer(&[named("it").await]).await;
    let mut client = connect(&balancer).await;
    for _ in 0..2 {
        let reply = exchange(&mut client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(
            (reply.body.as_str(), reply.header("connection")),
            ("it", Some("keep-alive"))
        );
    }
}

#[tokio::test]
async fn a_body_that_drips_arrives() {
    let target = crate::support::target(|request| async move {
        let body = http_body_util::BodyExt::collect(request.into_body()).await.unwrap();
        http::Response::new(http_body_util::Full::new(body.to_bytes()))
    });
    let balancer = impatient_balancer(&[target.await], Duration::from_secs(5)).await;
    let mut client = connect(&balancer).await;
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\n";
    client.write_all(head).await.unwrap();
    for _ in 0..100 {
        client.write_all(b"x").await.unwrap();
        sleep(Duration::from_millis(2)).await;
    }
    assert!(read_to_end(&mut client).await.ends_with(&"x".repeat(100)));
}

/// Whatever comes in, the balancer answers it or closes, and goes on serving others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mangled_requests_do_no_harm() {
    const GOOD: &[u8] = b"POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let balancer = impatient_balancer(&[mirror().await], Duration::from_millis(200)).await;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for _ in 0..300 {
        let mut bytes = GOOD.to_vec();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            match next(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, u8::try_from(next(256)).unwrap()),
                2 => bytes[at] = b"\r\n :,;\0\t"[next(8)],
                _ => bytes.truncate(at.max(1)),
            }
        }
        let mut client = connect(&balancer).await;
        client.write_all(&bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let answer = read_to_end(&mut client).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1."),
            "{:?} {answer}",
            bytes.escape_ascii().to_string()
        );
    }
    assert_eq!(get(&balancer, "/").await.status, 200);
}
