//! What stands in the access log after requests.

use std::fs;
use std::path::Path;

use karma_balancer::{AccessLog, Action, Attributes, Condition, ContentType, Listener, Rule, Rules, StatusCode};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{DEADLINE, connect, get, group, listener, named, nobody, send, silent};

const LIMIT: u64 = 1 << 20;

async fn logging(directory: &TempDir, limit: u64, rules: Rules) -> (Listener, AccessLog) {
    let log = AccessLog::open(&directory.path().join("log"), "app/main/1", limit).unwrap();
    let attributes = Attributes {
        access_log: Some(log.clone()),
        ..Attributes::default()
    };
    (listener(rules, attributes).await, log)
}

async fn rules() -> Rules {
    let path =
        |priority, path: &str, action| Rule::new(priority, vec![Condition::PathPattern(vec![path.into()])], action);
    let teapot = Action::FixedResponse {
        status: StatusCode::IM_A_TEAPOT,
        content_type: ContentType::TextPlain,
        body: "short and stout".into(),
    };
    Rules {
        rules: vec![
            path(7, "/teapot", teapot),
            path(8, "/away", Action::forward_to(group(&[nobody().await]))),
            path(9, "/silent", Action::forward_to(group(&[silent().await]))),
        ],
        default_action: Action::forward_to(group(&[named("hello").await])),
    }
}

/// The lines of the log, once there are so many: they are written a moment after the answers.
async fn lines(directory: &Path, count: usize) -> Vec<String> {
    let reading = async {
        loop {
            let text = fs::read_to_string(directory.join("log")).unwrap();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.len() >= count {
                return lines;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, reading).await.expect("the lines should come")
}

/// The fields of a line, without their quotes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            fields.push(part.to_owned());
        } else {
            fields.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    fields
}

#[tokio::test]
async fn a_request_leaves_a_line_with_all_fields() {
    let directory = TempDir::new().unwrap();
    let (balancer, log) = logging(&directory, LIMIT, rules().await).await;
    let port = balancer.local_addr().port();
    let request = "POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nUser-Agent: me/1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let reply = send(&balancer, request).await;
    let line = lines(directory.path(), 1).await.remove(0);
    let fields = fields(&line);
    assert_eq!(fields.len(), 33, "{line}");
    assert_eq!([&fields[0], &fields[2]], ["http", "app/main/1"]);
    assert!(
        fields[3].starts_with("127.0.0.1:") && fields[4].starts_with("127.0.0.1:"),
        "{line}"
    );
    assert!(
        fields[5..8].iter().all(|time| time.parse::<f64>().unwrap() >= 0.0),
        "{line}"
    );
    assert_eq!(fields[8..10], ["200", "200"]);
    assert_eq!(fields[10], request.len().to_string());
    let least = "HTTP/1.1 200 OK\r\n\r\nhello".len();
    let sent: usize = fields[11].parse().unwrap();
    assert!(
        (least..=reply.head.len() + reply.body.len() + 4).contains(&sent),
        "{line}"
    );
    assert_eq!(fields[12], format!("POST http://example.com:{port}/a?b=c HTTP/1.1"));
    assert_eq!(fields[13..17], ["me/1", "-", "-", "test"]);
    assert!(fields[17].starts_with("Root=1-"), "{line}");
    assert_eq!([&fields[20], &fields[22]], ["0", "forward"]);
    assert_eq!([&fields[25], &fields[26]], [&fields[4], "200"]);
    assert!(fields[29].starts_with("TID_"), "{line}");
    assert_eq!(log.dropped(), 0);
}

#[tokio::test]
async fn what_did_not_come_from_a_target_is_told_from_what_did() {
    let directory = TempDir::new().unwrap();
    let (balancer, _log) = logging(&directory, LIMIT, rules().await).await;
    get(&balancer, "/teapot").await;
    get(&balancer, "/away").await;
    send(&balancer, "what is this\r\n\r\n").await;
    let lines = lines(directory.path(), 3).await;
    let told: Vec<Vec<String>> = lines.iter().map(|line| fields(line)).collect();
    let part = |fields: &[String]| [&fields[5], &fields[8], &fields[9], &fields[20], &fields[22]].map(String::clone);
    assert_eq!(part(&told[0]), ["-1", "418", "-", "7", "fixed-response"]);
    assert_eq!(part(&told[1]), ["-1", "502", "-", "8", "forward"]);
    assert_ne!(told[1][4], "-");
    assert_eq!(part(&told[2]), ["-1", "400", "-", "-", "-"]);
}

#[tokio::test]
async fn a_client_that_does_not_wait_leaves_a_460() {
    let directory = TempDir::new().unwrap();
    let (balancer, _log) = logging(&directory, LIMIT, rules().await).await;
    let mut client = connect(&balancer).await;
    client
        .write_all(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    while balancer.statistics().requests == 0 {
        tokio::task::yield_now().await;
    }
    drop(client);
    let line = lines(directory.path(), 1).await.remove(0);
    assert_eq!(fields(&line)[8..10], ["460", "-"]);
}

#[tokio::test]
async fn a_full_file_makes_room_for_a_new_one() {
    let directory = TempDir::new().unwrap();
    let (balancer, log) = logging(&directory, 1_000, rules().await).await;
    for _ in 0..12 {
        get(&balancer, "/").await;
    }
    drop(balancer);
    let old = directory.path().join("log.1");
    let rotated = async {
        while !old.exists() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, rotated).await.unwrap();
    assert!(fs::metadata(&old).unwrap().len() < 2_000);
    assert_eq!(log.dropped(), 0);
}

/// A log that nobody can write to any more does not stop the requests.
#[tokio::test]
async fn requests_do_not_wait_for_the_log() {
    let directory = TempDir::new().unwrap();
    let (balancer, log) = logging(&directory, 0, rules().await).await;
    get(&balancer, "/").await;
    lines(directory.path(), 1).await;
    // There is no directory any more to begin a new file in.
    drop(directory);
    for _ in 0..5 {
        assert_eq!(get(&balancer, "/").await.body, "hello");
    }
    let counted = async {
        while log.dropped() < 5 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, counted).await.expect("what is lost is counted");
}
