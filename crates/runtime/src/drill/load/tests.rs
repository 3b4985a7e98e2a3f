use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

const MISSING: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn target(address: SocketAddr) -> Target {
    Target {
        address,
        path: "/health".parse().unwrap(),
    }
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Answers each request on a connection with the next of these, and then closes it. Tells of each connection.
async fn server(answers: &'static [&'static [u8]]) -> (Target, mpsc::UnboundedReceiver<()>) {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = target(socket.local_addr().unwrap());
    let (tell, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            tell.send(()).unwrap();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                for answer in answers {
                    if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    (target, connections)
}

#[tokio::test]
async fn a_request_is_lost_when_it_gets_no_whole_answer_or_a_server_error() {
    async fn check(answers: &'static [&'static [u8]], expected: Outcome) {
        let (target, _connections) = server(answers).await;
        assert_eq!(ask_once(&target, deadline()).await, expected);
    }
    check(&[OK], Outcome::Answered(StatusCode::OK)).await;
    check(&[MISSING], Outcome::Answered(StatusCode::NOT_FOUND)).await;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    check(&[UNAVAILABLE], Outcome::Lost(Loss::ServerError(status))).await;
    check(&[], Outcome::Lost(Loss::Broken)).await;
    check(&[HALF], Outcome::Lost(Loss::Broken)).await;
}

#[tokio::test]
async fn who_does_not_listen_is_not_connected() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = target(socket.local_addr().unwrap());
    drop(socket);
    assert_eq!(ask_once(&target, deadline()).await, Outcome::Lost(Loss::NotConnected));
}

#[tokio::test]
async fn connections_are_kept_and_those_that_are_closed_are_not_used() {
    let (target, mut connections) = server(&[OK, OK]).await;
    let idle = Idle::default();
    let all_closed = || idle.lock().unwrap().iter().all(SendRequest::is_closed);
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(ask(&target, &idle, deadline()).await, Outcome::Answered(StatusCode::OK));
        }
        let closed = async {
            while !all_closed() {
                tokio::task::yield_now().await;
            }
        };
        timeout_at(deadline(), closed).await.unwrap();
    }
    let opened = std::iter::from_fn(|| connections.try_recv().ok()).count();
    assert_eq!(opened, 3, "two requests on each connection");
}

#[tokio::test]
async fn requests_start_on_time_although_nobody_answers() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let load = Load {
        target: target(socket.local_addr().unwrap()),
        rate: 100,
        time_out: Duration::from_millis(300),
    };
    let (enough, stop) = oneshot::channel();
    let sending = tokio::spawn(load.send(Instant::now(), stop));
    // Nobody reads what is accepted.
    let mut held = Vec::new();
    while held.len() < 20 {
        held.push(socket.accept().await.unwrap());
    }
    enough.send(Instant::now()).unwrap();
    let mut shots = sending.await.unwrap();
    shots.sort_by_key(|shot| shot.at);
    assert!(shots.len() >= 20, "{}", shots.len());
    for (number, shot) in (0_u32..).zip(&shots) {
        assert_eq!(shot.at, Duration::from_millis(10) * number);
        assert_eq!(shot.outcome, Outcome::Lost(Loss::TimedOut));
        assert!(shot.latency >= Duration::from_millis(300), "{shot:?}");
    }
}

#[tokio::test]
async fn a_load_that_is_late_sends_what_was_due_before_its_end_and_no_more() {
    let (target, _connections) = server(&[OK; 100]).await;
    let (rate, time_out) = (100, Duration::from_secs(20));
    let began = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
    let (enough, stop) = oneshot::channel();
    enough.send(began + Duration::from_secs(1)).unwrap();
    let shots = Load { target, rate, time_out }.send(began, stop).await;
    assert_eq!(shots.len(), 100);
    assert!(
        shots
            .iter()
            .all(|shot| shot.outcome == Outcome::Answered(StatusCode::OK))
    );
}
