//! Calls to contracts and their answers, as the contract ABI has them: words of 32 bytes, and what is longer behind them.
//!
//! <https://docs.soliditylang.org/en/latest/abi-spec.html>. Only what our contracts take and give is here.

use super::primitives::{Address, Amount, Hash, keccak256};

const WORD: usize = 32;

/// One argument of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'a> {
    /// Anything that fits one word.
    Word(Hash),
    /// `bytes` or `string`.
    Bytes(&'a [u8]),
}

/// The call of a function by its signature, as in `transfer(address,uint256)`.
pub(crate) fn call(signature: &str, arguments: &[Argument<'_>]) -> Vec<u8> {
    let mut data = selector(signature).to_vec();
    data.extend(encode(arguments));
    data
}

/// The first four bytes of the hash of a signature.
pub(crate) fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(&[signature.as_bytes()]).0;
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Arguments without a selector, as a constructor takes them.
pub(crate) fn encode(arguments: &[Argument<'_>]) -> Vec<u8> {
    let (mut heads, mut tails) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            Argument::Word(word) => heads.extend(word.0),
            Argument::Bytes(bytes) => {
                let offset = arguments.len() * WORD + tails.len();
                heads.extend(Hash::from(offset as u128).0);
                tails.extend(Hash::from(bytes.len() as u128).0);
                tails.extend_from_slice(bytes);
                tails.resize(tails.len().next_multiple_of(WORD), 0);
            }
        }
    }
    heads.extend(tails);
    heads
}

impl<'a> From<&'a str> for Argument<'a> {
    fn from(text: &'a str) -> Self {
        Argument::Bytes(text.as_bytes())
    }
}

impl<W: Into<Hash>> From<W> for Argument<'_> {
    fn from(word: W) -> Self {
        Argument::Word(word.into())
    }
}

impl From<Address> for Hash {
    fn from(address: Address) -> Hash {
        let mut word = [0; WORD];
        word[12..].copy_from_slice(&address.0);
        Hash(word)
    }
}

impl From<u128> for Hash {
    fn from(number: u128) -> Hash {
        let mut word = [0; WORD];
        word[16..].copy_from_slice(&number.to_be_bytes());
        Hash(word)
    }
}

impl From<u64> for Hash {
    fn from(number: u64) -> Hash {
        u128::from(number).into()
    }
}

impl From<u8> for Hash {
    fn from(number: u8) -> Hash {
        u128::from(number).into()
    }
}

impl From<Amount> for Hash {
    fn from(Amount(number): Amount) -> Hash {
        number.into()
    }
}

/// What a contract answered. Every reading is `None` where the answer is shorter or other than that.
#[derive(Clone, Debug)]
pub(crate) struct Answer(pub(crate) Vec<u8>);

impl Answer {
    /// The word at a position.
    pub(crate) fn word(&self, position: usize) -> Option<Hash> {
        let begin = position.checked_mul(WORD)?;
        let word = self.0.get(begin..begin.checked_add(WORD)?)?;
        word.try_into().ok().map(Hash)
    }

    /// An address.
    pub(crate) fn address(&self, position: usize) -> Option<Address> {
        let Hash(word) = self.word(position)?;
        let (zeros, address) = word.split_at(12);
        zeros.iter().all(|&byte| byte == 0).then_some(())?;
        address.try_into().ok().map(Address)
    }

    /// A number that is not larger than we reckon with.
    pub(crate) fn number(&self, position: usize) -> Option<u128> {
        let Hash(word) = self.word(position)?;
        let (zeros, number) = word.split_at(16);
        zeros.iter().all(|&byte| byte == 0).then_some(())?;
        number.try_into().ok().map(u128::from_be_bytes)
    }

    /// Yes or no.
    pub(crate) fn flag(&self, position: usize) -> Option<bool> {
        match self.number(position)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A `string` that the word at a position points at.
    pub(crate) fn text(&self, position: usize) -> Option<String> {
        let offset = usize::try_from(self.number(position)?).ok()?;
        let behind = Answer(self.0.get(offset..)?.to_vec());
        let length = usize::try_from(behind.number(0)?).ok()?;
        let bytes = behind.0.get(WORD..WORD.checked_add(length)?)?;
        String::from_utf8(bytes.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chain::primitives::from_hex;
    use crate::fuzz::fuzz;

    /// The examples of the ABI's specification.
    #[test]
    fn the_specifications_examples() {
        assert_eq!(selector("baz(uint32,bool)"), [0xcd, 0xcd, 0x77, 0xc0]);
        let data = call("baz(uint32,bool)", &[69_u64.into(), 1_u8.into()]);
        let expected = "0xcdcd77c000000000000000000000000000000000000000000000000000000000000000450000000000000000\
                        000000000000000000000000000000000000000000000001";
        assert_eq!(data, from_hex(expected).unwrap());
    }

    #[test]
    fn what_is_longer_than_a_word_stands_behind() {
        let answer = Answer(encode(&["dave".into(), 7_u64.into(), Argument::Bytes(&[1; 33])]));
        assert_eq!(answer.text(0).as_deref(), Some("dave"));
        assert_eq!(answer.number(1), Some(7));
        assert_eq!(answer.number(2), Some(3 * 32 + 64));
        assert_eq!(answer.0.len(), 3 * 32 + 64 + 96);
    }

    #[test]
    fn what_is_too_large_is_no_number_and_what_is_too_long_no_address() {
        let answer = Answer(vec![0xff; 32]);
        assert_eq!(
            (answer.number(0), answer.address(0), answer.flag(0)),
            (None, None, None)
        );
        assert_eq!(
            Answer(encode(&[Address([9; 20]).into()])).address(0),
            Some(Address([9; 20]))
        );
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), position in any::<usize>()) {
            let answer = Answer(bytes);
            for position in [position, position % 8] {
                let _ = (answer.text(position), answer.flag(position), answer.address(position));
            }
        }

        #[test]
        fn texts_return(text in ".*", number: u128) {
            let answer = Answer(encode(&[text.as_str().into(), number.into()]));
            prop_assert_eq!(answer.text(0), Some(text));
            prop_assert_eq!(answer.number(1), Some(number));
        }
    }

    #[test]
    fn no_changed_answer_breaks_it() {
        let answer = encode(&["GLUE Token".into(), 6_u128.into(), "2".into()]);
        let answer: String = answer.into_iter().map(char::from).collect();
        fuzz(&[&answer], |bytes| {
            for position in 0..4 {
                let answer = Answer(bytes.to_vec());
                let _ = (
                    answer.text(position),
                    answer.flag(position),
                    answer.address(position),
                    answer.number(position),
                );
            }
            let _ = crate::chain::revert::reason(bytes);
        });
    }
}
