//! Bodies in chunks: [RFC 9112 §7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1).

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

/// How far a reader has come in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// A line with a chunk's size comes next.
    Size,
    /// So many bytes of a chunk are still to come.
    Data(u64),
    /// The line end after a chunk comes next.
    AfterData,
    /// The last chunk has come; trailers may follow.
    Trailers,
    Done,
}

/// What comes next in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Nothing before more bytes have come.
    Wanting,
    End,
}

/// The bytes do not say where the body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Longest line with a chunk's size: 16 digits, and extensions nobody needs.
const MOST_SIZE_LINE: usize = 4_096;
/// Largest trailer section.
const MOST_TRAILERS: usize = 16 * 1_024;

/// Headers that change the meaning of what came before them; a trailer must not.
const FORBIDDEN: [HeaderName; 5] = [CONTENT_LENGTH, TRANSFER_ENCODING, HOST, CONNECTION, TE];

impl Chunks {
    /// Takes the next piece out of what has come.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        loop {
            match *self {
                Self::Size => match size_line(input)? {
                    None => return Ok(Piece::Wanting),
                    Some(0) => *self = Self::Trailers,
                    Some(size) => *self = Self::Data(size),
                },
                Self::Data(_) if input.is_empty() => return Ok(Piece::Wanting),
                Self::Data(left) => {
                    let taken = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let left = left - taken as u64;
                    *self = if left == 0 { Self::AfterData } else { Self::Data(left) };
                    return Ok(Piece::Data(input.split_to(taken).freeze()));
                }
                Self::AfterData if input.len() < 2 => return Ok(Piece::Wanting),
                Self::AfterData => {
                    line_end(input)?;
                    *self = Self::Size;
                }
                Self::Trailers => return self.take_trailers(input),
                Self::Done => return Ok(Piece::End),
            }
        }
    }

    fn take_trailers(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        if input.len() < 2 {
            return Ok(Piece::Wanting);
        }
        if input.starts_with(b"\r\n") {
            input.advance(2);
            *self = Self::Done;
            return Ok(Piece::End);
        }
        let Some(end) = input
            .windows(4)
            .take(MOST_TRAILERS)
            .position(|window| window == b"\r\n\r\n")
        else {
            return if input.len() > MOST_TRAILERS {
                Err(Malformed)
            } else {
                Ok(Piece::Wanting)
            };
        };
        let section = input.split_to(end + 4).freeze();
        *self = Self::Done;
        trailers(&section).map(Piece::Trailers)
    }
}

/// The size of the next chunk, if its line has come.
fn size_line(input: &mut BytesMut) -> Result<Option<u64>, Malformed> {
    let Some(end) = memchr::memchr(b'\n', &input[..input.len().min(MOST_SIZE_LINE)]) else {
        return if input.len() < MOST_SIZE_LINE {
            Ok(None)
        } else {
            Err(Malformed)
        };
    };
    let line = input[..end].strip_suffix(b"\r").ok_or(Malformed)?;
    let size = size(line)?;
    input.advance(end + 1);
    Ok(Some(size))
}

/// Hexadecimal digits, then perhaps blanks and an extension.
fn size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let rest = line[digits..].trim_ascii_start();
    if !(1..=16).contains(&digits) || !(rest.is_empty() || rest[0] == b';') || rest.contains(&b'\r') {
        return Err(Malformed);
    }
    let digits = std::str::from_utf8(&line[..digits]).map_err(|_utf8| Malformed)?;
    u64::from_str_radix(digits, 16).map_err(|_number| Malformed)
}

fn line_end(input: &mut BytesMut) -> Result<(), Malformed> {
    if !input.starts_with(b"\r\n") {
        return Err(Malformed);
    }
    input.advance(2);
    Ok(())
}

fn trailers(section: &[u8]) -> Result<HeaderMap, Malformed> {
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let Ok(httparse::Status::Complete((_, lines))) = httparse::parse_headers(section, &mut lines) else {
        return Err(Malformed);
    };
    let mut trailers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name: HeaderName = line.name.parse().map_err(|_name| Malformed)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_value| Malformed)?;
        if !FORBIDDEN.contains(&name) {
            trailers.append(name, value);
        }
    }
    Ok(trailers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a body that comes in parts of `step` bytes.
    fn read(encoded: &[u8], step: usize) -> Result<(Vec<u8>, HeaderMap, bool), Malformed> {
        let (mut chunks, mut input) = (Chunks::Size, BytesMut::new());
        let (mut body, mut seen) = (Vec::new(), HeaderMap::new());
        for part in encoded.chunks(step) {
            input.extend_from_slice(part);
            loop {
                match chunks.take(&mut input)? {
                    Piece::Data(data) => body.extend_from_slice(&data),
                    Piece::Trailers(trailers) => seen = trailers,
                    Piece::Wanting | Piece::End => break,
                }
            }
        }
        Ok((body, seen, chunks == Chunks::Done))
    }

    #[track_caller]
    fn check(encoded: &str, expected: Result<&str, Malformed>) {
        for step in 1..=encoded.len() {
            let body = read(encoded.as_bytes(), step).map(|(body, _, done)| {
                assert!(done, "{encoded:?}");
                String::from_utf8(body).unwrap()
            });
            assert_eq!(
                body.as_deref(),
                expected.as_ref().map(|text| *text),
                "{encoded:?} by {step}"
            );
        }
    }

    #[test]
    fn chunks_are_joined_however_they_come() {
        check("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n", Ok("hello world"));
        check("0000A \r\n0123456789\r\n0\r\nsum: 7\r\n\r\n", Ok("0123456789"));
        check("0\r\n\r\n", Ok(""));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for encoded in [
            "xyz\r\n",
            "-1\r\n",
            "5\nhello\r\n",
            "2\r\nhello\r\n",
            "\r\n\r\n",
            "12345678901234567\r\n",
        ] {
            check(encoded, Err(Malformed));
        }
        let long = format!("5;{}\r\n", "a".repeat(MOST_SIZE_LINE));
        assert_eq!(read(long.as_bytes(), 1_000), Err(Malformed));
        let long = format!("0\r\na: {}\r\n\r\n", "b".repeat(MOST_TRAILERS));
        assert_eq!(read(long.as_bytes(), 1_000), Err(Malformed));
    }

    #[test]
    fn trailers_come_without_those_that_change_the_framing() {
        let (_, trailers, _) = read(b"0\r\nsum: 7\r\nContent-Length: 5\r\nHost: b\r\n\r\n", 100).unwrap();
        assert_eq!(
            trailers,
            HeaderMap::from_iter([(HeaderName::from_static("sum"), HeaderValue::from_static("7"))])
        );
    }

    proptest! {
        #[test]
        fn whatever_was_chunked_comes_back(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
            step in 1_usize..30,
        ) {
            let mut encoded = Vec::new();
            for part in &parts {
                encoded.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                encoded.extend_from_slice(part);
                encoded.extend_from_slice(b"\r\n");
            }
            encoded.extend_from_slice(b"0\r\n\r\n");
            let (body, _, done) = read(&encoded, step).unwrap();
            prop_assert!(done);
            prop_assert_eq!(body, parts.concat());
        }

        #[test]
        fn any_bytes_are_read_the_same_however_they_come(
            encoded in prop::collection::vec(prop::sample::select(&b"0123af;x\r\n: "[..]), 0..60),
            step in 1_usize..10,
        ) {
            let whole = read(&encoded, encoded.len().max(1));
            let parts = read(&encoded, step);
            prop_assert_eq!(whole.is_err(), parts.is_err());
        }
    }
}
