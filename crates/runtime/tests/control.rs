//! The control socket, as another program sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use karma_runtime::Urgency;
use support::{new_fleet, start_steady};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

#[tokio::test]
async fn whatever_is_asked_is_answered_and_the_connection_goes_on() {
    let running = start_steady(new_fleet()).await;
    let socket = running.directory.path().join(".karma/control.sock");
    let (reader, mut writer) = UnixStream::connect(socket).await.unwrap().into_split();
    let mut answers = BufReader::new(reader).lines();
    let mut check = async |question: &str, expected: &str| {
        writer.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        let answer = answers.next_line().await.unwrap().unwrap();
        assert!(answer.contains(expected), "{answer}");
    };
    check(r#"{"version":2,"request":"dance"}"#, r#""response":"refused""#).await;
    check(r#"{"version":99,"request":"observe"}"#, "speaks version 99").await;
    check("?", "not a message").await;
    check(r#"{"version":2,"request":"observe"}"#, r#""response":"observation""#).await;
    running.local.stop(Urgency::AtOnce).await;
}
