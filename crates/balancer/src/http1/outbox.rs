//! Bytes on their way out: gathered, so that a message leaves in as few writes as can be, and large parts uncopied.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;
use tokio::io::AsyncWrite;

use super::write::put_headers;

/// What is still to be written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    front: BytesMut,
    /// A large part that follows, as it came.
    part: Bytes,
    /// What ends the large part.
    tail: &'static [u8],
}

/// Parts up to this size are copied: cheaper than one more piece in the kernel's list.
const SMALL: usize = 4 * 1_024;

/// No more is gathered when so much is waiting.
const ENOUGH: usize = 16 * 1_024;

impl Outbox {
    /// Where heads are written to.
    pub(crate) fn front(&mut self) -> &mut BytesMut {
        debug_assert!(self.part.is_empty(), "a head comes after the part before it is gone");
        &mut self.front
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.part.is_empty() && self.tail.is_empty()
    }

    /// Bytes that are still to be written.
    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.part.len() + self.tail.len()
    }

    /// Whether a further part can be taken.
    pub(crate) fn has_room(&self) -> bool {
        self.part.is_empty() && self.tail.is_empty() && self.front.len() < ENOUGH
    }

    /// Adds a part of a body as it is.
    pub(crate) fn push(&mut self, data: Bytes) {
        self.push_with_tail(data, b"");
    }

    /// Adds a part of a body as a chunk.
    pub(crate) fn push_chunk(&mut self, data: Bytes) {
        if data.is_empty() {
            return; // an empty chunk would be the last one
        }
        put_hexadecimal(&mut self.front, data.len());
        self.front.put_slice(b"\r\n");
        self.push_with_tail(data, b"\r\n");
    }

    /// Adds the end of a chunked body.
    pub(crate) fn push_last_chunk(&mut self, trailers: &HeaderMap) {
        self.front.put_slice(b"0\r\n");
        put_headers(&mut self.front, trailers);
        self.front.put_slice(b"\r\n");
    }

    /// Writes until nothing is left.
    pub(crate) fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let written = if self.part.is_empty() {
                Pin::new(&mut *stream).poll_write(context, &self.front)
            } else {
                let slices = [
                    IoSlice::new(&self.front),
                    IoSlice::new(&self.part),
                    IoSlice::new(self.tail),
                ];
                Pin::new(&mut *stream).poll_write_vectored(context, &slices)
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.advance(written),
            }
        }
        Pin::new(stream).poll_flush(context)
    }

    fn push_with_tail(&mut self, data: Bytes, tail: &'static [u8]) {
        if data.len() <= SMALL {
            self.front.extend_from_slice(&data);
            self.front.put_slice(tail);
        } else {
            (self.part, self.tail) = (data, tail);
        }
    }

    fn advance(&mut self, written: usize) {
        let of_front = written.min(self.front.len());
        self.front.advance(of_front);
        let of_part = (written - of_front).min(self.part.len());
        self.part.advance(of_part);
        if self.part.is_empty() {
            self.part = Bytes::new();
        }
        self.tail = &self.tail[written - of_front - of_part..];
        if self.part.is_empty() && !self.tail.is_empty() {
            self.front.put_slice(self.tail);
            self.tail = b"";
        }
    }
}

fn put_hexadecimal(out: &mut BytesMut, number: usize) {
    let digits = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.put_u8(b"0123456789abcdef"[(number >> (digit * 4)) & 15]);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    /// Writes through a pipe of this width, and gives what came out of it.
    async fn written(mut outbox: Outbox, width: usize) -> Vec<u8> {
        let (mut near, mut far) = tokio::io::duplex(width);
        let reading = tokio::spawn(async move {
            let mut seen = Vec::new();
            far.read_to_end(&mut seen).await.unwrap();
            seen
        });
        poll_fn(|context| outbox.poll_write(&mut near, context)).await.unwrap();
        assert!(outbox.is_empty());
        drop(near);
        reading.await.unwrap()
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_in_order() {
        let large = Bytes::from(vec![b'x'; SMALL + 1]);
        for width in [1, 7, 4_096, 1 << 20] {
            let mut outbox = Outbox::default();
            outbox.front().put_slice(b"head ");
            outbox.push_chunk("small".into());
            outbox.push_chunk(Bytes::new());
            outbox.push_chunk(large.clone());
            assert!(!outbox.has_room());
            let expected = [b"head 5\r\nsmall\r\n1001\r\n", &large[..], b"\r\n"].concat();
            assert_eq!(written(outbox, width).await, expected, "{width}");
        }
    }

    #[test]
    fn sizes_are_hexadecimal() {
        for number in [0_usize, 1, 15, 16, 255, 4_096, 0xdead_beef] {
            let mut out = BytesMut::new();
            put_hexadecimal(&mut out, number);
            assert_eq!(out, format!("{number:x}"));
        }
    }
}
