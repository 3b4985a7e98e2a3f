//! Structures that are signed within a domain: <https://eips.ethereum.org/EIPS/eip-712>.

use super::abi::{Argument, encode};
use super::primitives::{Address, Hash, keccak256};

const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

/// Where a signature counts: one contract, in one version, on one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) chain_id: u64,
    pub(crate) verifying_contract: Address,
}

impl Domain {
    /// What a contract gives as its `DOMAIN_SEPARATOR()`.
    pub(crate) fn separator(&self) -> Hash {
        struct_hash(
            DOMAIN_TYPE,
            &[
                keccak256(&[self.name.as_bytes()]),
                keccak256(&[self.version.as_bytes()]),
                self.chain_id.into(),
                self.verifying_contract.into(),
            ],
        )
    }

    /// What is signed, of a structure in this domain.
    pub(crate) fn digest(&self, structure: Hash) -> Hash {
        keccak256(&[&[0x19, 0x01], &self.separator().0, &structure.0])
    }
}

/// The hash of a structure by its type, as in `Mail(address from,string contents)`, and its encoded members: what is longer than a word is
/// its hash.
pub(crate) fn struct_hash(kind: &str, members: &[Hash]) -> Hash {
    let words: Vec<Argument<'_>> = members.iter().map(|&member| Argument::Word(member)).collect();
    keccak256(&[&keccak256(&[kind.as_bytes()]).0, &encode(&words)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::key::PrivateKey;
    use crate::chain::primitives::to_hex;

    /// The whole of the example `Mail` of EIP-712, whose figures stand in its `Example.js`.
    #[test]
    fn the_example_of_the_eip() {
        let domain = Domain {
            name: "Ether Mail".to_owned(),
            version: "1".to_owned(),
            chain_id: 1,
            verifying_contract: "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC".parse().unwrap(),
        };
        let separator = "0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f";
        assert_eq!(domain.separator().to_string(), separator);

        let person = |name: &str, wallet: &str| {
            let wallet: Address = wallet.parse().unwrap();
            struct_hash(
                "Person(string name,address wallet)",
                &[keccak256(&[name.as_bytes()]), wallet.into()],
            )
        };
        let mail = struct_hash(
            "Mail(Person from,Person to,string contents)Person(string name,address wallet)",
            &[
                person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
                person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
                keccak256(&[b"Hello, Bob!"]),
            ],
        );
        let digest = domain.digest(mail);
        let expected = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";
        assert_eq!(digest.to_string(), expected);

        let cow = PrivateKey::parse(&keccak256(&[b"cow"]).to_string()).unwrap();
        let expected = "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d\
                        07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c";
        assert_eq!(to_hex(&cow.sign(digest).0), expected);
    }
}
