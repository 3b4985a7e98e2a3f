//! [`Frames`]: takes apart the stream in which an engine sends both outputs of a container.
//!
//! ```text
//! 1 0 0 0  0 0 0 5  h e l l o     stream (0 and 1 output, 2 errors), three zeros, the length, so many bytes
//! ```
//! <https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach>

/// What a frame begins with.
const HEADER: usize = 8;

/// Which output of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Its standard output.
    Standard,
    /// Its standard error.
    Errors,
}

/// A stream that comes in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    /// What the frame that goes on belongs to, and how much of it is still to come.
    frame: Option<(Output, usize)>,
}

impl Frames {
    /// Takes the next piece, and hands on each part of a frame that is in it.
    pub(super) fn take<'p>(&mut self, mut piece: &'p [u8]) -> Vec<(Output, &'p [u8])> {
        let mut parts = Vec::new();
        while !piece.is_empty() {
            let Some((output, missing)) = self.frame else {
                piece = self.take_header(piece);
                continue;
            };
            let (part, rest) = piece.split_at(missing.min(piece.len()));
            parts.push((output, part));
            self.go_on(output, missing - part.len());
            piece = rest;
        }
        parts
    }

    fn take_header<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        let (part, rest) = piece.split_at((HEADER - self.header.len()).min(piece.len()));
        self.header.extend_from_slice(part);
        if let &[stream, _, _, _, a, b, c, d] = self.header.as_slice() {
            let output = if stream == 2 { Output::Errors } else { Output::Standard };
            let length = u32::from_be_bytes([a, b, c, d]);
            self.header.clear();
            self.go_on(output, usize::try_from(length).unwrap_or(usize::MAX));
        }
        rest
    }

    fn go_on(&mut self, output: Output, missing: usize) {
        self.frame = (missing > 0).then_some((output, missing));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(output: Output, text: &[u8]) -> Vec<u8> {
        let stream = if output == Output::Errors { 2 } else { 1 };
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[stream, 0, 0, 0], &length[..], text].concat()
    }

    fn of(parts: &[(Output, Vec<u8>)], wanted: Output) -> Vec<u8> {
        let wanted = parts.iter().filter(|(output, _)| *output == wanted);
        wanted.flat_map(|(_, text)| text.clone()).collect()
    }

    proptest! {
        #[test]
        fn each_output_comes_whole_however_the_stream_is_cut(
            frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            cut in 1_usize..30,
        ) {
            let output = |is_error| if is_error { Output::Errors } else { Output::Standard };
            let sent: Vec<_> = frames.into_iter().map(|(is_error, text)| (output(is_error), text)).collect();
            let stream: Vec<u8> = sent.iter().flat_map(|(output, text)| frame(*output, text)).collect();
            let mut reader = Frames::default();
            let mut received = Vec::new();
            for piece in stream.chunks(cut) {
                received.extend(reader.take(piece).into_iter().map(|(output, part)| (output, part.to_vec())));
            }
            for output in [Output::Standard, Output::Errors] {
                prop_assert_eq!(of(&received, output), of(&sent, output));
            }
        }

        #[test]
        fn bytes_that_are_no_frames_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Frames::default();
            let taken: usize = reader.take(&bytes).iter().map(|(_, part)| part.len()).sum();
            prop_assert!(taken <= bytes.len());
        }
    }
}
