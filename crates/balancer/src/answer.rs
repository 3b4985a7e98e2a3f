//! The answers that no target gave, and the body all answers have.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::account::Draft;
use crate::error::Error;
use crate::exchange::ResponseBody;
use crate::rule::ContentType;
use crate::rule::redirect::Permanence;
use crate::upgrade::Tunnel;

/// The body of an answer to a client.
pub(crate) struct AnswerBody {
    content: Content,
    /// When what is left of a target's answer comes too late.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Is written to the access log when the answer is complete.
    draft: Option<Box<Draft>>,
}

enum Content {
    /// Our own words, until they are taken.
    Whole(Bytes),
    /// A target's, as they come.
    Streamed(ResponseBody),
}

/// The longest URL of a redirect, in bytes.
const MOST_LOCATION: usize = 8 * 1_024;

/// The answer of a fixed-response action.
pub(crate) fn fixed(status: StatusCode, content_type: ContentType, body: Bytes) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::whole(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("awselb/2.0"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type.as_str()));
    answer
}

/// The answer of a redirect action, unless the URL is none, or is longer than [ALB lets it be][limit].
///
/// [limit]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
pub(crate) fn redirected(permanence: Permanence, location: String) -> Result<Response<AnswerBody>, Error> {
    if location.len() > MOST_LOCATION {
        return Err(Error::InvalidRedirect);
    }
    let location = HeaderValue::try_from(location).map_err(|_invalid| Error::InvalidRedirect)?;
    let mut answer = page(permanence.status());
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

/// The answer when there is none: the status and its name on a page, as an Application Load Balancer has it.
pub(crate) fn failed(error: &Error) -> Response<AnswerBody> {
    page(error.status())
}

fn page(status: StatusCode) -> Response<AnswerBody> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let title = title.trim_end();
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    fixed(status, ContentType::TextHtml, Bytes::from(page))
}

impl AnswerBody {
    /// Our own words.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            content: Content::Whole(bytes),
            deadline: None,
            draft: None,
        }
    }

    /// A target's, until the deadline if there is one.
    pub(crate) fn streamed(body: ResponseBody, deadline: Option<Instant>) -> Self {
        Self {
            content: Content::Streamed(body),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            draft: None,
        }
    }

    /// Takes the entry of the access log along.
    pub(crate) fn accompany(&mut self, draft: Box<Draft>) {
        self.draft = Some(draft);
    }

    /// Whether no target gave it.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.content, Content::Whole(_))
    }

    /// The connection to the target, when the answer was that the protocol changes.
    pub(crate) fn take_tunnel(&mut self) -> Option<Tunnel> {
        match std::mem::replace(&mut self.content, Content::Whole(Bytes::new())) {
            Content::Streamed(body) => Tunnel::new(body, self.draft.take()),
            Content::Whole(_) => None,
        }
    }

    fn count(&mut self, frame: &Poll<Option<Result<Frame<Bytes>, Error>>>) {
        if let (Some(draft), Poll::Ready(Some(Ok(frame)))) = (&mut self.draft, frame) {
            draft.add_sent(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.deadline {
            Some(deadline) => deadline.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Streamed(body) => Pin::new(body).poll_frame(context),
        };
        self.count(&frame);
        match frame {
            Poll::Pending => self.poll_deadline(context).map(|()| Some(Err(Error::TargetStalled))),
            Poll::Ready(_) => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len().try_into().unwrap_or(u64::MAX)),
            Content::Streamed(body) => body.size_hint(),
        }
    }
}
