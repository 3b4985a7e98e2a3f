//! One request and its answer on one connection to a target.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::TrySendError;

use crate::error::Error;
use crate::pool::Link;
use crate::request_body::{RequestBody, Stage, Upload};
use crate::target::InFlight;

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: Error,
    /// The request, if not a byte of it was sent.
    pub(crate) unsent: Option<Box<Request<RequestBody>>>,
}

/// The body of a target's answer. It drives the connection it comes from, and gives it back when it is complete.
pub(crate) struct ResponseBody {
    incoming: Incoming,
    /// `None` when the answer is complete or has failed.
    link: Option<Box<Link>>,
    request: InFlight,
    upload: Option<Arc<Upload>>,
    /// Parts of the answer that have come: the head, and each frame.
    parts: u64,
    /// Made when there is something to wait for.
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    failure: Option<Error>,
}

/// Sends a request and waits for the head of the answer, as long as bytes of the request move or the target has
/// `patience` to answer.
pub(crate) async fn exchange(
    link: &mut Link,
    request: Request<RequestBody>,
    upload: Option<&Upload>,
    patience: Duration,
) -> Result<Response<Incoming>, Broken> {
    link.timer.start(patience);
    let mut answer = pin!(link.sender.try_send_request(request));
    poll_fn(|context| {
        link.drive(context);
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut unwoken()) {
            return Poll::Ready(answer.map_err(|failure| Broken::new(failure, upload)));
        }
        let over = link.timer.poll_over(upload.map_or(0, Upload::frames), context);
        over.map(|()| {
            Err(Broken {
                error: stalled(upload),
                unsent: None,
            })
        })
    })
    .await
}

impl Broken {
    fn new(mut failure: TrySendError<Request<RequestBody>>, upload: Option<&Upload>) -> Self {
        let unsent = failure.take_message().map(Box::new);
        let error = failure.into_error();
        let error = match upload.map(Upload::stage) {
            Some(Stage::Broken) => Error::ClientGone,
            _ if error.is_parse() => Error::Garbled(error),
            _ => Error::Closed(error),
        };
        Self { error, unsent }
    }
}

impl ResponseBody {
    pub(crate) fn new(incoming: Incoming, link: Box<Link>, request: InFlight, upload: Option<Arc<Upload>>) -> Self {
        Self {
            incoming,
            link: Some(link),
            request,
            upload,
            parts: 1,
            cut: None,
            failure: None,
        }
    }

    /// The next frame: what is there already, or what the connection brings in now.
    fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(&mut unwoken());
        if frame.is_ready() {
            return frame;
        }
        if let Some(link) = &mut self.link {
            link.drive(context);
        }
        Pin::new(&mut self.incoming).poll_frame(&mut unwoken())
    }

    /// Why to wait no longer for the next frame, if so.
    fn poll_end_of_patience(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let signal = &self.request.target().cut;
        let cut = self
            .cut
            .get_or_insert_with(|| Box::pin(Arc::clone(signal).raised_for()));
        if cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Error::Cut);
        }
        let Some(link) = &mut self.link else {
            return Poll::Pending;
        };
        let upload = self.upload.as_deref();
        let progress = self.parts + upload.map_or(0, Upload::frames);
        link.timer.poll_over(progress, context).map(|()| stalled(upload))
    }

    /// Keeps the failure back for one turn: the server drops what it has not written when a body fails, and the
    /// client should get all there was.
    fn fail<T>(&mut self, failure: Error, context: &mut Context<'_>) -> Poll<T> {
        self.link = None;
        self.failure = Some(failure);
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn give_back(&mut self) {
        if let Some(link) = self.link.take() {
            let patience = link.timer.timeout();
            self.request.target().pool.put(link, patience);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        match self.poll_incoming(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.parts += 1;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(failure))) => self.fail(Error::Closed(failure), context),
            Poll::Pending => {
                let failure = ready!(self.poll_end_of_patience(context));
                self.fail(failure, context)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ResponseBody {
    /// A body whose length is known is dropped after its last byte without being asked for its end.
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }
}

/// For what only [`Link::drive`] brings forward, and is looked at right after it: to be woken for that as well would
/// run the whole task once more for each answer. When Tokio wants the task to yield, the timer polled next sees to
/// the waking.
fn unwoken() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Who is to blame when nothing moves any more.
fn stalled(upload: Option<&Upload>) -> Error {
    match upload.map(Upload::stage) {
        Some(Stage::Client) => Error::ClientStalled,
        _ => Error::TargetStalled,
    }
}
