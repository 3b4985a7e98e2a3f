//! Writing an answer to a client that speaks HTTP/1.1.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, response};
use hyper::body::{Body, Frame};

use crate::answer::AnswerBody;
use crate::client::wire::SharedWire;
use crate::http1::framing::Framing;
use crate::http1::outbox::Outbox;
use crate::http1::write::{put_framing, put_header, put_headers, put_status};
use crate::stash;

/// Whether a connection serves another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    Keep,
    Close,
}

/// How a request wants to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) version: Version,
    /// Asked with `HEAD`: the answer has no body, whatever its headers say.
    pub(crate) is_head: bool,
    pub(crate) wants_trailers: bool,
    pub(crate) persistence: Persistence,
}

/// An answer while it is being written.
struct Writing {
    body: AnswerBody,
    framing: Framing,
    wants_trailers: bool,
    is_packed: bool,
    /// The rest of the body will not come; what has come of it is written all the same.
    is_cut: bool,
}

impl Manner {
    /// For a request that could not be read.
    pub(crate) const LAST: Self = Self {
        version: Version::HTTP_11,
        is_head: false,
        wants_trailers: false,
        persistence: Persistence::Close,
    };
}

/// Writes an answer, and says whether the connection is good for another.
pub(crate) async fn reply(wire: &SharedWire, answer: Response<AnswerBody>, mut manner: Manner) -> Persistence {
    let (head, body) = answer.into_parts();
    let framing = framing(&head, &body, manner);
    if framing == Framing::UntilClose || wire.lock().is_broken() {
        manner.persistence = Persistence::Close;
    }
    put_answer(wire.lock().outbox.front(), &head, framing, manner);
    stash::keep_headers(head.headers);
    let mut writing = Writing {
        body,
        framing,
        wants_trailers: manner.wants_trailers,
        is_packed: framing == Framing::None,
        is_cut: false,
    };
    let written = poll_fn(|context| writing.poll(wire, context)).await;
    let is_whole = written.is_ok() && !writing.is_cut && wire.lock().is_body_done();
    if is_whole {
        manner.persistence
    } else {
        Persistence::Close
    }
}

impl Writing {
    fn poll(&mut self, wire: &SharedWire, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            self.gather(wire, context);
            let mut wire = wire.lock();
            if wire.outbox.is_empty() {
                if self.is_packed {
                    return Poll::Ready(Ok(()));
                }
                ready!(wire.poll_gone(context));
                return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
            }
            ready!(wire.poll_flush(context))?;
        }
    }

    /// Packs what has come of the body. The connection stays unlocked while the body is asked: that may have to read
    /// more of the request from it.
    fn gather(&mut self, wire: &SharedWire, context: &mut Context<'_>) {
        while !self.is_packed && wire.lock().outbox.has_room() {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
                return;
            };
            let mut wire = wire.lock();
            match frame {
                Some(Ok(frame)) => self.pack(&mut wire.outbox, frame),
                Some(Err(_failure)) => (self.is_packed, self.is_cut) = (true, true),
                None => self.finish(&mut wire.outbox, &HeaderMap::new()),
            }
        }
    }

    fn pack(&mut self, outbox: &mut Outbox, frame: Frame<Bytes>) {
        match (frame.into_data(), self.framing) {
            (Ok(data), Framing::Chunked) => outbox.push_chunk(data),
            (Ok(data), _) => outbox.push(data),
            (Err(frame), _) => return self.finish(outbox, frame.trailers_ref().unwrap_or(&HeaderMap::new())),
        }
        if self.body.is_end_stream() {
            self.finish(outbox, &HeaderMap::new());
        }
    }

    fn finish(&mut self, outbox: &mut Outbox, trailers: &HeaderMap) {
        self.is_packed = true;
        if self.framing == Framing::Chunked {
            let none = HeaderMap::new();
            outbox.push_last_chunk(if self.wants_trailers { trailers } else { &none });
        }
    }
}

fn framing(head: &response::Parts, body: &AnswerBody, manner: Manner) -> Framing {
    if manner.is_head || is_bodiless(head.status) {
        return Framing::None;
    }
    match (body.size_hint().exact(), manner.version) {
        (Some(length), _) => Framing::Length(length),
        (None, Version::HTTP_10) => Framing::UntilClose,
        (None, _) => Framing::Chunked,
    }
}

fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn put_answer(out: &mut BytesMut, head: &response::Parts, framing: Framing, manner: Manner) {
    put_status(out, manner.version, head.status);
    put_headers(out, &head.headers);
    put_framing(out, framing);
    if manner.is_head
        && let Some(length) = head.headers.get(CONTENT_LENGTH)
    {
        put_header(out, &CONTENT_LENGTH, length);
    }
    if !head.headers.contains_key(DATE) {
        put_date(out);
    }
    match (manner.persistence, manner.version) {
        (Persistence::Close, _) => put_header(out, &CONNECTION, &HeaderValue::from_static("close")),
        (Persistence::Keep, Version::HTTP_10) => put_header(out, &CONNECTION, &HeaderValue::from_static("keep-alive")),
        (Persistence::Keep, _) => {}
    }
    out.put_slice(b"\r\n");
}

/// The time of the answer, written out once a second and thread.
fn put_date(out: &mut BytesMut) {
    thread_local! {
        static DATE_NOW: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    DATE_NOW.with_borrow_mut(|(of, date)| {
        if *of != second {
            (*of, *date) = (second, httpdate::fmt_http_date(now));
        }
        out.put_slice(b"date: ");
        out.put_slice(date.as_bytes());
        out.put_slice(b"\r\n");
    });
}
