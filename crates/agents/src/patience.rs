//! Patience with callers, and its end: who sends or reads a byte now and then must not hold a connection, and what hangs on it, for ever.
//!
//! ```text
//!  connected ─10 s─▶ a request's head ─30 s─▶ its body ─▶ the answer, read while it moves ─▶ idle ─as long as a load balancer may─▶ the next head
//! ```

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

/// How long the head of a request may take, and the first one after connecting.
const HEAD: Duration = Duration::from_secs(10);

/// How long a body may take: at its largest that is less than a slow mobile connection sends.
const BODY: Duration = Duration::from_secs(30);

/// How long a connection may wait for its next request. A load balancer sends on connections that it has until its own idle time-out, at most
/// 4000 seconds, and answers 502 where a target was faster.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout>
const IDLE: Duration = Duration::from_secs(4010);

/// How long the other side may read nothing of what it is sent.
const STALLED: Duration = Duration::from_secs(30);

/// Accepts connections that end when patience does.
#[derive(Debug)]
pub(crate) struct PatientListener(pub(crate) TcpListener);

/// Who is at the other end of a connection, and what became of his requests.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    requests: Arc<Requests>,
}

/// How many requests came, and how many of their answers have been sent.
#[derive(Debug, Default)]
struct Requests {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// A request being answered, to the end of the answer's body.
struct Answering(Peer);

/// A connection.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: TcpStream,
    peer: Peer,
    awaited: Awaited,
    /// So many requests had begun at the last look.
    begun: usize,
    reading: Pin<Box<Sleep>>,
    writing: Option<Pin<Box<Sleep>>>,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// A head that has begun, or should have.
    Head,
    /// The body of a request that is being answered.
    Body,
    /// A request that may or may not come.
    Request,
}

impl Listener for PatientListener {
    type Io = Patient;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Patient, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Patient::new(stream, address), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, PatientListener>> for Peer {
    fn connect_info(connection: IncomingStream<'_, PatientListener>) -> Peer {
        connection.io().peer.clone()
    }
}

impl Peer {
    /// A request of his is answered from now until the answer that it becomes has been sent.
    pub(crate) fn begin(&self) -> impl FnOnce(Response) -> Response + use<> {
        self.requests.begun.fetch_add(1, Ordering::AcqRel);
        let answering = Answering(self.clone());
        move |answer| {
            answer.map(|body| {
                Body::new(body.map_err(move |error| {
                    // Held for as long as the body is.
                    let _ = &answering;
                    error
                }))
            })
        }
    }

    fn begun(&self) -> usize {
        self.requests.begun.load(Ordering::Acquire)
    }

    fn is_answered(&self) -> bool {
        self.begun() > self.requests.ended.load(Ordering::Acquire)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.requests.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// The body, which ends with an error when it takes too long.
pub(crate) fn in_time(body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let deadline = Instant::now() + BODY;
    let chunks = stream::unfold(Some(body.into_data_stream()), move |chunks| async move {
        let mut chunks = chunks?;
        match timeout_at(deadline, chunks.next()).await {
            Ok(chunk) => Some((chunk?.map_err(io::Error::other), Some(chunks))),
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    });
    Body::from_stream(chunks)
}

/// Whether that is what ended a body.
pub(crate) fn is_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::TimedOut) || error.source().is_some_and(is_too_slow)
}

impl Patient {
    fn new(stream: TcpStream, address: SocketAddr) -> Patient {
        let requests = Arc::default();
        Patient {
            stream,
            peer: Peer { address, requests },
            awaited: Awaited::Head,
            begun: 0,
            reading: Box::pin(sleep(HEAD)),
            writing: None,
        }
    }

    fn await_next(&mut self, awaited: Awaited, patience: Duration) {
        self.awaited = awaited;
        self.reading.as_mut().reset(Instant::now() + patience);
    }

    /// A head that has become a request is awaited no longer.
    fn look_at_requests(&mut self) {
        let begun = self.peer.begun();
        if begun != self.begun || self.peer.is_answered() {
            (self.begun, self.awaited) = (begun, Awaited::Body);
        }
    }

    fn has_heard(&mut self) {
        self.look_at_requests();
        if !self.peer.is_answered() && self.awaited != Awaited::Head {
            self.await_next(Awaited::Head, HEAD);
        }
    }

    fn hears_nothing(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.look_at_requests();
        if self.peer.is_answered() {
            return Poll::Pending;
        }
        if self.awaited == Awaited::Body {
            self.await_next(Awaited::Request, IDLE);
        }
        self.reading.as_mut().poll(context).map(|()| Err(too_slow()))
    }

    /// Lets what was tried pass, but for trying in vain too long.
    fn moving<T>(&mut self, tried: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.writing = None;
            return tried;
        }
        let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        writing.as_mut().poll(context).map(|()| Err(too_slow()))
    }
}

fn too_slow() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let patient = self.get_mut();
        let read = Pin::new(&mut patient.stream).poll_read(context, buffer);
        if read.is_pending() {
            return patient.hears_nothing(context);
        }
        patient.has_heard();
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let patient = self.get_mut();
        let written = Pin::new(&mut patient.stream).poll_write(context, bytes);
        patient.moving(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let patient = self.get_mut();
        let written = Pin::new(&mut patient.stream).poll_write_vectored(context, slices);
        patient.moving(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let patient = self.get_mut();
        let flushed = Pin::new(&mut patient.stream).poll_flush(context);
        patient.moving(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let patient = self.get_mut();
        let shut = Pin::new(&mut patient.stream).poll_shutdown(context);
        patient.moving(shut, context)
    }
}
