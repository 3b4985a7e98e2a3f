//! What a blob is called: the hash of its bytes.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a blob, written `sha256:` and 64 hexadecimal digits.
/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a digest: `sha256:` and 64 hexadecimal digits in lower case")]
pub struct InvalidDigest {
    text: String,
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 64 digits alone: what a blob's file is named.
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// As the image specification's types have it.
    pub(crate) fn to_oci(self) -> oci_spec::image::Digest {
        self.to_string().parse().expect("64 hexadecimal digits are a SHA-256")
    }
}

impl From<[u8; 32]> for Digest {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl TryFrom<&oci_spec::image::Digest> for Digest {
    type Error = InvalidDigest;

    fn try_from(digest: &oci_spec::image::Digest) -> Result<Self, InvalidDigest> {
        digest.as_ref().parse()
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest { text: text.to_owned() };
        let hex = text.strip_prefix("sha256:").ok_or_else(invalid)?;
        let hash = from_hex(hex.as_bytes()).ok_or_else(invalid)?;
        Ok(Self(hash))
    }
}

fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// FIPS 180-2, appendix B.1.
    const OF_ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn is_written_as_the_specification_has_it() {
        assert_eq!(Digest::of(b"abc").to_string(), OF_ABC);
        assert_eq!(Digest::of(b"abc").to_oci().as_ref(), OF_ABC);
    }

    #[test]
    fn anything_else_is_refused() {
        let upper = OF_ABC.replace("ba", "BA");
        let longer = format!("{OF_ABC}0");
        let other = OF_ABC.replace("sha256", "sha512");
        for text in ["", "sha256:", &OF_ABC[7..], &OF_ABC[..70], &upper, &longer, &other] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(hash: [u8; 32]) {
            let digest = Digest::from(hash);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(sha256:)?[0-9a-gA-F]{60,66}|\\PC*") {
            if let Ok(digest) = text.parse::<Digest>() {
                prop_assert_eq!(digest.to_string(), text);
            }
        }
    }
}
