//! [`Load`]: requests at a constant rate, whatever becomes of them.
//!
//! The loop is open: each request starts at its time whether or not the earlier ones have been answered, and its latency counts from that
//! time, so that a server which stands still is not spared, nor its silence hidden.
//!
//! Connections are kept, as clients keep them, and none is a loss that turns out to be closed before a byte of the request has left: any client
//! opens another. Nothing else is tried again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::target::Target;

/// Requests at a constant rate.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// What is asked for.
    pub(crate) target: Target,
    /// Requests a second.
    pub(crate) rate: u32,
    /// A request without its whole answer after so long is lost.
    pub(crate) time_out: Duration,
}

/// A request, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shot {
    /// When it was to start, since the beginning of the load.
    pub(crate) at: Duration,
    /// From then until its answer was there, or it was given up.
    pub(crate) latency: Duration,
    pub(crate) outcome: Outcome,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer, whole, and no server error.
    Answered(StatusCode),
    Lost(Loss),
}

/// How a request was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Nobody took the connection.
    NotConnected,
    /// The connection broke before the whole answer was there.
    Broken,
    /// It took too long.
    TimedOut,
    /// An answer of the 5xx kind.
    ServerError(StatusCode),
}

/// Connections that wait for their next request, the last used last.
type Idle = Mutex<Vec<SendRequest<Empty<Bytes>>>>;

impl Load {
    /// Sends every request that is due before the moment that `enough` names, late where the machine was, then waits for the last answers.
    pub(crate) async fn send(self, began: Instant, mut enough: oneshot::Receiver<Instant>) -> Vec<Shot> {
        allow_many_connections();
        let (target, idle) = (Arc::new(self.target), Arc::new(Idle::default()));
        let (mut under_way, mut shots) = (JoinSet::new(), Vec::new());
        let mut end = None;
        for number in 0_u32.. {
            let at = Duration::from_secs(1) * number / self.rate.max(1);
            let due = began + at;
            tokio::select! {
                biased;
                told = &mut enough, if end.is_none() => end = Some(told.unwrap_or(began)),
                () = sleep_until(due) => {}
            }
            if end.is_some_and(|end| due >= end) {
                break;
            }
            sleep_until(due).await;
            while let Some(shot) = under_way.try_join_next() {
                shots.extend(shot);
            }
            let (target, idle, time_out) = (Arc::clone(&target), Arc::clone(&idle), self.time_out);
            under_way.spawn(async move {
                let outcome = ask(&target, &idle, due + time_out).await;
                let latency = due.elapsed();
                Shot { at, latency, outcome }
            });
        }
        shots.extend(under_way.join_all().await);
        shots
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask_once(target: &Target, deadline: Instant) -> Outcome {
    ask(target, &Idle::default(), deadline).await
}

async fn ask(target: &Target, idle: &Idle, deadline: Instant) -> Outcome {
    match timeout_at(deadline, exchange(target, idle)).await {
        Ok(Ok(status)) if status.is_server_error() => Outcome::Lost(Loss::ServerError(status)),
        Ok(Ok(status)) => Outcome::Answered(status),
        Ok(Err(loss)) => Outcome::Lost(loss),
        Err(_elapsed) => Outcome::Lost(Loss::TimedOut),
    }
}

async fn exchange(target: &Target, idle: &Idle) -> Result<StatusCode, Loss> {
    let mut request = request(target);
    while let Some(mut connection) = take(idle) {
        match connection.try_send_request(request).await {
            Ok(answer) => return finish(answer, connection, idle).await,
            Err(mut failure) => request = failure.take_message().ok_or(Loss::Broken)?,
        }
    }
    let mut connection = connect(target).await.ok_or(Loss::NotConnected)?;
    match connection.send_request(request).await {
        Ok(answer) => finish(answer, connection, idle).await,
        Err(_broken) => Err(Loss::Broken),
    }
}

fn request(target: &Target) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from(target.path.clone());
    let host = HeaderValue::try_from(target.address.to_string()).expect("an address is digits and punctuation");
    request.headers_mut().insert(header::HOST, host);
    request
}

async fn connect(target: &Target) -> Option<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(target.address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

/// The last used of those that can take a request: the others may come to rest.
fn take(idle: &Idle) -> Option<SendRequest<Empty<Bytes>>> {
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    idle.retain(|connection| !connection.is_closed());
    let ready = idle.iter().rposition(SendRequest::is_ready)?;
    Some(idle.remove(ready))
}

/// Reads the answer to its end and keeps the connection.
async fn finish(
    answer: hyper::Response<hyper::body::Incoming>,
    connection: SendRequest<Empty<Bytes>>,
    idle: &Idle,
) -> Result<StatusCode, Loss> {
    let status = answer.status();
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(|_broken| Loss::Broken)?;
    }
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(status)
}

/// A server that stands still has a connection open for each request that waits: more than the usual soft limit on open files.
fn allow_many_connections() {
    if let Ok((_soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, what cannot be opened is counted as not connected.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

impl Loss {
    /// In one word or two.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "not connected",
            Self::Broken => "broken",
            Self::TimedOut => "timed out",
            Self::ServerError(_) => "server error",
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ServerError(status) => write!(f, "{}", status.as_u16()),
            other => f.write_str(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
