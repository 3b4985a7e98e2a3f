//! A connection to a target as HTTP/1.1 uses it: one request at a time goes out, its answer comes back.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, response};
use hyper::body::{Body, Frame};
use tokio::net::TcpStream;

use crate::client::stream::poll_read;
use crate::desync::LastOnItsConnection;
use crate::error::Error;
use crate::http1::body::BodyReader;
use crate::http1::chunked::Piece;
use crate::http1::framing::Framing;
use crate::http1::head::{self, HeadFinder};
use crate::http1::outbox::Outbox;
use crate::http1::write::put_request;
use crate::request_body::RequestBody;
use crate::stash;

/// A connection to a target.
#[derive(Debug)]
pub(crate) struct TargetWire {
    stream: TcpStream,
    input: BytesMut,
    finder: HeadFinder,
    outbox: Outbox,
    /// What is still to come of the request that is being sent.
    upload: RequestBody,
    framing: Framing,
    method: Method,
    /// Whether the target may change to another protocol.
    offers_upgrade: bool,
    /// Whether anything of the current request has left.
    touched: bool,
    /// Why nothing more can be sent; an answer may come all the same.
    send_failure: Option<io::Error>,
    answer: BodyReader,
    /// Whether both sides let the connection live on.
    kept: bool,
    /// Room for one read of an answer like the last one.
    usual_room: usize,
}

/// The largest head of an answer; of its headers, 32 KB are acceptable.
const MOST_HEAD: usize = 64 * 1_024;
/// Room for one read at least, of an unknown length, and at most.
const LITTLE_ROOM: usize = 1_024;
const SOME_ROOM: usize = 16 * 1_024;
const MUCH_ROOM: usize = 64 * 1_024;

impl TargetWire {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            input: BytesMut::new(),
            finder: HeadFinder::default(),
            outbox: Outbox::default(),
            upload: RequestBody::Empty,
            framing: Framing::None,
            method: Method::GET,
            touched: false,
            send_failure: None,
            answer: BodyReader::new(Framing::None),
            offers_upgrade: false,
            kept: true,
            usual_room: LITTLE_ROOM,
        })
    }

    /// Takes a request to send.
    pub(crate) fn begin(&mut self, head: &Parts, body: RequestBody) {
        self.framing = framing(&head.headers, &body);
        put_request(self.outbox.front(), head, self.framing);
        self.method.clone_from(&head.method);
        self.kept = head.extensions.get::<LastOnItsConnection>().is_none();
        self.offers_upgrade = head.headers.contains_key(UPGRADE);
        self.upload = body;
        self.touched = false;
        self.answer = BodyReader::new(Framing::UntilClose);
    }

    /// Whether anything of the current request has left.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched
    }

    /// What has not been sent of a request's body.
    pub(crate) fn take_upload(&mut self) -> RequestBody {
        std::mem::take(&mut self.upload)
    }

    /// Sends what there is, and waits for the head of the answer. An error of the client's has precedence, since no
    /// sensible answer can follow it.
    pub(crate) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<response::Parts, Error>> {
        self.poll_send(context)?;
        loop {
            if let Some(length) = self.finder.find(&self.input) {
                self.finder = HeadFinder::default();
                let bytes = self.input.split_to(length).freeze();
                let (head, framing) = head::answer(&bytes, &self.method).ok_or(Error::Garbled)?;
                if head.status == StatusCode::SWITCHING_PROTOCOLS && !self.offers_upgrade {
                    return Poll::Ready(Err(Error::UnacceptableHead));
                }
                if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
                    continue;
                }
                self.kept &= head::is_kept_alive(head.version, &head.headers) && framing != Framing::UntilClose;
                self.answer = BodyReader::new(framing);
                self.usual_room = self.answer.left().map_or(SOME_ROOM, |left| room(left + length as u64));
                return Poll::Ready(Ok(head));
            }
            if self.input.len() > MOST_HEAD {
                return Poll::Ready(Err(Error::UnacceptableHead));
            }
            match ready!(self.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) if !self.input.is_empty() => return Poll::Ready(Err(Error::Garbled)),
                Ok(0) => return Poll::Ready(Err(self.closed(io::ErrorKind::UnexpectedEof.into()))),
                Err(error) => return Poll::Ready(Err(self.closed(error))),
            }
        }
    }

    /// The next part of the answer's body, while what is left of the request's goes on its way.
    pub(crate) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Err(error) = self.poll_send(context) {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            match self.answer.take(&mut self.input) {
                Ok(Piece::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Piece::Trailers(trailers)) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Ok(Piece::End) => return Poll::Ready(None),
                Ok(Piece::Wanting) => {}
                Err(_malformed) => return Poll::Ready(Some(Err(Error::Garbled))),
            }
            match ready!(self.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) if self.answer.close().is_ok() => {}
                Ok(0) => return Poll::Ready(Some(Err(Error::Closed(io::ErrorKind::UnexpectedEof.into())))),
                Err(error) => return Poll::Ready(Some(Err(Error::Closed(error)))),
            }
        }
    }

    /// Whether the answer has been read to its end.
    pub(crate) fn is_answered(&self) -> bool {
        self.answer.is_done()
    }

    /// How many bytes of the answer's body are still to be read, where that is known.
    pub(crate) fn answer_left(&self) -> Option<u64> {
        self.answer.left()
    }

    /// Whether the connection is good for another request: all is sent and read, and the other side is still there.
    pub(crate) fn is_reusable(&self) -> bool {
        let settled = self.answer.is_done() && self.upload.is_end_stream() && self.outbox.is_empty();
        self.kept && settled && self.send_failure.is_none() && self.input.is_empty() && self.is_silent()
    }

    /// Whether nothing has come, an end neither. Most often that is known without a look at the socket.
    fn is_silent(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let nothing = |read: io::Result<usize>| read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.stream.poll_read_ready(&mut context).is_pending() || nothing(self.stream.try_read(&mut [0]))
    }

    /// Gives memory back that an idle connection does not need.
    pub(crate) fn rest(&mut self) {
        stash::empty(&mut self.input);
    }

    /// The socket, and what has come on it that nobody has taken.
    pub(crate) fn into_parts(self) -> (TcpStream, BytesMut) {
        (self.stream, self.input)
    }

    /// Sends as much of the request as the client has sent and the target takes.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        loop {
            while self.outbox.has_room() && !matches!(self.upload, RequestBody::Empty) {
                match Pin::new(&mut self.upload).poll_frame(context) {
                    Poll::Ready(Some(frame)) => self.pack(frame?),
                    Poll::Ready(None) => self.finish(&HeaderMap::new()),
                    Poll::Pending => break,
                }
            }
            if self.outbox.is_empty() || self.send_failure.is_some() {
                return Ok(());
            }
            let before = self.outbox.len();
            let written = self.outbox.poll_write(&mut self.stream, context);
            self.touched |= self.outbox.len() < before;
            match written {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.send_failure = Some(error),
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn pack(&mut self, frame: Frame<Bytes>) {
        match (frame.into_data(), self.framing) {
            (Ok(data), Framing::Chunked) => self.outbox.push_chunk(data),
            (Ok(data), _) => self.outbox.push(data),
            (Err(frame), _) => return self.finish(frame.trailers_ref().unwrap_or(&HeaderMap::new())),
        }
        if self.upload.is_end_stream() && self.framing != Framing::Chunked {
            self.upload = RequestBody::Empty;
        }
    }

    fn finish(&mut self, trailers: &HeaderMap) {
        if self.framing == Framing::Chunked {
            self.outbox.push_last_chunk(trailers);
        }
        self.upload = RequestBody::Empty;
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        stash::fill(&mut self.input);
        self.input.reserve(match self.answer {
            BodyReader::Length(left) => room(left),
            _ => self.usual_room,
        });
        poll_read(&mut self.stream, &mut self.input, context)
    }

    /// What to say of a connection that ended before an answer came: the reason why sending failed, if it did.
    fn closed(&mut self, reading: io::Error) -> Error {
        Error::Closed(self.send_failure.take().unwrap_or(reading))
    }
}

/// Room to read so many bytes, and one more: a read that leaves room has read all, and no further need be tried.
fn room(bytes: u64) -> usize {
    let bytes = usize::try_from(bytes).unwrap_or(MUCH_ROOM);
    bytes.saturating_add(1).clamp(LITTLE_ROOM, MUCH_ROOM)
}

/// How a request's body is sent: as it came.
fn framing(headers: &HeaderMap, body: &RequestBody) -> Framing {
    match body {
        RequestBody::Empty if headers.contains_key(CONTENT_LENGTH) => Framing::Length(0),
        RequestBody::Empty => Framing::None,
        RequestBody::Whole(_) | RequestBody::Streamed { .. } => {
            body.size_hint().exact().map_or(Framing::Chunked, Framing::Length)
        }
    }
}
