//! [`Pieces`]: the body of a request, which says how much of it is on its way.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// How much is handed on at once: small enough for a bar that moves, large enough to cost nothing.
const PIECE: usize = 64 << 10;

/// Told how many bytes of a body are on their way.
pub(super) type Watcher = Arc<dyn Fn(u64) + Send + Sync>;

/// A body in memory that is sent piece by piece.
pub(super) struct Pieces {
    rest: Bytes,
    sent: u64,
    watcher: Option<Watcher>,
    moved: Arc<Notify>,
}

impl Pieces {
    pub(super) fn new(bytes: Bytes, watcher: Option<Watcher>) -> Self {
        Self {
            rest: bytes,
            sent: 0,
            watcher,
            moved: Arc::default(),
        }
    }

    /// Notified when a piece has gone.
    pub(super) fn moved(&self) -> Arc<Notify> {
        Arc::clone(&self.moved)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = PIECE.min(self.rest.len());
        let piece = self.rest.split_to(length);
        self.sent += u64::try_from(length).expect("a piece is small");
        if let Some(watcher) = &self.watcher {
            watcher(self.sent);
        }
        self.moved.notify_one();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pieces({} bytes)", self.rest.len())
    }
}
