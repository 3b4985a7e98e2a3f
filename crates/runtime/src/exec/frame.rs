//! [`Frame`]: what goes over the control socket while a command runs in a task.
//!
//! ```text
//! one byte: the kind · four bytes: the length, most significant first · the content
//! ```

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::WindowSize;

/// The kind and the length.
const HEAD: usize = 5;

/// A longer content is not sent, and not taken.
const LONGEST: usize = 64 * 1024;

/// A piece of the conversation with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// To its standard input.
    Input(Vec<u8>),
    /// Its standard input ends here.
    InputEnd,
    /// The user's terminal has another size now.
    Resize(WindowSize),
    /// From its standard output, or from its terminal.
    Output(Vec<u8>),
    /// From its standard error.
    Errors(Vec<u8>),
    /// It has ended with this exit code. The last frame.
    Exit(i32),
}

/// The end that frames come from.
#[derive(Debug)]
pub struct FrameReader<Stream> {
    stream: ReadHalf<Stream>,
    /// What has come and was not taken yet.
    begun: Vec<u8>,
}

/// The end that frames go to.
#[derive(Debug)]
pub struct FrameWriter<Stream>(WriteHalf<Stream>);

/// Makes a stream of bytes one of frames.
pub(crate) fn frames<Stream: AsyncRead + AsyncWrite>(stream: Stream) -> (FrameReader<Stream>, FrameWriter<Stream>) {
    let (reader, writer) = split(stream);
    let reader = FrameReader {
        stream: reader,
        begun: Vec::new(),
    };
    (reader, FrameWriter(writer))
}

impl<Stream: AsyncRead> FrameReader<Stream> {
    /// The next frame; `None` when the other end has gone. Nothing is lost if the future is dropped before it resolves.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some((frame, length)) = first(&self.begun)? {
                self.begun.drain(..length);
                return Ok(Some(frame));
            }
            if self.stream.read_buf(&mut self.begun).await? == 0 {
                let is_whole = self.begun.is_empty();
                return if is_whole { Ok(None) } else { Err(not_a_frame()) };
            }
        }
    }
}

/// The frame that some bytes begin with, and how many of them it takes; `None` where it is not whole yet.
fn first(bytes: &[u8]) -> io::Result<Option<(Frame, usize)>> {
    let Some(&[kind, a, b, c, d]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(not_a_frame());
    }
    let end = HEAD + length;
    let Some(content) = bytes.get(HEAD..end) else {
        return Ok(None);
    };
    let frame = Frame::decode(kind, content.to_vec()).ok_or_else(not_a_frame)?;
    Ok(Some((frame, end)))
}

impl<Stream: AsyncWrite> FrameWriter<Stream> {
    /// Sends a frame; one that is too long as several.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        let (kind, content) = frame.encode();
        for piece in pieces(&content) {
            let length = u32::try_from(piece.len()).expect("a piece is no longer than it may be");
            let bytes = [&[kind][..], &length.to_be_bytes(), piece].concat();
            self.0.write_all(&bytes).await?;
        }
        self.0.flush().await
    }
}

impl Frame {
    fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Input(bytes) => (0, bytes.clone()),
            Self::InputEnd => (1, Vec::new()),
            Self::Resize(size) => (2, [size.columns.to_be_bytes(), size.rows.to_be_bytes()].concat()),
            Self::Output(bytes) => (3, bytes.clone()),
            Self::Errors(bytes) => (4, bytes.clone()),
            Self::Exit(code) => (5, code.to_be_bytes().to_vec()),
        }
    }

    fn decode(kind: u8, content: Vec<u8>) -> Option<Self> {
        match (kind, content.as_slice()) {
            (0, _) => Some(Self::Input(content)),
            (1, []) => Some(Self::InputEnd),
            (2, &[a, b, c, d]) => {
                let (columns, rows) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                Some(Self::Resize(WindowSize { columns, rows }))
            }
            (3, _) => Some(Self::Output(content)),
            (4, _) => Some(Self::Errors(content)),
            (5, &[a, b, c, d]) => Some(Self::Exit(i32::from_be_bytes([a, b, c, d]))),
            _ => None,
        }
    }
}

/// A content without bytes is one piece too.
fn pieces(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = content.is_empty().then_some(content);
    empty.into_iter().chain(content.chunks(LONGEST))
}

fn not_a_frame() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a frame of a command's conversation")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..2000);
        prop_oneof![
            bytes().prop_map(Frame::Input),
            Just(Frame::InputEnd),
            any::<(u16, u16)>().prop_map(|(columns, rows)| Frame::Resize(WindowSize { columns, rows })),
            bytes().prop_map(Frame::Output),
            bytes().prop_map(Frame::Errors),
            any::<i32>().prop_map(Frame::Exit),
        ]
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    async fn read_all(bytes: &[u8]) -> io::Result<Vec<Frame>> {
        let (ours, mut theirs) = tokio::io::duplex(bytes.len().max(1));
        theirs.write_all(bytes).await?;
        drop(theirs);
        let mut reader = frames(ours).0;
        let mut all = Vec::new();
        while let Some(frame) = reader.next().await? {
            all.push(frame);
        }
        Ok(all)
    }

    proptest! {
        #[test]
        fn frames_arrive_as_they_were_sent(sent in prop::collection::vec(frame(), 0..8)) {
            let received = run(async {
                let (ours, theirs) = tokio::io::duplex(1 << 20);
                let mut writer = frames(ours).1;
                for frame in &sent {
                    writer.send(frame).await.unwrap();
                }
                drop(writer);
                let mut reader = frames(theirs).0;
                let mut received = Vec::new();
                while received.len() < sent.len() {
                    received.extend(reader.next().await.unwrap());
                }
                received
            });
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn garbage_is_refused_and_nothing_worse(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = run(read_all(&bytes));
        }
    }

    #[test]
    fn what_is_too_long_goes_in_pieces_and_is_not_taken_whole() {
        let long = vec![7; LONGEST + 1];
        let lengths: Vec<_> = pieces(&long).map(<[u8]>::len).collect();
        assert_eq!(lengths, [LONGEST, 1]);
        let claimed = [&[3][..], &u32::MAX.to_be_bytes()].concat();
        assert_eq!(run(read_all(&claimed)).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
