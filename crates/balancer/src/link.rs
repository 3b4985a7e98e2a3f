//! A connection to a target, in whichever protocol it speaks.

mod stream;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::response;
use hyper::body::Frame;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::Error;
use crate::idle_timer::IdleTimer;
use crate::protocol::ProtocolVersion;
use crate::request_body::RequestBody;
use crate::statistics::ActiveConnection;
use stream::TargetStream;
use wire::TargetWire;

/// A connection to a target.
///
/// Whoever uses it polls it, in the same task that serves the client. A request thus passes the balancer without a
/// hand-over between threads, and when the client goes away the connection to the target is dropped with everything
/// else.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) wire: Wire,
    /// Runs while a request is under way.
    pub(crate) timer: IdleTimer,
    pub(crate) idle_since: Instant,
    /// Counts it with the listener it was opened for; a health check's counts nowhere.
    counted: Option<ActiveConnection>,
}

/// How the target is spoken to.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the larger kind, and a link is in a box already"
)]
pub(crate) enum Wire {
    Http1(TargetWire),
    Http2(TargetStream),
}

impl Link {
    pub(crate) async fn open(address: SocketAddr, protocol_version: ProtocolVersion) -> io::Result<Box<Self>> {
        let wire = match protocol_version {
            ProtocolVersion::Http1 => Wire::Http1(TargetWire::open(address).await?),
            ProtocolVersion::Http2 | ProtocolVersion::Grpc => Wire::Http2(TargetStream::open(address).await?),
        };
        Ok(Box::new(Self {
            wire,
            timer: IdleTimer::new(),
            idle_since: Instant::now(),
            counted: None,
        }))
    }

    /// The socket, and what has come on it that nobody has taken; none if it carries streams.
    pub(crate) fn into_parts(self) -> Option<(TcpStream, BytesMut)> {
        match self.wire {
            Wire::Http1(wire) => Some(wire.into_parts()),
            Wire::Http2(_) => None,
        }
    }

    /// Counts the connection as active until it is closed.
    pub(crate) fn count_as(&mut self, active: ActiveConnection) {
        self.counted = Some(active);
    }
}

impl Wire {
    /// Takes a request to send.
    pub(crate) fn begin(&mut self, head: &Parts, body: RequestBody) {
        match self {
            Self::Http1(wire) => wire.begin(head, body),
            Self::Http2(wire) => wire.begin(head, body),
        }
    }

    /// Whether anything of the current request may have left.
    pub(crate) fn is_touched(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.is_touched(),
            Self::Http2(_) => true,
        }
    }

    /// Takes back what has not been sent of a request's body; none if it cannot be had back.
    pub(crate) fn take_upload(&mut self) -> Option<RequestBody> {
        match self {
            Self::Http1(wire) => Some(wire.take_upload()),
            Self::Http2(wire) => wire.take_upload(),
        }
    }

    /// Sends what there is, and waits for the head of the answer.
    pub(crate) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<response::Parts, Error>> {
        match self {
            Self::Http1(wire) => wire.poll_answer(context),
            Self::Http2(wire) => wire.poll_answer(context),
        }
    }

    /// The next part of the answer's body, while what is left of the request's goes on its way.
    pub(crate) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self {
            Self::Http1(wire) => wire.poll_frame(context),
            Self::Http2(wire) => wire.poll_frame(context),
        }
    }

    /// Whether the answer has been read to its end.
    pub(crate) fn is_answered(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.is_answered(),
            Self::Http2(wire) => wire.is_answered(),
        }
    }

    /// How many bytes of the answer's body are still to be read, where that is known.
    pub(crate) fn answer_left(&self) -> Option<u64> {
        match self {
            Self::Http1(wire) => wire.answer_left(),
            Self::Http2(wire) => wire.answer_left(),
        }
    }

    /// Whether the connection is good for another request: all is sent and read, and the other side is still there.
    pub(crate) fn is_reusable(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.is_reusable(),
            Self::Http2(wire) => wire.is_reusable(),
        }
    }

    /// Gives memory back that an idle connection does not need.
    pub(crate) fn rest(&mut self) {
        match self {
            Self::Http1(wire) => wire.rest(),
            Self::Http2(_) => {}
        }
    }
}
