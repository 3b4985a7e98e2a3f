//! [`Connection`]: messages over a stream of bytes.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::VERSION;

/// A request or a response, and the form it has.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    #[serde(flatten)]
    content: T,
}

/// Read first: what another version says may be anything else.
#[derive(Debug, Deserialize)]
struct VersionOnly {
    version: u32,
}

/// The word that a message begins with, whichever it is.
#[derive(Debug, Deserialize)]
struct Word {
    #[serde(alias = "response")]
    request: String,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("not a message: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it speaks version {0} of the protocol, this program speaks version {VERSION}")]
    OtherVersion(u32),
    #[error("`{word}` cannot be understood here: {because}")]
    NotUnderstood { word: String, because: serde_json::Error },
}

impl MessageError {
    /// What the user can do, one line.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::OtherVersion(_) | Self::NotUnderstood { .. } => Some(
                "it was started by another version of karma: stop it with that one, or with Ctrl-C where it was started".to_owned(),
            ),
            Self::Io(_) | Self::Malformed(_) => None,
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
    /// The part of a message that has come.
    begun: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream: BufReader::new(stream),
            begun: Vec::new(),
        }
    }

    /// The next message; `None` when the other end has gone. Nothing is lost if the future is dropped before it resolves.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, MessageError> {
        self.stream.read_until(b'\n', &mut self.begun).await?;
        let line = std::mem::take(&mut self.begun);
        if line.is_empty() {
            return Ok(None);
        }
        read(&line).map(Some)
    }

    pub(super) async fn send(&mut self, content: impl Serialize) -> io::Result<()> {
        let version = VERSION;
        let mut line = serde_json::to_vec(&Envelope { version, content })?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }
}

fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, MessageError> {
    let VersionOnly { version } = serde_json::from_slice(line)?;
    if version != VERSION {
        return Err(MessageError::OtherVersion(version));
    }
    let Word { request: word } = serde_json::from_slice(line)?;
    match serde_json::from_slice::<Envelope<T>>(line) {
        Ok(envelope) => Ok(envelope.content),
        Err(because) => Err(MessageError::NotUnderstood { word, because }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::super::message::Request;
    use super::*;

    fn pair() -> (UnixStream, Connection) {
        let (theirs, ours) = UnixStream::pair().unwrap();
        (theirs, Connection::new(ours))
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_apart() {
        let check = async |text: &str, expected: &str| {
            let (mut theirs, mut ours) = pair();
            theirs.write_all(text.as_bytes()).await.unwrap();
            let error = ours.receive::<Request>().await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("{\"version\":7,\"hello\":1}\n", "speaks version 7").await;
        check("{\"version\":2,\"hello\":1}\n", "not a message").await;
        check("GET / HTTP/1.1\n", "not a message").await;
        check("\n", "not a message").await;
        check(
            "{\"version\":2,\"request\":\"dance\"}\n",
            "`dance` cannot be understood",
        )
        .await;
    }

    #[tokio::test]
    async fn a_connection_goes_on_after_a_message_that_it_cannot_read() {
        let (mut theirs, mut ours) = pair();
        theirs
            .write_all(b"?\n{\"version\":2,\"request\":\"observe\"}\n")
            .await
            .unwrap();
        drop(theirs);
        assert!(ours.receive::<Request>().await.is_err());
        assert_eq!(ours.receive().await.unwrap(), Some(Request::Observe));
        assert_eq!(ours.receive::<Request>().await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_comes_in_two_parts_is_read_although_the_first_wait_was_given_up() {
        let (mut theirs, mut ours) = pair();
        theirs.write_all(b"{\"version\":2,\"req").await.unwrap();
        assert!(
            timeout(Duration::from_millis(1), ours.receive::<Request>())
                .await
                .is_err()
        );
        theirs.write_all(b"uest\":\"watch\"}\n").await.unwrap();
        assert_eq!(ours.receive().await.unwrap(), Some(Request::Watch));
    }
}
