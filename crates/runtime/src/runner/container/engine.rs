//! [`Engine`]: Docker or Podman, asked over its HTTP API on a unix socket.
//! <https://docs.docker.com/reference/api/engine/version/v1.41/>, which Podman speaks too:
//! <https://docs.podman.io/en/latest/_static/api.html>

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

/// The oldest version that has all that is asked here.
const VERSION: &str = "v1.41";

/// Docker or Podman.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    socket: PathBuf,
}

/// An engine does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// None answers.
    #[error("no container engine answers on {}", tried(.0))]
    None(Vec<PathBuf>),
    /// `DOCKER_HOST` names something else than a socket of this machine.
    #[error("DOCKER_HOST is {0}, and tasks are run by an engine of this machine only")]
    Elsewhere(String),
    /// It cannot be talked to.
    #[error("cannot talk to the container engine on {}", .socket.display())]
    Connection {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It refuses.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
}

fn tried(sockets: &[PathBuf]) -> String {
    let shown: Vec<_> = sockets.iter().map(|socket| socket.display().to_string()).collect();
    shown.join(" or ")
}

impl EngineError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::None(_) | Self::Connection { .. } => Some(
                "start Docker, or `podman system service --time=0`, and name its socket in DOCKER_HOST=unix://…; or leave out --runner container"
                    .to_owned(),
            ),
            Self::Elsewhere(_) => Some("set DOCKER_HOST to unix://…, or unset it".to_owned()),
            Self::Refused { .. } => None,
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND.as_u16())
    }
}

/// What an engine says where it refuses.
#[derive(Deserialize)]
struct Message {
    message: String,
}

impl Engine {
    /// The engine that `DOCKER_HOST` names, or else the first that answers on its usual socket.
    pub(crate) async fn find() -> Result<Self, EngineError> {
        let sockets = sockets(
            env::var("DOCKER_HOST").ok(),
            env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
        )?;
        for socket in &sockets {
            let engine = Self { socket: socket.clone() };
            if engine.send(Method::GET, "/_ping", None).await.is_ok() {
                return Ok(engine);
            }
        }
        Err(EngineError::None(sockets))
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, EngineError> {
        let answer = self.bytes(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| self.broken(io::Error::other(error)))
    }

    /// Asks, and waits for the end of the answer.
    pub(super) async fn bytes(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Bytes, EngineError> {
        let answer = self.send(method, path, body).await?;
        self.collect(answer).await
    }

    /// Asks; the answer may be a stream without end.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, EngineError> {
        let request = request(method, path, body);
        let answer = self.exchange(request).await.map_err(|source| self.broken(source))?;
        let status = answer.status();
        // 304: it is so already.
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let body = self.collect(answer).await?;
        let message = serde_json::from_slice(&body).map(|Message { message }| message);
        Err(EngineError::Refused {
            status: status.as_u16(),
            message: message.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned()),
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with the answer, or when nobody reads that any more.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(io::Error::other)
    }

    async fn collect(&self, answer: Response<Incoming>) -> Result<Bytes, EngineError> {
        let collected = answer.into_body().collect().await;
        let collected = collected.map_err(|error| self.broken(io::Error::other(error)))?;
        Ok(collected.to_bytes())
    }

    fn broken(&self, source: io::Error) -> EngineError {
        let socket = self.socket.clone();
        EngineError::Connection { socket, source }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

fn request(method: Method, path: &str, body: Option<&Value>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("/{VERSION}{path}"))
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body.map(Value::to_string).unwrap_or_default()))
        .expect("the path is made of encoded words")
}

/// Where an engine may listen.
fn sockets(docker_host: Option<String>, runtime_directory: Option<PathBuf>) -> Result<Vec<PathBuf>, EngineError> {
    if let Some(host) = docker_host.filter(|host| !host.is_empty()) {
        return match host.strip_prefix("unix://") {
            Some(socket) => Ok(vec![socket.into()]),
            None => Err(EngineError::Elsewhere(host)),
        };
    }
    let podman = runtime_directory.map(|directory| directory.join("podman").join("podman.sock"));
    Ok([PathBuf::from("/var/run/docker.sock")]
        .into_iter()
        .chain(podman)
        .collect())
}

/// A word of a path or a query. What image references are made of stays as it is, as the engines' own clients have it.
pub(super) fn encode(word: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in word.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' | b'@' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("a string takes any text"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_host_goes_before_the_usual_sockets() {
        let check = |host: Option<&str>, expected: &[&str]| {
            let found = sockets(host.map(str::to_owned), Some("/run/user/1".into())).unwrap();
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        };
        check(Some("unix:///a/b.sock"), &["/a/b.sock"]);
        check(None, &["/var/run/docker.sock", "/run/user/1/podman/podman.sock"]);
        check(Some(""), &["/var/run/docker.sock", "/run/user/1/podman/podman.sock"]);
    }

    #[test]
    fn an_engine_elsewhere_is_refused() {
        let refused = sockets(Some("tcp://10.0.0.1:2375".to_owned()), None);
        assert!(matches!(refused, Err(EngineError::Elsewhere(host)) if host == "tcp://10.0.0.1:2375"));
    }

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(encode("a/b:1@x y&?{\"}"), "a/b:1@x%20y%26%3F%7B%22%7D");
    }
}
