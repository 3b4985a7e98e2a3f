//! Which requests a target group can take, by the protocol its targets speak.
//!
//! The authority is [protocol versions][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Version};

use crate::error::Error;

/// The protocol that the targets of a group speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProtocolVersion {
    /// HTTP/1.1, whatever the client speaks.
    #[default]
    Http1,
    /// HTTP/2 without TLS, by prior knowledge.
    Http2,
    /// gRPC, over HTTP/2 without TLS.
    Grpc,
}

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc(head: &Parts) -> bool {
    let content_type = || head.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    head.version == Version::HTTP_2
        && content_type().is_some_and(|content_type| content_type.starts_with(b"application/grpc"))
}

impl ProtocolVersion {
    /// Refuses a request that targets of this kind cannot take.
    pub(crate) fn check(self, head: &Parts) -> Result<(), Error> {
        let fits = match self {
            Self::Http1 => !is_grpc(head),
            Self::Http2 => head.version == Version::HTTP_2,
            Self::Grpc => head.version == Version::HTTP_2 && head.method == Method::POST,
        };
        if fits { Ok(()) } else { Err(Error::ProtocolMismatch) }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(method: Method, version: Version, content_type: &str, expected: [bool; 3]) {
        let request = Request::builder()
            .method(method)
            .version(version)
            .header(CONTENT_TYPE, content_type);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let fits = [ProtocolVersion::Http1, ProtocolVersion::Http2, ProtocolVersion::Grpc]
            .map(|protocol_version| protocol_version.check(&head).is_ok());
        assert_eq!(fits, expected, "{head:?}");
    }

    #[test]
    fn requests_and_target_groups_have_to_fit() {
        check(Method::GET, Version::HTTP_11, "text/plain", [true, false, false]);
        check(Method::POST, Version::HTTP_11, "application/grpc", [true, false, false]);
        check(Method::GET, Version::HTTP_2, "text/plain", [true, true, false]);
        check(Method::POST, Version::HTTP_2, "text/plain", [true, true, true]);
        check(
            Method::POST,
            Version::HTTP_2,
            "application/grpc+proto",
            [false, true, true],
        );
    }
}
