//! Where a message's body ends: the question that two readers of one connection must answer alike.
//!
//! The authority is [RFC 9112 §6](https://www.rfc-editor.org/rfc/rfc9112#section-6).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::error::Error;

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none, and no header says so.
    None,
    /// It has so many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
    /// It ends when the connection does; answers only.
    UntilClose,
}

/// What a `Transfer-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// Nothing, or that there is nothing to say.
    Identity,
    Chunked,
    /// Something else, in chunks.
    Unsupported,
    /// Something whose end nobody knows.
    Endless,
}

impl Framing {
    /// Of a request. With both headers the transfer coding counts ([RFC 9112 §6.3][length]).
    ///
    /// [length]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    pub(crate) fn of_request(headers: &HeaderMap) -> Result<Self, Error> {
        match coding(headers) {
            Coding::Chunked => Ok(Self::Chunked),
            Coding::Unsupported => Err(Error::UnsupportedCoding),
            Coding::Endless => Err(Error::Malformed("nobody can tell where its body ends")),
            Coding::Identity => {
                let length = length(headers).ok_or(Error::Malformed("its `Content-Length` is no length"))?;
                Ok(length.map_or(Self::None, Self::Length))
            }
        }
    }

    /// Of an answer to a request with this method; none if it is unacceptable.
    pub(crate) fn of_answer(method: &Method, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let length = length(headers);
        let bodiless = status.is_informational() || matches!(status.as_u16(), 204 | 304);
        match coding(headers) {
            Coding::Unsupported | Coding::Endless => None,
            _ if bodiless || *method == Method::HEAD => Some(Self::None),
            Coding::Chunked => Some(Self::Chunked),
            Coding::Identity => Some(length?.map_or(Self::UntilClose, Self::Length)),
        }
    }
}

fn coding(headers: &HeaderMap) -> Coding {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(first) = values.next() else {
        return Coding::Identity;
    };
    let Some(last) = values.next_back() else {
        return coding_of(first.as_bytes());
    };
    coding_of(&[first.as_bytes(), last.as_bytes()].join(&b", "[..]))
}

fn coding_of(value: &[u8]) -> Coding {
    let value = value.trim_ascii();
    if value.eq_ignore_ascii_case(b"chunked") {
        return Coding::Chunked;
    }
    let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
    match (value.eq_ignore_ascii_case(b"identity"), last.trim_ascii()) {
        (true, _) => Coding::Identity,
        (false, last) if last.eq_ignore_ascii_case(b"chunked") => Coding::Unsupported,
        _ => Coding::Endless,
    }
}

/// The length the headers agree upon, none in them; nothing if they do not agree or it is no number.
#[expect(clippy::option_option, reason = "that there is no length is no failure to read one")]
fn length(headers: &HeaderMap) -> Option<Option<u64>> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Some(None);
    };
    let length = number(first.as_bytes())?;
    values
        .all(|value| number(value.as_bytes()) == Some(length))
        .then_some(Some(length))
}

/// Digits and nothing else: `+5` and `5, 5` are lengths to some readers only.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Whether one of the comma-separated words of a header is this one.
pub(crate) fn has_word(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut words = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    words.any(|found| found.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    #[track_caller]
    fn check(lines: &[(&'static str, &'static str)], expected: Result<Framing, u16>) {
        let framing = Framing::of_request(&headers(lines));
        assert_eq!(framing.map_err(|error| error.status().as_u16()), expected, "{lines:?}");
    }

    #[test]
    fn a_request_says_where_its_body_ends() {
        check(&[], Ok(Framing::None));
        check(&[("content-length", "0")], Ok(Framing::Length(0)));
        check(
            &[("content-length", "5"), ("content-length", "5")],
            Ok(Framing::Length(5)),
        );
        check(&[("transfer-encoding", "Chunked ")], Ok(Framing::Chunked));
        check(
            &[("transfer-encoding", "identity"), ("content-length", "5")],
            Ok(Framing::Length(5)),
        );
        check(
            &[("transfer-encoding", "chunked"), ("content-length", "5")],
            Ok(Framing::Chunked),
        );
    }

    #[test]
    fn a_request_that_two_readers_could_read_differently_is_refused() {
        for length in ["", "+5", "5, 5", "5,6", "0x5", "18446744073709551616", "5 "] {
            check(&[("content-length", length)], Err(400));
        }
        check(&[("content-length", "5"), ("content-length", "6")], Err(400));
        for coding in ["chunked, gzip", "xchunked", "gzip", "", "chunked,"] {
            check(&[("transfer-encoding", coding)], Err(400));
        }
        check(&[("transfer-encoding", "gzip, chunked")], Err(501));
        check(
            &[("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")],
            Err(501),
        );
        check(
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "identity")],
            Err(400),
        );
    }

    #[track_caller]
    fn check_answer(method: &Method, status: u16, lines: &[(&'static str, &'static str)], expected: Option<Framing>) {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(
            Framing::of_answer(method, status, &headers(lines)),
            expected,
            "{lines:?}"
        );
    }

    #[test]
    fn an_answer_has_a_body_unless_its_status_or_the_method_forbids() {
        let length = [("content-length", "7")];
        check_answer(&Method::GET, 200, &length, Some(Framing::Length(7)));
        check_answer(&Method::GET, 200, &[], Some(Framing::UntilClose));
        check_answer(
            &Method::GET,
            200,
            &[("transfer-encoding", "chunked")],
            Some(Framing::Chunked),
        );
        check_answer(&Method::HEAD, 200, &length, Some(Framing::None));
        check_answer(&Method::GET, 204, &length, Some(Framing::None));
        check_answer(&Method::GET, 304, &length, Some(Framing::None));
        check_answer(&Method::GET, 200, &[("content-length", "x")], None);
        check_answer(&Method::GET, 200, &[("transfer-encoding", "gzip, chunked")], None);
    }
}
