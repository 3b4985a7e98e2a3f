//! Reading a body out of the bytes that have come.

use bytes::BytesMut;

use super::chunked::{Chunks, Malformed, Piece};
use super::framing::Framing;

/// How far a body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyReader {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

impl BodyReader {
    /// At the beginning of a body.
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None => Self::Length(0),
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks::Size),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Whether all has been read.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::Done))
    }

    /// How many bytes are still to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(Chunks::Done) => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Takes the next piece out of what has come.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> Result<Piece, Malformed> {
        match self {
            Self::Length(0) => Ok(Piece::End),
            Self::Chunked(chunks) => chunks.take(input),
            Self::Length(_) | Self::UntilClose if input.is_empty() => Ok(Piece::Wanting),
            Self::Length(left) => {
                let taken = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                Ok(Piece::Data(input.split_to(taken).freeze()))
            }
            Self::UntilClose => Ok(Piece::Data(input.split().freeze())),
        }
    }

    /// Takes note that no more bytes will come, which ends some bodies and breaks the others off.
    pub(crate) fn close(&mut self) -> Result<(), Malformed> {
        match self {
            Self::UntilClose => {
                *self = Self::Length(0);
                Ok(())
            }
            _ if self.is_done() => Ok(()),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_leaves_what_comes_after_it() {
        let mut input = BytesMut::from(&b"helloGET"[..]);
        let mut body = BodyReader::new(Framing::Length(5));
        assert_eq!(body.take(&mut input), Ok(Piece::Data("hello".into())));
        assert_eq!((body.take(&mut input), &input[..]), (Ok(Piece::End), &b"GET"[..]));
        assert_eq!(body.close(), Ok(()));
    }

    #[test]
    fn a_body_that_ends_too_early_is_malformed_unless_the_end_is_its_framing() {
        for (framing, expected) in [
            (Framing::None, Ok(())),
            (Framing::Length(5), Err(Malformed)),
            (Framing::Chunked, Err(Malformed)),
            (Framing::UntilClose, Ok(())),
        ] {
            assert_eq!(BodyReader::new(framing).close(), expected, "{framing:?}");
        }
    }
}
