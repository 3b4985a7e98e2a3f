//! A transaction, signed: <https://eips.ethereum.org/EIPS/eip-1559>.

use super::key::PrivateKey;
use super::primitives::{Address, Hash, keccak256};

/// The type's number, which stands before everything else.
const TYPE: u8 = 2;

/// What is to be done, and what it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) chain_id: u64,
    /// How many the sender has sent before.
    pub(crate) nonce: u64,
    /// In wei for one unit of gas, for whoever takes it into a block.
    pub(crate) max_priority_fee: u128,
    /// In wei for one unit of gas, altogether.
    pub(crate) max_fee: u128,
    pub(crate) gas: u64,
    /// Nobody, where a contract is made.
    pub(crate) to: Option<Address>,
    pub(crate) data: Vec<u8>,
}

/// What is sent, and the hash by which it is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
}

impl Transaction {
    /// Signs it.
    pub(crate) fn sign(&self, key: &PrivateKey) -> Signed {
        let mut fields = self.fields();
        let signature = key.sign(keccak256(&[&[TYPE], &list(&fields)]));
        fields.push(number(u128::from(signature.v() - 27)));
        fields.push(bytes(without_zeros(&signature.r().0)));
        fields.push(bytes(without_zeros(&signature.s().0)));
        let mut bytes = vec![TYPE];
        bytes.extend(list(&fields));
        let hash = keccak256(&[&bytes]);
        Signed { bytes, hash }
    }

    /// In order; no value is sent along, and no access list.
    fn fields(&self) -> Vec<Vec<u8>> {
        vec![
            number(self.chain_id.into()),
            number(self.nonce.into()),
            number(self.max_priority_fee),
            number(self.max_fee),
            number(self.gas.into()),
            bytes(self.to.as_ref().map_or(&[], |to| to.0.as_slice())),
            number(0),
            bytes(&self.data),
            list(&[]),
        ]
    }
}

// Recursive length prefixes: <https://ethereum.org/en/developers/docs/data-structures-and-encoding/rlp/>.

fn bytes(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        &[byte] if byte < 0x80 => vec![byte],
        bytes => [prefix(0x80, bytes.len()), bytes.to_vec()].concat(),
    }
}

fn number(number: u128) -> Vec<u8> {
    bytes(without_zeros(&number.to_be_bytes()))
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let items = items.concat();
    [prefix(0xc0, items.len()), items].concat()
}

fn prefix(kind: u8, length: usize) -> Vec<u8> {
    let length_bytes = length.to_be_bytes();
    match u8::try_from(length) {
        Ok(length) if length <= 55 => vec![kind + length],
        _ => {
            let length = without_zeros(&length_bytes);
            // A length has at most eight bytes.
            let count = u8::try_from(length.len()).unwrap_or(8);
            [&[kind + 55 + count], length].concat()
        }
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|&byte| byte != 0);
    &bytes[first.unwrap_or(bytes.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::primitives::to_hex;

    /// The examples of Ethereum's page on RLP.
    #[test]
    fn prefixes() {
        let check = |encoded: Vec<u8>, expected: &str| assert_eq!(to_hex(&encoded), expected);
        check(bytes(b"dog"), "0x83646f67");
        check(list(&[bytes(b"cat"), bytes(b"dog")]), "0xc88363617483646f67");
        check(bytes(b""), "0x80");
        check(list(&[]), "0xc0");
        check(number(0), "0x80");
        check(number(15), "0x0f");
        check(number(1024), "0x820400");
        let lorem = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit";
        assert_eq!(bytes(lorem)[..2], [0xb8, 0x38]);
        assert_eq!(bytes(&[7; 1024])[..3], [0xb9, 0x04, 0x00]);
        assert_eq!(list(&[bytes(&[7; 1024])])[..3], [0xf9, 0x04, 0x03]);
    }

    /// Whoever recovers the sender from the bytes finds the key's account, whatever is signed.
    #[test]
    fn the_hash_is_of_the_signed_bytes() {
        let key = PrivateKey::parse(&keccak256(&[b"cow"]).to_string()).unwrap();
        let transaction = Transaction {
            chain_id: 84532,
            nonce: 0,
            max_priority_fee: 1,
            max_fee: 2_000_000_000,
            gas: 21_000,
            to: Some(Address([0x35; 20])),
            data: Vec::new(),
        };
        let signed = transaction.sign(&key);
        assert_eq!(signed.bytes[0], 2);
        assert_eq!(signed.hash, keccak256(&[&signed.bytes]));
        let next = Transaction {
            nonce: 1,
            ..transaction.clone()
        };
        assert_ne!(next.sign(&key).hash, signed.hash);
        assert_eq!(transaction.sign(&key), signed);
    }
}
