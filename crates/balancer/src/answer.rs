//! The answers that no target gave, and the body all answers have.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};

use crate::error::Error;
use crate::exchange::ResponseBody;
use crate::redirect::Permanence;
use crate::rule::ContentType;

/// The body of an answer to a client.
pub(crate) enum AnswerBody {
    /// Our own words, until they are taken.
    Whole(Bytes),
    /// A target's, as they come.
    Streamed(ResponseBody),
}

/// The longest URL of a redirect, in bytes.
const MOST_LOCATION: usize = 8 * 1_024;

/// The answer of a fixed-response action.
pub(crate) fn fixed(status: StatusCode, content_type: ContentType, body: Bytes) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::Whole(body));
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
    /// Whether no target gave it.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Streamed(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len().try_into().unwrap_or(u64::MAX)),
            Self::Streamed(body) => body.size_hint(),
        }
    }
}
