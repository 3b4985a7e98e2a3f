//! The trace that a request belongs to, so that one call can be followed through several agents.
//!
//! Its id comes in a header from the load balancer, and goes on with every call of ours. Where the agent is told to send spans (see
//! `telemetry`), each request is one, and so is each call: the header names the call as the parent of what the other agent does.
//! See <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html> and
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;

use crate::telemetry::{Asked, Attributes, Exporter, Kind, Span};

/// The header's name.
pub(crate) const TRACE_HEADER: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Longer ones are not ours to carry on.
const LONGEST: usize = 512;

/// The trace of the request being answered, if it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    header: Option<HeaderValue>,
    /// What of it a log may show: a caller can write anything into it.
    shown: Option<String>,
    tracing: Option<Tracing>,
}

/// What the spans of a request have in common.
#[derive(Clone, Debug)]
struct Tracing {
    exporter: Exporter,
    trace: u128,
    /// The request's own span, and the one that it was made for.
    span: u64,
    parent: Option<u64>,
    started: Timestamp,
}

impl Trace {
    /// The trace id among a request's headers.
    pub(crate) fn of(headers: &HeaderMap) -> Trace {
        let header = headers
            .get(TRACE_HEADER)
            .filter(|value| value.len() <= LONGEST && value.to_str().is_ok())
            .cloned();
        Trace::of_header(header)
    }

    fn of_header(header: Option<HeaderValue>) -> Trace {
        let shown = header.as_ref().and_then(|header| shown(header.to_str().ok()?));
        Trace {
            header,
            shown,
            tracing: None,
        }
    }

    /// From now on the request is a span, unless it is decided that it is none: by its caller, or here where that is the exporter's to do.
    /// A request without an id begins a trace.
    pub(crate) fn begin(self, exporter: &Exporter, asked: Asked<'_>) -> Trace {
        let (fields, now) = (self.came(), Timestamp::now());
        let trace = field(fields, "Root").and_then(root).unwrap_or_else(new_root);
        let parent = field(fields, "Parent").and_then(|text| u64::from_str_radix(text, 16).ok());
        let decided = match field(fields, "Sampled") {
            Some("0") => return self,
            Some("1") => None,
            _ => exporter.decides(asked, trace, now),
        };
        let mut begun = match decided {
            Some(sampled) => Trace::of_header(with_decision(fields, trace, sampled)),
            None => self,
        };
        begun.tracing = (decided != Some(false)).then(|| Tracing {
            exporter: exporter.clone(),
            trace,
            span: random(),
            parent,
            started: now,
        });
        begun
    }

    /// Sends the request's span, where it is one.
    pub(crate) fn end(&self, name: String, status: StatusCode, attributes: Attributes) {
        if let Some(tracing) = &self.tracing {
            let (id, parent, started) = (tracing.span, tracing.parent, tracing.started);
            tracing.send(Kind::Server, id, parent, started, name, Some(status), attributes);
        }
    }

    /// The id as text, for a log line: those of its fields that X-Ray knows.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// The header as it came.
    fn came(&self) -> &str {
        let header = self.header.as_ref().and_then(|value| value.to_str().ok());
        header.unwrap_or_default()
    }

    /// Sends a request of ours to another agent, with the id.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
        let (client, request) = request.build_split();
        let (mut request, call, started) = (request?, random(), Timestamp::now());
        if let Some(header) = self.header_for(call) {
            request.headers_mut().insert(TRACE_HEADER, header);
        }
        let name = format!("{} {}", request.method(), request.url().path());
        let attributes = vec![
            ("http.request.method", request.method().to_string()),
            (
                "server.address",
                request.url().host_str().unwrap_or_default().to_owned(),
            ),
            ("url.path", request.url().path().to_owned()),
        ];
        let answer = client.execute(request).await;
        if let Some(tracing) = &self.tracing {
            let status = answer.as_ref().ok().map(reqwest::Response::status);
            tracing.send(
                Kind::Client,
                call,
                Some(tracing.span),
                started,
                name,
                status,
                attributes,
            );
        }
        answer
    }

    /// The header of a call: as it came, but that the call is the parent where it is a span.
    fn header_for(&self, call: u64) -> Option<HeaderValue> {
        let Some(tracing) = &self.tracing else {
            return self.header.clone();
        };
        let came = self.came();
        let own = [root_field(tracing.trace), format!("Parent={call:016x}")];
        replaced(came, &own)
    }
}

impl Tracing {
    #[expect(
        clippy::too_many_arguments,
        reason = "they are a span's own fields, named where it is made"
    )]
    fn send(
        &self,
        kind: Kind,
        id: u64,
        parent: Option<u64>,
        start: Timestamp,
        name: String,
        status: Option<StatusCode>,
        mut attributes: Attributes,
    ) {
        attributes.extend(status.map(|status| ("http.response.status_code", status.as_str().to_owned())));
        let failed = match (kind, status) {
            (_, None) => true,
            (Kind::Server, Some(status)) => status.is_server_error(),
            (Kind::Client, Some(status)) => status.is_client_error() || status.is_server_error(),
        };
        self.exporter.send(Span {
            trace: self.trace,
            id,
            parent,
            name,
            kind,
            start,
            end: Timestamp::now().max(start),
            failed,
            attributes,
        });
    }
}

impl<S: Sync> FromRequestParts<S> for Trace {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Trace, Infallible> {
        let begun = parts.extensions.get::<Trace>().cloned();
        Ok(begun.unwrap_or_else(|| Trace::of(&parts.headers)))
    }
}

/// The host that a request is for, without its port.
pub(crate) fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let authority: axum::http::uri::Authority = host.parse().ok()?;
    Some(authority.host().to_owned())
}

/// `Root=…;Parent=…`: one of them.
fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let named = |part: &'a str| part.trim().strip_prefix(name)?.strip_prefix('=');
    fields.split(';').find_map(named)
}

fn root_field(trace: u128) -> String {
    let digits = format!("{trace:032x}");
    format!("Root=1-{}-{}", &digits[..8], &digits[8..])
}

/// A header that tells whoever is called what was decided, so that nobody decides again.
fn with_decision(fields: &str, trace: u128, sampled: bool) -> Option<HeaderValue> {
    let own = [root_field(trace), format!("Sampled={}", u8::from(sampled))];
    replaced(fields, &own)
}

/// A header with these fields, and those others that came.
fn replaced(came: &str, own: &[String]) -> Option<HeaderValue> {
    let name = |field: &str| field.split('=').next().unwrap_or_default().to_owned();
    let is_ours = |part: &&str| part.is_empty() || own.iter().any(|field| name(field) == name(part));
    let others = came.split(';').map(str::trim).filter(|part| !is_ours(part));
    let fields: Vec<&str> = own.iter().map(String::as_str).chain(others).collect();
    HeaderValue::try_from(fields.join(";")).ok()
}

/// The fields that X-Ray knows and that hold nothing but numbers; nothing where there are none.
fn shown(fields: &str) -> Option<String> {
    let is_number = |value: &str| {
        value
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b"-?".contains(&byte))
    };
    let is_known = |part: &&str| {
        let field = part.split_once('=');
        field.is_some_and(|(name, value)| matches!(name, "Root" | "Parent" | "Sampled" | "Self") && is_number(value))
    };
    let known: Vec<&str> = fields.split(';').map(str::trim).filter(is_known).collect();
    (!known.is_empty()).then(|| known.join(";"))
}

/// `1-<8 digits>-<24 digits>`
fn root(text: &str) -> Option<u128> {
    let (time, rest) = text.strip_prefix("1-")?.split_once('-')?;
    let is_whole = time.len() == 8 && rest.len() == 24 && !text.contains('+');
    let bits = is_whole.then(|| u128::from_str_radix(&format!("{time}{rest}"), 16).ok());
    bits.flatten().filter(|bits| *bits != 0)
}

/// Seconds since 1970, and 96 random bits.
fn new_root() -> u128 {
    let seconds = u32::try_from(Timestamp::now().as_second()).unwrap_or_default();
    u128::from(seconds) << 96 | u128::from(random() >> 32) << 64 | u128::from(random())
}

/// A number that differs from all others, and is not zero. It need not be secret.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked {
        host: "a",
        method: "GET",
        path: "/",
    };

    fn trace(header: &'static str) -> Trace {
        let headers = [(TRACE_HEADER, HeaderValue::from_static(header))].into_iter().collect();
        Trace::of(&headers)
    }

    #[test]
    fn a_call_carries_the_root_and_is_the_parent() {
        let (exporter, _spans) = Exporter::channel();
        let check = |came: &'static str, expected: &str| {
            let header = trace(came).begin(&exporter, ASKED).header_for(0xff).unwrap();
            assert_eq!(header.to_str().unwrap(), expected);
        };
        let root = "Root=1-67891233-abcdef012345678912345678";
        check(root, &format!("{root};Parent=00000000000000ff"));
        check(
            "Self=1-x-y;Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
            &format!("{root};Parent=00000000000000ff;Self=1-x-y;Sampled=1"),
        );
    }

    #[test]
    fn what_was_decided_here_is_told_to_whoever_is_called() {
        let check = |came: &str, sampled: bool, expected: &str| {
            let header = with_decision(came, 0x6789_1233_abcd_ef01_2345_6789_1234_5678, sampled);
            assert_eq!(header.unwrap(), expected, "{came}");
        };
        check("", true, "Root=1-67891233-abcdef012345678912345678;Sampled=1");
        check(
            "Self=1-2-3; Root=1-67891233-abcdef012345678912345678;Sampled=?",
            false,
            "Root=1-67891233-abcdef012345678912345678;Sampled=0;Self=1-2-3",
        );
    }

    #[test]
    fn a_log_shows_numbers_and_a_call_carries_everything() {
        let check = |came: &'static str, expected: Option<&str>| {
            let trace = trace(came);
            assert_eq!(trace.as_str(), expected, "{came}");
            assert_eq!(trace.header_for(1).unwrap(), came);
        };
        let root = "Root=1-67891233-abcdef012345678912345678";
        check(root, Some(root));
        check(
            "Self=1-2-3; Root=1-2-3;Parent=53995c3f42cd8ad8;Sampled=?;CalledFrom=ana;Parent=ana",
            Some("Self=1-2-3;Root=1-2-3;Parent=53995c3f42cd8ad8;Sampled=?"),
        );
        check("I am ana", None);
        check("Root=ana", None);
    }

    #[test]
    fn what_is_not_sampled_goes_on_as_it_came() {
        let (exporter, mut spans) = Exporter::channel();
        let came = "Root=1-67891233-abcdef012345678912345678;Sampled=0";
        let trace = trace(came).begin(&exporter, ASKED);
        assert_eq!(trace.header_for(1).unwrap().to_str().unwrap(), came);
        trace.end("GET /".to_owned(), StatusCode::OK, Vec::new());
        assert!(spans.try_recv().is_err());
    }

    #[test]
    fn a_root_that_is_none_begins_a_trace() {
        for text in [
            "1-2-3",
            "1-+7891233-abcdef012345678912345678",
            "1-00000000-000000000000000000000000",
            "",
            "é",
        ] {
            assert_eq!(root(text), None, "{text}");
        }
        let (exporter, mut spans) = Exporter::channel();
        let trace = trace("Root=1-2-3").begin(&exporter, ASKED);
        trace.end("GET /".to_owned(), StatusCode::BAD_GATEWAY, Vec::new());
        let span = spans.try_recv().unwrap();
        assert!(span.trace != 0 && span.parent.is_none() && span.failed);
    }
}
