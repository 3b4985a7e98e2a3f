//! What the balancer asks of a message's head, and what it changes in it.
//!
//! The authorities are [X-Forwarded headers][forwarded], the [Host header][host], the [quotas][limits], and
//! [RFC 9110 §7.6.1][hop] for the headers that concern one connection only.
//!
//! [forwarded]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
//! [host]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
//! [limits]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
//! [hop]: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1

use std::net::SocketAddr;

use http::header::{self, Entry};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use crate::error::Error;
use crate::header_modes::{ForwardedFor, HostHeader};
use crate::trace_id;
use crate::upgrade;

/// Longest request line and longest single header, in bytes.
const MOST_LINE: usize = 16 * 1_024;
/// Largest sum of all request headers, in bytes.
const MOST_REQUEST_HEADERS: usize = 64 * 1_024;
/// Largest sum of all response headers, in bytes.
const MOST_RESPONSE_HEADERS: usize = 32 * 1_024;
/// Most addresses in `X-Forwarded-For`.
const MOST_HOPS: usize = 30;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Headers that concern only the connection they come on. The first may name others.
static HOP_BY_HOP: [HeaderName; 5] = [
    header::CONNECTION,
    header::TE,
    header::UPGRADE,
    KEEP_ALIVE,
    PROXY_CONNECTION,
];

/// What the headers for a target say of the client's connection.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The client's address, with its port if targets are to see it.
    pub(crate) client: HeaderValue,
    /// The protocol the client speaks: `http` or `https`.
    pub(crate) scheme: HeaderValue,
    /// The port the client connected to.
    pub(crate) port: u16,
    /// The same, as a header's value.
    pub(crate) port_value: HeaderValue,
    pub(crate) host_header: HostHeader,
    pub(crate) forwarded_for: ForwardedFor,
}

/// Refuses a request the balancer would not forward; otherwise gives the size of its headers in bytes.
pub(crate) fn check(head: &Parts) -> Result<usize, Error> {
    if matches!(head.method, Method::TRACE | Method::CONNECT) {
        return Err(Error::MethodNotAllowed);
    }
    if uri_length(&head.uri) > MOST_LINE {
        return Err(Error::UriTooLong);
    }
    if head.version == Version::HTTP_11 && !head.headers.contains_key(header::HOST) {
        return Err(Error::Malformed("it has no `Host` header"));
    }
    if !is_plainly_chunked(&head.headers) {
        return Err(Error::UnsupportedCoding);
    }
    if hops(&head.headers) > MOST_HOPS {
        return Err(Error::TooManyHops);
    }
    match (size(&head.headers), longest(&head.headers)) {
        (all, one) if all <= MOST_REQUEST_HEADERS && one <= MOST_LINE => Ok(all),
        _ => Err(Error::Malformed("its headers are too large")),
    }
}

/// The host a request is for, with its port if it has one: from the request target, else from the first `Host`.
pub(crate) fn host(head: &Parts) -> &str {
    let named = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    head.uri
        .authority()
        .map_or(named.unwrap_or_default(), |authority| authority.as_str())
}

/// A host without its port, and the port with its colon, empty if there is none.
pub(crate) fn split_port(host: &str) -> (&str, &str) {
    let after_brackets = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let colon = host[after_brackets..]
        .find(':')
        .map_or(host.len(), |colon| after_brackets + colon);
    host.split_at(colon)
}

/// Turns a client's request into the one for the target.
pub(crate) fn prepare_request(head: &mut Parts, origin: &Origin, target: SocketAddr, header_bytes: usize) {
    let host = match origin.host_header {
        HostHeader::Preserved if head.headers.contains_key(header::HOST) => None,
        HostHeader::Preserved | HostHeader::Adjusted => host_for_target(head, origin.port, target),
    };
    let is_upgrade = upgrade::is_asked(head);
    remove_hop_by_hop(&mut head.headers);
    if is_upgrade {
        upgrade::mark(&mut head.headers);
    }
    // Whoever reads the body from the client has let it go on by then.
    head.headers.remove(header::EXPECT);
    if let Some(host) = host {
        head.headers.insert(header::HOST, host);
    }
    add_origin(&mut head.headers, origin);
    let trace = trace_id::extend(head.headers.get(trace_id::NAME), header_bytes);
    head.headers.insert(trace_id::NAME, trace);
    head.version = Version::HTTP_11;
    if head.uri.authority().is_some() {
        head.uri = head
            .uri
            .path_and_query()
            .map_or_else(Uri::default, |path| Uri::from(path.clone()));
    }
}

/// Takes out the headers whose names have other signs than letters, digits and hyphens, and says how many.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>
pub(crate) fn drop_invalid(headers: &mut HeaderMap) -> usize {
    let is_valid = |name: &&HeaderName| {
        name.as_str()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let invalid: Vec<HeaderName> = headers.keys().filter(|name| !is_valid(name)).cloned().collect();
    for name in &invalid {
        headers.remove(name);
    }
    invalid.len()
}

/// Turns a target's answer into the one for the client, or refuses it.
pub(crate) fn prepare_response(status: StatusCode, headers: &mut HeaderMap) -> Result<(), Error> {
    let is_upgrade = status == StatusCode::SWITCHING_PROTOCOLS;
    if (status.is_informational() && !is_upgrade)
        || !is_plainly_chunked(headers)
        || size(headers) > MOST_RESPONSE_HEADERS
    {
        return Err(Error::UnacceptableHead);
    }
    remove_hop_by_hop(headers);
    if is_upgrade {
        upgrade::mark(headers);
    }
    if headers.remove(header::TRANSFER_ENCODING).is_some() {
        // A length beside it does not count, and must not be passed on (RFC 9112 §6.3).
        headers.remove(header::CONTENT_LENGTH);
    }
    Ok(())
}

/// `Host` as the target gets it. At the well-known ports any port is taken off; at others the listener's is added
/// where there is none; nothing if it may stay as it is. HTTP/1.0 may come without a host, HTTP/1.1 may not go without.
fn host_for_target(head: &Parts, port: u16, target: SocketAddr) -> Option<HeaderValue> {
    let host = host(head);
    let value = match (split_port(host), port) {
        (("", _), _) => target.to_string(),
        ((_, ""), 80 | 443) if is_only_host(head) => return None,
        ((name, _), 80 | 443) => name.to_owned(),
        ((name, ""), other) => format!("{name}:{other}"),
        _ if is_only_host(head) => return None,
        _ => host.to_owned(),
    };
    let value = HeaderValue::try_from(value);
    Some(value.expect("what came out of a header or an address fits into a header"))
}

/// Whether there is nothing beside the one `Host` header that names a host.
fn is_only_host(head: &Parts) -> bool {
    head.uri.authority().is_none() && head.headers.get_all(header::HOST).iter().nth(1).is_none()
}

/// What the client says of its protocol and port is overwritten: AWS is silent on it, and a target trusts these.
fn add_origin(headers: &mut HeaderMap, origin: &Origin) {
    match origin.forwarded_for {
        ForwardedFor::Append | ForwardedFor::AppendWithPort => append_hop(headers, &origin.client),
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => drop(headers.remove(FORWARDED_FOR)),
    }
    headers.insert(FORWARDED_PROTO, origin.scheme.clone());
    headers.insert(FORWARDED_PORT, origin.port_value.clone());
}

fn append_hop(headers: &mut HeaderMap, client: &HeaderValue) {
    match headers.entry(FORWARDED_FOR) {
        Entry::Vacant(place) => drop(place.insert(client.clone())),
        Entry::Occupied(mut sent) => {
            let hops = joined(sent.iter().chain([client])).unwrap_or_else(|| client.clone());
            // Not `insert_mult`: of three values and more, `http` 1.5 panics in it.
            drop(sent.insert(hops));
        }
    }
}

fn joined<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Option<HeaderValue> {
    let values: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&values.join(&b", "[..])).ok()
}

/// Takes out the headers that concern only the connection they came on. The framing stays: it is written anew.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // One look at all names costs less than a search for each of these: most heads have one of them, or none.
    let is_there = HOP_BY_HOP
        .each_ref()
        .map(|name| headers.keys().any(|other| other == name));
    if is_there[0] {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
    for (name, _) in HOP_BY_HOP.iter().zip(is_there).filter(|(_, is_there)| *is_there) {
        headers.remove(name);
    }
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let kept = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::HOST];
    let values = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let options = values.flat_map(|value| value.split(',')).map(str::trim);
    let usual = |option: &&str| !option.eq_ignore_ascii_case("keep-alive") && !option.eq_ignore_ascii_case("close");
    let names = options.filter(usual).filter_map(|option| option.parse().ok());
    names.filter(|name| !kept.contains(name)).collect()
}

/// Whether the body is chunked and nothing else, or has no transfer coding at all.
fn is_plainly_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(only), None) => only.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

fn hops(headers: &HeaderMap) -> usize {
    let values = headers.get_all(FORWARDED_FOR).iter();
    values
        .map(|value| value.as_bytes().split(|&byte| byte == b',').count())
        .sum()
}

/// Names, values, and the four bytes between and after them.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| line_length(name, value)).sum()
}

fn longest(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| line_length(name, value))
        .max()
        .unwrap_or_default()
}

fn line_length(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len() + 4
}

pub(crate) fn uri_length(uri: &Uri) -> usize {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    path + uri.authority().map_or(0, |authority| authority.as_str().len())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn prepared(port: u16, target: &str, headers: &[(&str, &str)]) -> Parts {
        prepared_by(&origin(port), target, headers)
    }

    fn origin(port: u16) -> Origin {
        Origin {
            client: HeaderValue::from_static("203.0.113.9"),
            scheme: HeaderValue::from_static("http"),
            port,
            port_value: HeaderValue::from(port),
            host_header: HostHeader::default(),
            forwarded_for: ForwardedFor::default(),
        }
    }

    fn prepared_by(origin: &Origin, target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut head = head(target, headers);
        prepare_request(&mut head, origin, SocketAddr::from(([10, 0, 0, 1], 8000)), 100);
        head
    }

    #[track_caller]
    fn check_host(port: u16, sent: &[(&str, &str)], target: &str, expected: &str) {
        assert_eq!(prepared(port, target, sent).headers[header::HOST], expected);
    }

    #[test]
    fn host_depends_on_the_listeners_port() {
        check_host(80, &[("host", "example.com")], "/", "example.com");
        check_host(80, &[("host", "example.com:8080")], "/", "example.com");
        check_host(8080, &[("host", "example.com")], "/", "example.com:8080");
        check_host(8080, &[("host", "example.com:9")], "/", "example.com:9");
        check_host(8080, &[("host", "[::1]")], "/", "[::1]:8080");
        check_host(443, &[("host", "[::1]:1")], "/", "[::1]");
        check_host(
            80,
            &[("host", "old.example.com")],
            "http://new.example.com/x",
            "new.example.com",
        );
        check_host(80, &[], "/", "10.0.0.1:8000");
    }

    #[test]
    fn the_target_gets_a_path_and_http_1_1() {
        let head = prepared(80, "http://example.com/a/b?c=d", &[]);
        assert_eq!(
            (head.uri.to_string().as_str(), head.version),
            ("/a/b?c=d", Version::HTTP_11)
        );
    }

    #[track_caller]
    fn check_hops(sent: &[(&str, &str)], expected: &str) {
        assert_eq!(prepared(8080, "/", sent).headers[FORWARDED_FOR], expected);
    }

    #[test]
    fn forwarded_for_is_appended() {
        check_hops(&[], "203.0.113.9");
        check_hops(&[("x-forwarded-for", "198.51.100.1")], "198.51.100.1, 203.0.113.9");
        check_hops(
            &[("x-forwarded-for", "a"), ("x-forwarded-for", "b, c")],
            "a, b, c, 203.0.113.9",
        );
        check_hops(
            &[
                ("x-forwarded-for", "a"),
                ("x-forwarded-for", "b"),
                ("x-forwarded-for", "c"),
                ("x-forwarded-for", "d"),
            ],
            "a, b, c, d, 203.0.113.9",
        );
    }

    #[test]
    fn forwarded_for_may_be_left_or_taken_out() {
        let hops = |forwarded_for, sent: &[(&str, &str)]| {
            let origin = Origin {
                forwarded_for,
                ..origin(80)
            };
            prepared_by(&origin, "/", sent).headers.get(FORWARDED_FOR).cloned()
        };
        let sent = [("x-forwarded-for", "198.51.100.1")];
        assert_eq!(hops(ForwardedFor::Preserve, &sent).unwrap(), "198.51.100.1");
        assert_eq!(hops(ForwardedFor::Preserve, &[]), None);
        assert_eq!(hops(ForwardedFor::Remove, &sent), None);
    }

    #[test]
    fn the_host_may_be_left_as_it_was() {
        let origin = Origin {
            host_header: HostHeader::Preserved,
            ..origin(8080)
        };
        let host = |target, sent: &[(&str, &str)]| prepared_by(&origin, target, sent).headers[header::HOST].clone();
        assert_eq!(host("/", &[("host", "Example.com")]), "Example.com");
        assert_eq!(host("http://b.test/", &[("host", "a.test:9")]), "a.test:9");
        assert_eq!(host("/", &[]), "10.0.0.1:8000");
    }

    #[test]
    fn forwarded_proto_and_port_are_ours() {
        let head = prepared(8080, "/", &[("x-forwarded-proto", "https"), ("x-forwarded-port", "1")]);
        assert_eq!(head.headers[FORWARDED_PROTO], "http");
        assert_eq!(head.headers[FORWARDED_PORT], "8080");
    }

    #[test]
    fn hop_by_hop_headers_stay_behind() {
        let sent = [
            ("host", "a"),
            ("connection", "keep-alive, X-Mine, content-length"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("proxy-connection", "close"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("accept", "*/*"),
        ];
        let head = prepared(80, "/", &sent);
        let mut left: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        let ours = [
            "x-amzn-trace-id",
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-proto",
        ];
        assert_eq!(left, [&["accept", "content-length", "host"][..], &ours].concat());
    }

    #[track_caller]
    fn check_refused(head: &Parts, status: u16) {
        assert_eq!(check(head).map_err(|error| error.status().as_u16()), Err(status));
    }

    #[test]
    fn requests_beyond_the_limits_are_refused() {
        let host = ("host", "a");
        assert_eq!(check(&head("/", &[host])).unwrap(), 9);
        check_refused(&head("/", &[]), 400);
        check_refused(&head(&format!("/{}", "a".repeat(MOST_LINE)), &[host]), 414);
        check_refused(&head("/", &[host, ("a", &"b".repeat(MOST_LINE))]), 400);
        let many: Vec<_> = (0..5).map(|_| ("a", "b".repeat(15_000))).collect();
        let mut many: Vec<_> = many.iter().map(|(name, value)| (*name, value.as_str())).collect();
        many.push(host);
        check_refused(&head("/", &many), 400);
        check_refused(&head("/", &[host, ("x-forwarded-for", &["1"; 31].join(","))]), 463);
        check_refused(&head("/", &[host, ("transfer-encoding", "gzip, chunked")]), 501);
        let mut trace = head("/", &[host]);
        trace.method = Method::TRACE;
        check_refused(&trace, 405);
    }

    #[test]
    fn an_answer_with_a_large_or_strange_head_is_refused() {
        let refused = |status: u16, name: &'static str, value: &str| {
            let mut headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            prepare_response(StatusCode::from_u16(status).unwrap(), &mut headers).is_err()
        };
        assert!(!refused(200, "a", "b"));
        assert!(refused(200, "a", &"b".repeat(MOST_RESPONSE_HEADERS)));
        assert!(refused(200, "transfer-encoding", "gzip, chunked"));
        assert!(!refused(101, "upgrade", "websocket"));
        assert!(refused(102, "a", "b"));
    }

    proptest! {
        #[test]
        fn whatever_the_client_sends_the_target_gets_a_whole_head(
            values in prop::collection::vec((0_usize..6, prop::collection::vec(b' '..=255, 0..40)), 0..24),
            port in any::<u16>(),
        ) {
            let names = [header::HOST, header::CONNECTION, FORWARDED_FOR, trace_id::NAME, header::TE, header::VIA];
            let mut head = head("/", &[]);
            for (name, value) in values {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    head.headers.append(&names[name], value);
                }
            }
            prepare_request(&mut head, &origin(port), SocketAddr::from(([10, 0, 0, 1], 8000)), 100);
            for name in [header::HOST, FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_PORT, trace_id::NAME] {
                prop_assert_eq!(head.headers.get_all(&name).iter().count(), 1, "{}", name);
            }
            prop_assert!(head.headers[FORWARDED_FOR].as_bytes().ends_with(b"203.0.113.9"));
            prop_assert!(!head.headers.contains_key(header::CONNECTION) && !head.headers.contains_key(header::TE));
        }
    }
}
