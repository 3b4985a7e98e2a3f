//! [`Message`]: what goes over the data channel of Session Manager, in both directions, one in each binary WebSocket frame.
//!
//! ```text
//! at    0 ┌ 4  the length of the header: all before the payload's length, 116
//!       4 │ 32 the message's type, text, padded with spaces
//!      36 │ 4  the schema's version
//!      40 │ 8  created, in milliseconds since 1970
//!      48 │ 8  the sequence number
//!      56 │ 8  flags
//!      64 │ 16 the message's id, its lower half first
//!      80 │ 32 the payload's SHA-256
//!     112 └ 4  the payload's type
//!     116   4  the payload's length
//!     120      the payload
//! ```
//!
//! Numbers have their most significant byte first. The authority is the source of AWS's own client:
//! <https://github.com/aws/session-manager-plugin/blob/mainline/src/message/clientmessage.go>

use std::fmt;

use sha2::{Digest as _, Sha256};

/// All before the payload's length.
const HEADER: usize = 116;

/// The payload's length itself.
const LENGTH: usize = 4;

/// Room for the message's type.
const TYPE: usize = 32;

/// The only version of the schema there is.
const SCHEMA_VERSION: u32 = 1;

/// From us to the command.
pub(crate) const INPUT: &str = "input_stream_data";
/// From the command to us.
pub(crate) const OUTPUT: &str = "output_stream_data";
/// A message has arrived.
pub(crate) const ACKNOWLEDGE: &str = "acknowledge";
/// The other end will say nothing more.
pub(crate) const CHANNEL_CLOSED: &str = "channel_closed";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its type: [`INPUT`], [`OUTPUT`], …
    pub(crate) kind: String,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created: u64,
    /// Its place in its stream.
    pub(crate) sequence: i64,
    /// Bit 0: the first of a stream. Bit 1: the last.
    pub(crate) flags: u64,
    /// Which message it is.
    pub(crate) id: MessageId,
    /// What the payload is; see [`super::payload`].
    pub(crate) payload_type: u32,
    /// What it says.
    pub(crate) payload: Vec<u8>,
}

/// A UUID of the fourth version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageId(u128);

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAMessage {
    #[error("{0} bytes are too few for a message")]
    TooShort(usize),
    #[error("a header of {0} bytes is none")]
    Header(u32),
    #[error("the type is no text")]
    Type,
    #[error("the payload is not {0} bytes long")]
    Length(u32),
    #[error("the payload is not the one that was sent")]
    Digest,
}

impl MessageId {
    /// Makes 128 random bits a UUID: six of them are not random.
    /// <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4>
    pub(crate) fn from_random(bits: u128) -> Self {
        let version = 0x4 << 76;
        let variant = 0b10 << 62;
        Self(bits & !(0xf << 76) & !(0b11 << 62) | version | variant)
    }
}

/// `6f1c3a52-0a1b-4c3d-8e4f-5a6b7c8d9e0f`
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        f.write_str(&parts.join("-"))
    }
}

impl Message {
    /// The bytes of it. A type that is too long for its field is cut off there.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut kind = [b' '; TYPE];
        for (place, byte) in kind.iter_mut().zip(self.kind.bytes()) {
            *place = byte;
        }
        let header = u32::try_from(HEADER).expect("it is 116");
        let length = u32::try_from(self.payload.len()).expect("a payload is some kilobytes");
        [
            &header.to_be_bytes()[..],
            &kind,
            &SCHEMA_VERSION.to_be_bytes(),
            &self.created.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &self.flags.to_be_bytes(),
            &self.id.0.rotate_left(64).to_be_bytes(),
            &Sha256::digest(&self.payload),
            &self.payload_type.to_be_bytes(),
            &length.to_be_bytes(),
            &self.payload,
        ]
        .concat()
    }

    /// Reads one. A longer header than ours is one of a later version: what is new in it is skipped.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NotAMessage> {
        let mut fields = Fields {
            bytes,
            all: bytes.len(),
        };
        let header = u32::from_be_bytes(fields.take()?);
        let kind = text(&fields.take::<TYPE>()?)?;
        let _version: [u8; 4] = fields.take()?;
        let created = u64::from_be_bytes(fields.take()?);
        let sequence = i64::from_be_bytes(fields.take()?);
        let flags = u64::from_be_bytes(fields.take()?);
        let id = MessageId(u128::from_be_bytes(fields.take()?).rotate_left(64));
        let digest: [u8; 32] = fields.take()?;
        let payload_type = u32::from_be_bytes(fields.take()?);
        let payload = payload(bytes, header)?.to_vec();
        if !payload.is_empty() && Sha256::digest(&payload)[..] != digest {
            return Err(NotAMessage::Digest);
        }
        Ok(Self {
            kind,
            created,
            sequence,
            flags,
            id,
            payload_type,
            payload,
        })
    }
}

/// The bytes that are still to be read.
struct Fields<'a> {
    bytes: &'a [u8],
    all: usize,
}

impl Fields<'_> {
    fn take<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], NotAMessage> {
        let (field, rest) = self.bytes.split_first_chunk().ok_or(NotAMessage::TooShort(self.all))?;
        self.bytes = rest;
        Ok(*field)
    }
}

fn text(field: &[u8]) -> Result<String, NotAMessage> {
    let text = str::from_utf8(field).map_err(|_| NotAMessage::Type)?;
    Ok(text.trim_matches(['\0', ' ']).to_owned())
}

/// What follows the header and the length behind it.
fn payload(bytes: &[u8], header: u32) -> Result<&[u8], NotAMessage> {
    let start = usize::try_from(header).ok().filter(|start| *start >= HEADER);
    let start = start.ok_or(NotAMessage::Header(header))?;
    let behind = bytes.get(start..).ok_or(NotAMessage::Header(header))?;
    let (length, payload) = behind
        .split_first_chunk::<LENGTH>()
        .ok_or(NotAMessage::TooShort(bytes.len()))?;
    let length = u32::from_be_bytes(*length);
    let is_whole = usize::try_from(length) == Ok(payload.len());
    is_whole.then_some(payload).ok_or(NotAMessage::Length(length))
}

#[cfg(test)]
mod tests;
