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
    /// `address[]`.
    Addresses(&'a [Address]),
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
            longer => {
                let offset = arguments.len() * WORD + tails.len();
                heads.extend(Hash::from(offset as u128).0);
                tails.extend(longer.tail());
            }
        }
    }
    heads.extend(tails);
    heads
}

impl Argument<'_> {
    /// What stands behind the words: how much there is, and then that.
    fn tail(&self) -> Vec<u8> {
        match self {
            Argument::Word(_) => Vec::new(),
            Argument::Bytes(bytes) => {
                let mut tail = Hash::from(bytes.len() as u128).0.to_vec();
                tail.extend_from_slice(bytes);
                tail.resize(tail.len().next_multiple_of(WORD), 0);
                tail
            }
            Argument::Addresses(addresses) => {
                let words = addresses.iter().flat_map(|&address| Hash::from(address).0);
                Hash::from(addresses.len() as u128).0.into_iter().chain(words).collect()
            }
        }
    }
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

    /// A number of two's complement, as `int128` is.
    pub(crate) fn signed(&self, position: usize) -> Option<i128> {
        let Hash(word) = self.word(position)?;
        let (sign, number) = word.split_at(16);
        let number = number.try_into().ok().map(i128::from_be_bytes)?;
        let expected = if number < 0 { 0xff } else { 0 };
        sign.iter().all(|&byte| byte == expected).then_some(number)
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
        let data = encode(&["dave".into(), 7_u64.into(), Argument::Addresses(&[Address([9; 20])])]);
        let answer = Answer(data);
        assert_eq!(answer.text(0).as_deref(), Some("dave"));
        assert_eq!(answer.number(1), Some(7));
        let offset = answer.number(2).unwrap();
        assert_eq!(offset, 3 * 32 + 64);
        let behind = Answer(answer.0[usize::try_from(offset).unwrap()..].to_vec());
        assert_eq!((behind.number(0), behind.address(1)), (Some(1), Some(Address([9; 20]))));
    }

    #[test]
    fn signs_are_read() {
        let minus_two = Hash([[0xff; 31].as_slice(), &[0xfe]].concat().try_into().unwrap());
        assert_eq!(Answer(minus_two.0.to_vec()).signed(0), Some(-2));
        assert_eq!(Answer(minus_two.0.to_vec()).number(0), None);
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), position in any::<usize>()) {
            let answer = Answer(bytes);
            for position in [position, position % 8] {
                let _ = (answer.text(position), answer.flag(position), answer.address(position), answer.signed(position));
            }
        }

        #[test]
        fn texts_return(text in ".*", number: u128) {
            let answer = Answer(encode(&[text.as_str().into(), number.into()]));
            prop_assert_eq!(answer.text(0), Some(text));
            prop_assert_eq!(answer.number(1), Some(number));
        }
    }
}
