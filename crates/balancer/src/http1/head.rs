//! Reading heads.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, response};
use httparse::{Header, ParserConfig, Status};

use super::framing::Framing;
use crate::error::Error;
use crate::stash;

/// Finds the end of a head that comes in parts, and looks at each byte once.
#[derive(Debug, Default)]
pub(crate) struct HeadFinder {
    /// Nothing before this ends the head.
    seen: usize,
}

/// Headers for which there is room without asking for memory.
const USUAL: usize = 64;
/// More headers than a [`HeaderMap`] takes, and more than fit into what a head may have.
const MOST: usize = 24 * 1_024;

impl HeadFinder {
    /// The length of the head, with the empty line that ends it, if all of it has come.
    pub(crate) fn find(&mut self, input: &[u8]) -> Option<usize> {
        for end in memchr::memchr_iter(b'\n', &input[self.seen..]).map(|at| self.seen + at + 1) {
            match &input[end..] {
                [b'\n', ..] => return Some(end + 1),
                [b'\r', b'\n', ..] => return Some(end + 2),
                [] | [b'\r'] => {
                    self.seen = end - 1;
                    return None;
                }
                _ => {}
            }
        }
        self.seen = input.len();
        None
    }
}

/// Takes the empty lines before a request, which are to be ignored ([RFC 9112 §2.2][empty]).
///
/// [empty]: https://www.rfc-editor.org/rfc/rfc9112#section-2.2
pub(crate) fn skip_empty_lines(input: &mut BytesMut) {
    let empty = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if empty > 0 {
        let _ = input.split_to(empty);
    }
}

/// Reads a request's head, whole with the empty line at its end.
pub(crate) fn request(bytes: &Bytes) -> Result<(Parts, Framing), Error> {
    let mut usual = [const { MaybeUninit::uninit() }; USUAL];
    match request_within(bytes, &mut usual) {
        Err(Unread::TooMany) => {
            let mut more = vec![MaybeUninit::uninit(); MOST];
            request_within(bytes, &mut more)
        }
        read => read,
    }
    .map_err(|unread| match unread {
        Unread::Refused(error) => error,
        Unread::TooMany => Error::Malformed("it has too many headers"),
    })
}

/// Reads the head of an answer to a request with this method.
pub(crate) fn answer(bytes: &Bytes, method: &Method) -> Option<(response::Parts, Framing)> {
    let mut lines = [const { MaybeUninit::uninit() }; 2 * USUAL];
    let mut answer = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut answer, bytes, &mut lines);
    let Ok(Status::Complete(_)) = parsed else {
        return None;
    };
    let mut head = Response::new(()).into_parts().0;
    head.status = StatusCode::from_u16(answer.code?).ok()?;
    head.version = version(answer.version?);
    head.headers = headers(bytes, answer.headers).ok()?;
    let framing = Framing::of_answer(method, head.status, &head.headers)?;
    Some((head, framing))
}

/// Whether the sender of this head lets the connection live on.
pub(crate) fn is_kept_alive(version: Version, headers: &HeaderMap) -> bool {
    let named = |word| super::framing::has_word(headers, http::header::CONNECTION, word);
    if version == Version::HTTP_10 {
        named("keep-alive") && !named("close")
    } else {
        !named("close")
    }
}

enum Unread {
    TooMany,
    Refused(Error),
}

fn request_within<'b>(bytes: &'b Bytes, lines: &mut [MaybeUninit<Header<'b>>]) -> Result<(Parts, Framing), Unread> {
    let mut request = httparse::Request::new(&mut []);
    let parsed = ParserConfig::default().parse_request_with_uninit_headers(&mut request, bytes, lines);
    match parsed {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(refused("its head ends too early")),
        Err(httparse::Error::TooManyHeaders) => return Err(Unread::TooMany),
        Err(httparse::Error::Version) => return Err(Unread::Refused(wrong_version(bytes))),
        Err(_) => return Err(refused("its head cannot be read")),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(refused("its first line is not complete"));
    };
    let mut head = Request::new(()).into_parts().0;
    head.method = Method::from_bytes(method.as_bytes()).map_err(|_method| refused("its method is no token"))?;
    head.uri = Uri::from_maybe_shared(bytes.slice_ref(target.as_bytes()))
        .map_err(|_uri| refused("its target is no path and no URI"))?;
    head.version = version(minor);
    head.headers = headers(bytes, request.headers).map_err(|()| refused("a header cannot be read"))?;
    let framing = Framing::of_request(&head.headers).map_err(Unread::Refused)?;
    Ok((head, framing))
}

/// The values share the head's memory; so do names that are not well known.
fn headers(bytes: &Bytes, lines: &[Header<'_>]) -> Result<HeaderMap, ()> {
    let mut headers = stash::headers();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_name| ())?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(line.value)).map_err(|_value| ())?;
        headers.try_append(name, value).map_err(|_size| ())?;
    }
    Ok(headers)
}

/// A first line that ends with the name of another version is well formed.
fn wrong_version(bytes: &[u8]) -> Error {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    match version {
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Error::VersionUnsupported,
        _ => Error::Malformed("its first line names no version"),
    }
}

fn refused(why: &'static str) -> Unread {
    Unread::Refused(Error::Malformed(why))
}

fn version(minor: u8) -> Version {
    if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_end(input: &str, expected: Option<usize>) {
        for step in 1..=input.len() {
            let mut finder = HeadFinder::default();
            let mut ends = (step..input.len()).step_by(step).chain([input.len()]);
            let found = ends.find_map(|end| finder.find(&input.as_bytes()[..end]));
            assert_eq!(found, expected, "{input:?} by {step}");
        }
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        check_end("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n", Some(27));
        check_end("GET / HTTP/1.1\nHost: a\n\nbody", Some(24));
        check_end("GET / HTTP/1.1\r\nHost: a\r\n", None);
        check_end("GET / HTTP/1.1\r\n\rHost: a\r\n", None);
    }

    #[track_caller]
    fn check_refused(head: &str, status: u16) {
        let read = request(&Bytes::copy_from_slice(head.as_bytes()));
        assert_eq!(
            read.map(drop).map_err(|error| error.status().as_u16()),
            Err(status),
            "{head:?}"
        );
    }

    #[test]
    fn a_head_that_is_none_is_refused() {
        check_refused("hello\r\n\r\n", 400);
        check_refused("GET /\r\n\r\n", 400);
        check_refused("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400);
        check_refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400);
        check_refused("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400);
        check_refused("GET / HTTP/1.1\r\na: \0\r\n\r\n", 400);
        check_refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
        check_refused("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505);
        check_refused("GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400);
        check_refused("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400);
    }

    #[test]
    fn a_head_may_have_very_many_headers() {
        let lines = (0..5_000)
            .map(|number| format!("h{number}: v\r\n"))
            .collect::<Vec<_>>()
            .concat();
        let head = Bytes::from(format!("GET / HTTP/1.1\r\n{lines}\r\n"));
        assert_eq!(request(&head).unwrap().0.headers.len(), 5_000);
    }

    #[test]
    fn the_connection_header_and_the_version_say_whether_the_connection_lives_on() {
        let kept = |head: &str| {
            let (head, _) = request(&Bytes::copy_from_slice(head.as_bytes())).unwrap();
            is_kept_alive(head.version, &head.headers)
        };
        assert!(kept("GET / HTTP/1.1\r\n\r\n"));
        assert!(!kept("GET / HTTP/1.1\r\nConnection: te, Close\r\n\r\n"));
        assert!(!kept("GET / HTTP/1.0\r\n\r\n"));
        assert!(kept("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    }

    /// Mostly the pieces of heads, so that some of what comes out of them is nearly one.
    fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "GET ",
            "POST /x?y ",
            "/",
            "HTTP/1.1",
            "HTTP/1.0",
            "\r\n",
            "\n",
            "Host: a",
            ": ",
            " ",
            "\t",
            "Transfer-Encoding: chunked",
            "Content-Length: 5",
            "a",
            "\0",
            "é",
            "\r\n\r\n",
        ];
        let piece = prop_oneof![
            9 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 1..4),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in nearly_a_head()) {
            let bytes = Bytes::from(bytes);
            if let Ok((head, _)) = request(&bytes) {
                prop_assert!(HeadFinder::default().find(&bytes).is_some());
                prop_assert!(matches!(head.version, Version::HTTP_10 | Version::HTTP_11));
            }
            let _ = answer(&bytes, &Method::GET);
        }
    }
}
