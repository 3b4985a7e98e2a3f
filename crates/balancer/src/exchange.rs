//! One request and its answer on one connection to a target.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, SizeHint};

use crate::drain::Signal;
use crate::error::{Error, Retry};
use crate::link::Link;
use crate::request_body::{RequestBody, Stage, Upload};
use crate::stash;
use crate::target::{InFlight, Target};

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: Error,
    /// The request, if sending it again does no harm.
    pub(crate) again: Option<Box<Request<RequestBody>>>,
}

/// The body of a target's answer. It drives the connection it comes from, and gives it back when it is complete.
pub(crate) struct ResponseBody {
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
) -> Result<Response<()>, Broken> {
    let (head, body) = request.into_parts();
    link.timer.start(patience);
    link.wire.begin(&head, body);
    let answered = poll_fn(|context| {
        if let Poll::Ready(answered) = link.wire.poll_answer(context) {
            return Poll::Ready(answered);
        }
        let over = link.timer.poll_over(upload.map_or(0, Upload::frames), context);
        over.map(|()| Err(stalled(upload)))
    });
    match answered.await {
        Ok(answer) => {
            stash::keep_headers(head.headers);
            Ok(Response::from_parts(answer, ()))
        }
        Err(error) => {
            let is_repeatable = is_repeatable(&error, link, upload, &head.method);
            let body = is_repeatable.then(|| link.wire.take_upload()).flatten();
            let again = body.map(|body| Box::new(Request::from_parts(head, body)));
            Err(Broken { error, again })
        }
    }
}

/// Whether a request that was lost with its connection may be sent again: nothing of it has left, or asking twice does
/// no harm ([RFC 9110 §9.2.2][idempotent]). Of a body that has begun, the beginning is gone.
///
/// [idempotent]: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
fn is_repeatable(error: &Error, link: &Link, upload: Option<&Upload>, method: &http::Method) -> bool {
    let is_whole = upload.map_or(0, Upload::frames) == 0;
    error.retry() == Retry::IfIdempotent && is_whole && (method.is_idempotent() || !link.wire.is_touched())
}

impl ResponseBody {
    pub(crate) fn new(link: Box<Link>, request: InFlight, upload: Option<Arc<Upload>>) -> Self {
        Self {
            link: Some(link),
            request,
            upload,
            parts: 1,
            cut: None,
            failure: None,
        }
    }

    /// Why to wait no longer for the next frame, if so.
    fn poll_end_of_patience(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let signal = &self.request.target().cut;
        let cut = self
            .cut
            .get_or_insert_with(|| Box::pin(Signal::raised_for(Arc::clone(signal))));
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

    /// The connection, to be used for something else.
    pub(crate) fn take_link(&mut self) -> Option<Box<Link>> {
        self.link.take()
    }

    /// The target that answers.
    pub(crate) fn target(&self) -> &Target {
        self.request.target()
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
        let Some(link) = &mut self.link else {
            return Poll::Ready(None);
        };
        match link.wire.poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.parts += 1;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(failure))) => self.fail(failure, context),
            Poll::Pending => {
                let failure = ready!(self.poll_end_of_patience(context));
                self.fail(failure, context)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failure.is_none() && self.link.as_ref().is_none_or(|link| link.wire.is_answered())
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.link.as_ref().map_or(Some(0), |link| link.wire.answer_left());
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for ResponseBody {
    /// A body whose length is known is dropped after its last byte without being asked for its end.
    fn drop(&mut self) {
        if self.is_end_stream() {
            self.give_back();
        }
    }
}

/// Who is to blame when nothing moves any more.
fn stalled(upload: Option<&Upload>) -> Error {
    match upload.map(Upload::stage) {
        Some(Stage::Client) => Error::ClientStalled,
        _ => Error::TargetStalled,
    }
}
