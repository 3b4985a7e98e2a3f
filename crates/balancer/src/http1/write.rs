//! Writing heads.

use bytes::{BufMut, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};

use super::framing::Framing;

/// Writes a request's head. The framing is written from what it is, not from what a header says.
pub(crate) fn put_request(out: &mut BytesMut, head: &Parts, framing: Framing) {
    out.reserve(1_024);
    out.put_slice(head.method.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(
        head.uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .as_bytes(),
    );
    out.put_slice(b" HTTP/1.1\r\n");
    put_headers(out, &head.headers);
    put_framing(out, framing);
    out.put_slice(b"\r\n");
}

/// Writes the first line of an answer.
pub(crate) fn put_status(out: &mut BytesMut, version: Version, status: StatusCode) {
    out.reserve(1_024);
    out.put_slice(if version == Version::HTTP_10 {
        b"HTTP/1.0 "
    } else {
        b"HTTP/1.1 "
    });
    out.put_slice(status.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.put_slice(b"\r\n");
}

/// Writes headers, without those of the framing.
pub(crate) fn put_headers(out: &mut BytesMut, headers: &HeaderMap) {
    for (name, value) in headers {
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            put_header(out, name, value);
        }
    }
}

/// Writes one header.
pub(crate) fn put_header(out: &mut BytesMut, name: &HeaderName, value: &HeaderValue) {
    let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name);
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Writes the header that says where the body ends.
pub(crate) fn put_framing(out: &mut BytesMut, framing: Framing) {
    match framing {
        Framing::None | Framing::UntilClose => {}
        Framing::Length(length) => {
            out.put_slice(b"content-length: ");
            put_number(out, length);
            out.put_slice(b"\r\n");
        }
        Framing::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
    }
}

fn put_number(out: &mut BytesMut, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.put_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_head_is_written_with_its_true_framing() {
        let request = Request::put("http://example.com/a?b=c")
            .header("content-length", "9")
            .header("x-a", "1");
        let (head, ()) = request.body(()).unwrap().into_parts();
        for (framing, line) in [
            (Framing::None, ""),
            (
                Framing::Length(18_446_744_073_709_551_615),
                "content-length: 18446744073709551615\r\n",
            ),
            (Framing::Length(0), "content-length: 0\r\n"),
            (Framing::Chunked, "transfer-encoding: chunked\r\n"),
        ] {
            let mut out = BytesMut::new();
            put_request(&mut out, &head, framing);
            assert_eq!(out, format!("PUT /a?b=c HTTP/1.1\r\nx-a: 1\r\n{line}\r\n"));
        }
    }
}
