//! The trace id a load balancer gives each request, so that one call can be followed through several agents.
//!
//! See <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header's name.
pub(crate) const TRACE_HEADER: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Longer ones are not ours to carry on.
const LONGEST: usize = 512;

/// The trace id of the request being answered, if it had one.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceId(Option<HeaderValue>);

impl TraceId {
    /// The trace id among a request's headers.
    pub(crate) fn of(headers: &HeaderMap) -> TraceId {
        TraceId(
            headers
                .get(TRACE_HEADER)
                .filter(|value| value.len() <= LONGEST && value.to_str().is_ok())
                .cloned(),
        )
    }

    /// The id as text, for a log line.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_ref().and_then(|value| value.to_str().ok())
    }

    /// Puts the id on a request of ours to another agent.
    pub(crate) fn forward(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.0 {
            Some(value) => request.header(TRACE_HEADER, value),
            None => request,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for TraceId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<TraceId, Infallible> {
        Ok(TraceId::of(&parts.headers))
    }
}
