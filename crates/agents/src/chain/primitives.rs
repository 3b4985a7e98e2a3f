//! What a chain is made of: addresses, hashes and amounts, as they are written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha3::{Digest, Keccak256};
use thiserror::Error;

/// An account or a contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) [u8; 20]);

/// Thirty-two bytes: a hash, a nonce, a word of the ABI.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hash(pub(crate) [u8; 32]);

/// So many base units of a token: never a fraction, never a float. Written in decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(pub(crate) u128);

/// A text is not what it should be. It says nothing of the text itself, which may be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ParseError {
    #[error("does not begin with 0x")]
    NoPrefix,
    #[error("is not {expected} hexadecimal digits long after 0x, but {found}")]
    Length { expected: usize, found: usize },
    #[error("holds something else than hexadecimal digits after 0x")]
    Digit,
    #[error("has letters in an order of cases that belongs to no address: a digit may be wrong")]
    Checksum,
    #[error("is not a whole number of base units, written in decimal")]
    Amount,
}

/// The hash that the chain hashes with, of parts put together.
pub(crate) fn keccak256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// `0x` and hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    format!("0x{}", crate::card::hex(bytes))
}

/// The bytes of `0x` and hexadecimal digits, of any length.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, ParseError> {
    let digits = text.strip_prefix("0x").ok_or(ParseError::NoPrefix)?.as_bytes();
    if !digits.len().is_multiple_of(2) {
        let (expected, found) = (digits.len() + 1, digits.len());
        return Err(ParseError::Length { expected, found });
    }
    digits.chunks(2).map(byte).collect()
}

/// The same, of one length.
pub(crate) fn exactly<const N: usize>(text: &str) -> Result<[u8; N], ParseError> {
    let found = text.strip_prefix("0x").ok_or(ParseError::NoPrefix)?.chars().count();
    let wrong = ParseError::Length { expected: 2 * N, found };
    if found != 2 * N {
        return Err(wrong);
    }
    from_hex(text)?.try_into().map_err(|_| wrong)
}

fn byte(pair: &[u8]) -> Result<u8, ParseError> {
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(ParseError::Digit);
    let value = digit(pair[0])? * 16 + digit(pair[1])?;
    u8::try_from(value).map_err(|_| ParseError::Digit)
}

impl Address {
    /// With the checksum in the case of its letters: <https://eips.ethereum.org/EIPS/eip-55>.
    fn checksummed(self) -> String {
        let lower = crate::card::hex(&self.0);
        let hash = keccak256(&[lower.as_bytes()]).0;
        let cased = lower.chars().enumerate().map(|(index, digit)| {
            let half = hash[index / 2] >> (4 * (1 - index % 2)) & 15;
            if half >= 8 { digit.to_ascii_uppercase() } else { digit }
        });
        std::iter::once("0x".to_owned())
            .chain(cased.map(String::from))
            .collect()
    }
}

impl FromStr for Address {
    type Err = ParseError;

    /// Takes one case, or the checksum's.
    fn from_str(text: &str) -> Result<Address, ParseError> {
        let address = Address(exactly(text)?);
        let digits = &text[2..];
        let has_both_cases =
            digits.contains(|it: char| it.is_ascii_lowercase()) && digits.contains(|it: char| it.is_ascii_uppercase());
        if has_both_cases && address.checksummed() != text {
            return Err(ParseError::Checksum);
        }
        Ok(address)
    }
}

impl FromStr for Hash {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Hash, ParseError> {
        exactly(text).map(Hash)
    }
}

impl FromStr for Amount {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Amount, ParseError> {
        // `parse` alone would take a plus sign.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseError::Amount);
        }
        text.parse().map(Amount).map_err(|_| ParseError::Amount)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.checksummed())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

macro_rules! written_as_text {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

written_as_text!(Address, Hash, Amount);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz_text;

    #[test]
    fn addresses_carry_the_checksum_of_eip_55() {
        for known in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            let address: Address = known.parse().unwrap();
            assert_eq!(address.to_string(), known);
            assert_eq!(known.to_lowercase().parse(), Ok(address));
        }
        let mistyped = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
        assert_eq!(mistyped.parse::<Address>(), Err(ParseError::Checksum));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, wrong: ParseError| assert_eq!(text.parse::<Hash>(), Err(wrong), "{text}");
        check("", ParseError::NoPrefix);
        check("0x12", ParseError::Length { expected: 64, found: 2 });
        check(&format!("0x{}g", "0".repeat(63)), ParseError::Digit);
        for amount in [
            "",
            "-1",
            "+1",
            "1.0",
            "0x1",
            " 1",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(amount.parse::<Amount>(), Err(ParseError::Amount), "{amount}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(address: [u8; 20], hash: [u8; 32], amount: u128) {
            prop_assert_eq!(Address(address).to_string().parse(), Ok(Address(address)));
            prop_assert_eq!(Hash(hash).to_string().parse(), Ok(Hash(hash)));
            prop_assert_eq!(Amount(amount).to_string().parse(), Ok(Amount(amount)));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (text.parse::<Address>(), text.parse::<Hash>(), from_hex(&text));
        }
    }

    #[test]
    fn no_changed_text_breaks_it_and_what_is_read_can_be_written() {
        let examples = [
            "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "340282366920938463463374607431768211455",
            "0x",
        ];
        fuzz_text(&examples, |text| {
            let _ = (text.parse::<Address>(), text.parse::<Hash>());
            if let Ok(bytes) = from_hex(text) {
                assert_eq!(from_hex(&to_hex(&bytes)), Ok(bytes));
            }
            if let Ok(amount) = text.parse::<Amount>() {
                assert_eq!(amount.to_string().parse(), Ok(amount));
            }
        });
    }
}
