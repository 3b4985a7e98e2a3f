//! A connection to a target that speaks HTTP/2. It carries one request at a time, as one with HTTP/1.1 does: so it is
//! kept, counted, drained and cut the same way.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{HOST, TE};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, response};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use crate::desync::LastOnItsConnection;
use crate::error::Error;
use crate::request_body::RequestBody;

type Asked = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

/// A connection to a target.
pub(crate) struct TargetStream {
    sender: SendRequest<RequestBody>,
    /// What drives the connection; it ends with this.
    driver: AbortHandle,
    stage: Stage,
    /// Whether the current request had a body, which is gone once it is asked.
    had_body: bool,
    is_last: bool,
}

enum Stage {
    Idle,
    Asked(Asked),
    Answered(Incoming),
    Failed,
}

impl TargetStream {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            sender,
            driver: tokio::spawn(connection).abort_handle(),
            stage: Stage::Idle,
            had_body: false,
            is_last: false,
        })
    }

    /// Takes a request to send.
    pub(crate) fn begin(&mut self, head: &Parts, body: RequestBody) {
        self.is_last = head.extensions.get::<LastOnItsConnection>().is_some();
        self.had_body = !matches!(body, RequestBody::Empty);
        self.stage = match request(head, body) {
            Some(request) => Stage::Asked(Box::pin(self.sender.send_request(request))),
            None => Stage::Failed,
        };
    }

    /// Takes back the body of a request, if it had none.
    pub(crate) fn take_upload(&self) -> Option<RequestBody> {
        (!self.had_body).then_some(RequestBody::Empty)
    }

    /// Waits for the head of the answer.
    pub(crate) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<response::Parts, Error>> {
        let Stage::Asked(asked) = &mut self.stage else {
            return Poll::Ready(Err(Error::Garbled));
        };
        match ready!(asked.as_mut().poll(context)) {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                self.stage = if body.is_end_stream() {
                    Stage::Idle
                } else {
                    Stage::Answered(body)
                };
                Poll::Ready(Ok(head))
            }
            Err(error) => {
                self.stage = Stage::Failed;
                Poll::Ready(Err(Error::Closed(io::Error::other(error))))
            }
        }
    }

    /// The next part of the answer's body.
    pub(crate) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Stage::Answered(body) = &mut self.stage else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        match &frame {
            Some(Ok(_)) if !body.is_end_stream() => {}
            Some(Ok(_)) | None => self.stage = Stage::Idle,
            Some(Err(_)) => self.stage = Stage::Failed,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|error| Error::Closed(io::Error::other(error)))))
    }

    /// Whether the answer has been read to its end.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// How many bytes of the answer's body are still to be read, where that is known.
    pub(crate) fn answer_left(&self) -> Option<u64> {
        match &self.stage {
            Stage::Idle => Some(0),
            Stage::Answered(body) => body.size_hint().exact(),
            Stage::Asked(_) | Stage::Failed => None,
        }
    }

    /// Whether the connection is good for another request.
    pub(crate) fn is_reusable(&self) -> bool {
        self.is_answered() && !self.is_last && self.sender.is_ready()
    }
}

impl Drop for TargetStream {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for TargetStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TargetStream").finish_non_exhaustive()
    }
}

/// The request as HTTP/2 has it; none if its host is no host.
fn request(head: &Parts, body: RequestBody) -> Option<Request<RequestBody>> {
    let mut headers = head.headers.clone();
    let host = headers.remove(HOST)?;
    // We pass trailers on, and gRPC asks for them to be wanted.
    headers.insert(TE, HeaderValue::from_static("trailers"));
    let root = PathAndQuery::from_static("/");
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(Authority::try_from(host.as_bytes()).ok()?)
        .path_and_query(head.uri.path_and_query().cloned().unwrap_or(root));
    let mut request = Request::new(body);
    *request.uri_mut() = uri.build().ok()?;
    *request.method_mut() = head.method.clone();
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = headers;
    Some(request)
}
