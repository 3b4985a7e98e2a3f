//! [`Frame`]: a message of the data channel, as AWS's own client has it: not by the code that is tested.
//! <https://github.com/aws/session-manager-plugin/blob/mainline/src/message/messageparser.go>

use sha2::{Digest as _, Sha256};

/// What a header is long, without the length of the payload behind it.
const HEADER: usize = 116;

/// From the user to the command.
pub(super) const INPUT: &str = "input_stream_data";
/// From the command to the user.
pub(super) const OUTPUT: &str = "output_stream_data";
/// A message has arrived.
pub(super) const ACKNOWLEDGE: &str = "acknowledge";
/// Nothing more will come.
pub(super) const CHANNEL_CLOSED: &str = "channel_closed";

/// What payloads are.
pub(super) mod payload {
    pub(in crate::exec_agent) const OUTPUT: u32 = 1;
    pub(in crate::exec_agent) const HANDSHAKE_REQUEST: u32 = 5;
    pub(in crate::exec_agent) const HANDSHAKE_RESPONSE: u32 = 6;
    pub(in crate::exec_agent) const HANDSHAKE_COMPLETE: u32 = 7;
    pub(in crate::exec_agent) const ERRORS: u32 = 11;
    pub(in crate::exec_agent) const EXIT_CODE: u32 = 12;
}

/// One message.
pub(super) struct Frame {
    pub(super) kind: String,
    pub(super) sequence: i64,
    /// A UUID, its lower half first.
    id: [u8; 16],
    pub(super) payload_type: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn new(kind: &str, sequence: i64, payload_type: u32, payload: &[u8]) -> Self {
        let id = Sha256::digest(format!("{kind} {sequence}"));
        Self {
            kind: kind.to_owned(),
            sequence,
            id: id[..16].try_into().expect("a digest is longer"),
            payload_type,
            payload: payload.to_vec(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let length = |bytes: usize| u32::try_from(bytes).expect("a message is short").to_be_bytes();
        let [version, created, flags] = [1_u32.to_be_bytes().to_vec(), vec![0; 8], vec![0; 8]];
        [
            &length(HEADER)[..],
            format!("{:<32}", self.kind).as_bytes(),
            &version,
            &created,
            &self.sequence.to_be_bytes(),
            &flags,
            &self.id,
            &Sha256::digest(&self.payload),
            &self.payload_type.to_be_bytes(),
            &length(self.payload.len()),
            &self.payload,
        ]
        .concat()
    }

    /// `None` for what is no message.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let header = usize::try_from(number(0)?).ok()?;
        let payload = bytes.get(header + 4..)?;
        (usize::try_from(number(header)?).ok()? == payload.len()).then_some(())?;
        Some(Self {
            kind: str::from_utf8(bytes.get(4..36)?)
                .ok()?
                .trim_end_matches([' ', '\0'])
                .to_owned(),
            sequence: i64::from_be_bytes(bytes.get(48..56)?.try_into().ok()?),
            id: bytes.get(64..80)?.try_into().ok()?,
            payload_type: number(112)?,
            payload: payload.to_vec(),
        })
    }

    /// `6f1c3a52-0a1b-4c3d-8e4f-5a6b7c8d9e0f`
    pub(super) fn id(&self) -> String {
        let digits = format!("{:032x}", u128::from_be_bytes(self.id).rotate_left(64));
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_went() {
        let frame = Frame::new(OUTPUT, 7, payload::OUTPUT, b"ls\r");
        let back = Frame::decode(&frame.encode()).expect("it is a message");
        assert_eq!((back.kind.as_str(), back.sequence, back.id()), (OUTPUT, 7, frame.id()));
        assert_eq!((back.payload_type, back.payload.as_slice()), (1, &b"ls\r"[..]));
        assert!(Frame::decode(&frame.encode()[..119]).is_none());
        assert!(Frame::decode(b"garbage").is_none());
    }
}
