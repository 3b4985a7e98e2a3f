//! A client's connection as HTTP/1.1 uses it: what has come and is not read yet, the body that is being read, and what
//! is to go out.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use hyper::body::Frame;

use crate::client::stream::{ClientStream, poll_read};
use crate::error::Error;
use crate::http1::body::BodyReader;
use crate::http1::chunked::Piece;
use crate::http1::framing::Framing;
use crate::http1::head::{HeadFinder, skip_empty_lines};
use crate::http1::outbox::Outbox;
use crate::stash::{self, ROOM};
use crate::target::NO_PANIC;

/// The connection as the two share it who use it at the same time: the request's body, which travels with the request,
/// and whoever writes the answer. Both run in one task, so nobody ever waits for the lock.
#[derive(Debug, Clone)]
pub(crate) struct SharedWire(Arc<Mutex<ClientWire>>);

/// A client's connection.
#[derive(Debug)]
pub(crate) struct ClientWire {
    stream: ClientStream,
    /// What has come and nobody has taken.
    input: BytesMut,
    finder: HeadFinder,
    body: BodyReader,
    /// The client waits for a word before it sends its body.
    continue_due: bool,
    /// What has come of the body makes no sense, or the rest of it will not come.
    broken: bool,
    pub(crate) outbox: Outbox,
}

/// What comes where a request may come.
#[derive(Debug)]
pub(crate) enum Next {
    Head(Bytes),
    /// The client has closed the connection, with or without having begun a request.
    Closed,
    Refused(Error),
}

/// The largest head: 64 KB of headers and 16 KB of request line.
const MOST_HEAD: usize = 80 * 1_024;
/// The longest request line.
const MOST_LINE: usize = 16 * 1_024;
/// Room for one read at least, and at most.
const LITTLE_ROOM: usize = 1_024;
const MUCH_ROOM: usize = 64 * 1_024;
/// No more than this is taken of what a client sends ahead.
const MOST_AHEAD: usize = 16 * 1_024;

impl SharedWire {
    pub(crate) fn new(stream: ClientStream) -> Self {
        Self(Arc::new(Mutex::new(ClientWire {
            stream,
            input: BytesMut::new(),
            finder: HeadFinder::default(),
            body: BodyReader::new(Framing::None),
            continue_due: false,
            broken: false,
            outbox: Outbox::default(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ClientWire> {
        self.0.lock().expect(NO_PANIC)
    }

    /// The connection, when nobody else has it any more.
    pub(crate) fn into_inner(self) -> Option<ClientWire> {
        Some(Arc::into_inner(self.0)?.into_inner().expect(NO_PANIC))
    }
}

impl ClientWire {
    /// Waits for the next request's head.
    pub(crate) fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            skip_empty_lines(&mut self.input);
            if let Some(length) = self.finder.find(&self.input) {
                self.finder = HeadFinder::default();
                return Poll::Ready(Next::Head(self.input.split_to(length).freeze()));
            }
            if let Some(error) = self.excess() {
                return Poll::Ready(Next::Refused(error));
            }
            match self.poll_fill(context) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::Closed),
                Poll::Pending => {
                    if self.input.is_empty() {
                        stash::empty(&mut self.input);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Whether a part of a head has come.
    pub(crate) fn is_within_head(&self) -> bool {
        !self.input.is_empty()
    }

    /// Goes on to the body of the request whose head has been taken.
    pub(crate) fn begin_body(&mut self, framing: Framing, expects_continue: bool) {
        self.body = BodyReader::new(framing);
        self.continue_due = expects_continue && self.input.is_empty();
    }

    /// How many bytes of the body are still to be read, where that is known.
    pub(crate) fn body_left(&self) -> Option<u64> {
        self.body.left()
    }

    /// Whether the request's body has been read to its end.
    pub(crate) fn is_body_done(&self) -> bool {
        self.body.is_done()
    }

    /// Whether nothing that comes on this connection can be understood any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether all that has come has been read.
    pub(crate) fn is_settled(&self) -> bool {
        self.body.is_done() && self.input.is_empty()
    }

    /// The next part of the request's body.
    pub(crate) fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            match self.body.take(&mut self.input) {
                Ok(Piece::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Piece::Trailers(trailers)) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Ok(Piece::End) => return Poll::Ready(None),
                Ok(Piece::Wanting) => {}
                Err(_malformed) => {
                    return self.break_off(Error::Malformed("its body has no chunk where one should be"));
                }
            }
            self.say_continue(context);
            match ready!(self.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return self.break_off(Error::ClientGone),
            }
        }
    }

    /// Waits for the client to go away while it should wait for its answer. What it sends ahead is kept for later.
    pub(crate) fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.body.is_done() && self.input.len() < MOST_AHEAD {
            match ready!(self.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Writes what is in the outbox.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_write(&mut self.stream, context)
    }

    /// Reads what still comes, and throws it away, until the client has read all and closes.
    pub(crate) fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.input.clear();
            match ready!(self.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
    }

    pub(crate) fn stream(&mut self) -> &mut ClientStream {
        &mut self.stream
    }

    /// The socket, and what has come on it that nobody has taken.
    pub(crate) fn into_parts(self) -> (ClientStream, BytesMut) {
        (self.stream, self.input)
    }

    /// Reads what has come. Nothing is the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.stream.poll_readable(context))?;
        stash::fill(&mut self.input);
        self.input.reserve(match self.body.left() {
            Some(0) => LITTLE_ROOM,
            Some(left) => usize::try_from(left)
                .unwrap_or(MUCH_ROOM)
                .saturating_add(1)
                .clamp(LITTLE_ROOM, MUCH_ROOM),
            None => ROOM,
        });
        poll_read(&mut self.stream, &mut self.input, context)
    }

    /// The error if what has come is too much for a head.
    fn excess(&self) -> Option<Error> {
        if self.input.len() <= MOST_LINE {
            None
        } else if !self.input[..MOST_LINE].contains(&b'\n') {
            Some(Error::UriTooLong)
        } else {
            (self.input.len() > MOST_HEAD).then_some(Error::Malformed("its headers are too large"))
        }
    }

    fn break_off(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.broken = true;
        Poll::Ready(Some(Err(error)))
    }

    /// Tells a client that waits for it to send its body. If it cannot be written at once, it goes with the answer.
    fn say_continue(&mut self, context: &mut Context<'_>) {
        if self.continue_due {
            self.continue_due = false;
            self.outbox.front().put_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            let _ = self.poll_flush(context);
        }
    }
}
