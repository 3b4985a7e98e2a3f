//! What can go wrong with a request, whose fault it is, and what the client is told.

use std::io;

use http::StatusCode;

/// Why a request was not answered by a target.
///
/// The codes are those of the [troubleshooting page][aws].
///
/// [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    #[error("the method is not allowed")]
    MethodNotAllowed,
    #[error("the client sends no more of the body")]
    ClientStalled,
    #[error("the client did not send the whole body")]
    ClientGone,
    #[error("the client did not send the whole head in time")]
    HeadTooLate,
    #[error("the HTTP version is not supported")]
    VersionUnsupported,
    #[error("the request target is too long")]
    UriTooLong,
    #[error("`X-Forwarded-For` has too many addresses")]
    TooManyHops,
    #[error("the transfer coding is not supported")]
    UnsupportedCoding,
    #[error("targets of this group do not speak the protocol of the request")]
    ProtocolMismatch,
    #[error("no target is registered")]
    NoTargets,
    #[error("a transform makes no valid request")]
    TransformFailed,
    #[error("the URL of a redirect is not valid or too long")]
    InvalidRedirect,
    #[error("the target cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("the target does not accept the connection in time")]
    ConnectTimeout,
    #[error("the target closed the connection before it answered")]
    Closed(#[source] io::Error),
    #[error("the target's answer is malformed")]
    Garbled,
    #[error("the head of the target's answer is not acceptable")]
    UnacceptableHead,
    #[error("the target does not answer in time")]
    TargetStalled,
    #[error("the target was deregistered and its delay is over")]
    Cut,
}

/// Where the fault lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// With who asked.
    Client,
    /// With who should have answered.
    Target,
    /// With the balancer, that is, with its configuration.
    Us,
}

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The target closed without a byte of an answer: safe if the method is idempotent.
    IfIdempotent,
    /// The answer would be the same, or the target may have acted.
    Never,
}

impl Error {
    /// Where the fault lies.
    pub(crate) fn side(&self) -> Side {
        match self {
            Self::Malformed(_)
            | Self::MethodNotAllowed
            | Self::ClientStalled
            | Self::ClientGone
            | Self::HeadTooLate
            | Self::ProtocolMismatch
            | Self::VersionUnsupported
            | Self::UriTooLong
            | Self::TooManyHops
            | Self::UnsupportedCoding => Side::Client,
            Self::NoTargets | Self::TransformFailed | Self::InvalidRedirect => Side::Us,
            Self::Unreachable(_)
            | Self::ConnectTimeout
            | Self::Closed(_)
            | Self::Garbled
            | Self::UnacceptableHead
            | Self::TargetStalled
            | Self::Cut => Side::Target,
        }
    }

    /// Whether the same request may be sent again.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Closed(_) => Retry::IfIdempotent,
            _ => Retry::Never,
        }
    }

    /// Whether the request may have reached the target.
    pub(crate) fn is_sent(&self) -> bool {
        !matches!(self, Self::Unreachable(_) | Self::ConnectTimeout)
    }

    /// Whether a connection to the target could not be made, or was lost before it brought an answer.
    pub(crate) fn is_failed_connection(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::ConnectTimeout | Self::Closed(_))
    }

    /// What the client is told.
    pub(crate) fn status(&self) -> StatusCode {
        match (self.side(), self) {
            (Side::Client, Self::MethodNotAllowed) => StatusCode::METHOD_NOT_ALLOWED,
            (Side::Client, Self::VersionUnsupported) => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            (Side::Client, Self::ClientStalled | Self::HeadTooLate) => StatusCode::REQUEST_TIMEOUT,
            (Side::Client, Self::UriTooLong) => StatusCode::URI_TOO_LONG,
            (Side::Client, Self::TooManyHops) => own(463),
            (Side::Client, Self::ProtocolMismatch) => own(464),
            (Side::Client, Self::UnsupportedCoding) => StatusCode::NOT_IMPLEMENTED,
            (Side::Client, _) => StatusCode::BAD_REQUEST,
            (Side::Target, Self::ConnectTimeout | Self::TargetStalled) => StatusCode::GATEWAY_TIMEOUT,
            (Side::Target, _) => StatusCode::BAD_GATEWAY,
            (Side::Us, Self::NoTargets) => StatusCode::SERVICE_UNAVAILABLE,
            (Side::Us, _) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A code that only this kind of load balancer knows.
fn own(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("the load balancer's own codes are within the range of status codes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &Error, side: Side, status: u16) {
        assert_eq!((error.side(), error.status().as_u16()), (side, status), "{error}");
        assert_eq!(error.retry(), Retry::Never, "{error}");
    }

    #[test]
    fn each_error_knows_its_side_and_its_code() {
        check(&Error::Malformed("why"), Side::Client, 400);
        check(&Error::ClientGone, Side::Client, 400);
        check(&Error::MethodNotAllowed, Side::Client, 405);
        check(&Error::ClientStalled, Side::Client, 408);
        check(&Error::HeadTooLate, Side::Client, 408);
        check(&Error::UriTooLong, Side::Client, 414);
        check(&Error::TooManyHops, Side::Client, 463);
        check(&Error::ProtocolMismatch, Side::Client, 464);
        check(&Error::UnsupportedCoding, Side::Client, 501);
        check(&Error::VersionUnsupported, Side::Client, 505);
        check(&Error::Garbled, Side::Target, 502);
        check(&Error::Unreachable(io::Error::other("refused")), Side::Target, 502);
        check(&Error::UnacceptableHead, Side::Target, 502);
        check(&Error::Cut, Side::Target, 502);
        check(&Error::TransformFailed, Side::Us, 500);
        check(&Error::InvalidRedirect, Side::Us, 500);
        check(&Error::NoTargets, Side::Us, 503);
        check(&Error::ConnectTimeout, Side::Target, 504);
        check(&Error::TargetStalled, Side::Target, 504);
    }
}
