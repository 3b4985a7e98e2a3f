//! A request's body on its way from the client to the target.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::client::wire::SharedWire;
use crate::error::Error;

/// The body of a client's request where it comes from.
#[derive(Debug)]
pub(crate) enum ClientBody {
    Empty,
    Http1(SharedWire),
    Http2(Incoming),
}

/// The body as the connection to the target takes it: frame by frame, when the target has room.
#[derive(Debug, Default)]
pub(crate) enum RequestBody {
    #[default]
    Empty,
    /// Our own words, until they are taken.
    Whole(Bytes),
    Streamed {
        incoming: ClientBody,
        upload: Arc<Upload>,
    },
}

/// How far a body has come, for those who wait for the answer.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    frames: AtomicU64,
    bytes: AtomicU64,
    stage: AtomicU8,
}

/// Who has the next step in sending the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// The target is to take what there is.
    Target = 0,
    /// The client is to send more.
    Client = 1,
    /// All is sent.
    Done = 2,
}

impl RequestBody {
    /// The body of a client's request, and a view of its progress if there is anything to send.
    pub(crate) fn new(incoming: ClientBody) -> (Self, Option<Arc<Upload>>) {
        if incoming.is_end_stream() {
            return (Self::Empty, None);
        }
        let upload = Arc::new(Upload::default());
        (
            Self::Streamed {
                incoming,
                upload: Arc::clone(&upload),
            },
            Some(upload),
        )
    }
}

impl Upload {
    /// A number that changes with each frame.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// How much of the body has come.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Target,
            1 => Stage::Client,
            _ => Stage::Done,
        }
    }

    fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    fn take_note(&self, frame: &Poll<Option<Result<Frame<Bytes>, Error>>>, is_last: bool) {
        match frame {
            Poll::Pending => self.enter(Stage::Client),
            Poll::Ready(Some(Ok(frame))) => {
                self.frames.fetch_add(1, Ordering::Relaxed);
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                self.enter(if is_last { Stage::Done } else { Stage::Target });
            }
            Poll::Ready(Some(Err(_)) | None) => self.enter(Stage::Done),
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Http1(wire) => wire.lock().poll_body(context),
            Self::Http2(body) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                Poll::Ready(frame.map(|frame| frame.map_err(|_reset| Error::ClientGone)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Http1(wire) => wire.lock().is_body_done(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Http2(body) => body.size_hint(),
            Self::Http1(wire) => wire
                .lock()
                .body_left()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Streamed { incoming, upload } => {
                let frame = Pin::new(&mut *incoming).poll_frame(context);
                upload.take_note(&frame, incoming.is_end_stream());
                Poll::Ready(ready!(frame))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Streamed { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Streamed { incoming, .. } => incoming.size_hint(),
        }
    }
}
