//! The control socket: how another process asks a running fleet. One JSON value per line, in both directions.
//!
//! ```text
//! → {"version":1,"request":"observe"}
//! ← {"version":1,"response":"observation","observation":{…}}
//! → {"version":1,"request":"stop"}
//! ← {"version":1,"response":"progress","progress":{…}}      any number of them
//! ← {"version":1,"response":"stopped"}
//! ```

mod client;
mod server;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::progress::Progress;
use karma_ops::Observation;

pub use client::{Control, ControlError};
pub(crate) use server::ControlServer;

/// The form of what is said.
const VERSION: u32 = 1;

const SOCKET: &str = "control.sock";

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
enum Request {
    /// Tell what runs.
    Observe,
    /// Tell what happens, until the fleet has stopped.
    Watch,
    /// Stop the fleet, and tell when that is done.
    Stop,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
enum Response {
    Observation { observation: Box<Observation> },
    Progress { progress: Progress },
    Stopped,
    Refused { reason: String },
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("not a message: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it speaks version {0} of the protocol, this program speaks version {VERSION}")]
    OtherVersion(u32),
}

/// One end of a connection.
#[derive(Debug)]
struct Connection(BufReader<UnixStream>);

impl Connection {
    fn new(stream: UnixStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// `None` when the other end has gone.
    async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, MessageError> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let VersionOnly { version } = serde_json::from_str(&line)?;
        if version != VERSION {
            return Err(MessageError::OtherVersion(version));
        }
        let envelope: Envelope<T> = serde_json::from_str(&line)?;
        Ok(Some(envelope.content))
    }

    async fn send(&mut self, content: impl Serialize) -> io::Result<()> {
        let envelope = Envelope {
            version: VERSION,
            content,
        };
        let mut line = serde_json::to_vec(&envelope)?;
        line.push(b'\n');
        self.0.get_mut().write_all(&line).await
    }
}

/// The socket's path, short enough for a socket however long the directory's is: through a descriptor, which must live as long as the path is used.
/// <https://man7.org/linux/man-pages/man7/unix.7.html>
fn short_path(state_directory: &Path) -> io::Result<(File, PathBuf)> {
    let directory = File::open(state_directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(SOCKET);
    Ok((directory, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_documentation_has_them() {
        let check = |text: &str, content: Request| {
            let envelope: Envelope<Request> = serde_json::from_str(text).unwrap();
            assert_eq!(envelope.content, content);
            assert_eq!(serde_json::to_string(&Envelope { version: 1, content }).unwrap(), text);
        };
        check(r#"{"version":1,"request":"observe"}"#, Request::Observe);
        check(r#"{"version":1,"request":"stop"}"#, Request::Stop);
    }

    #[tokio::test]
    async fn another_version_and_garbage_are_told_apart() {
        let check = async |text: &str, expected: &str| {
            let (mut theirs, ours) = UnixStream::pair().unwrap();
            theirs.write_all(text.as_bytes()).await.unwrap();
            let error = Connection::new(ours).receive::<Request>().await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("{\"version\":7,\"hello\":1}\n", "speaks version 7").await;
        check("GET / HTTP/1.1\n", "not a message").await;
        check("{\"version\":1,\"request\":\"dance\"}\n", "not a message").await;
    }
}
