//! A private key, and what it signs.

use std::fmt;

use k256::ecdsa::{RecoveryId, Signature as Scalars, SigningKey, VerifyingKey};

use super::primitives::{Address, Hash, exactly, keccak256, to_hex};

/// The key of an account. Nothing shows it: not `Debug`, no log, no error.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

/// Sixty-five bytes `r || s || v`, where `v` is 27 or 28.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature(pub(crate) [u8; 65]);

impl PrivateKey {
    /// Reads 64 hexadecimal digits, with `0x` before them or without. The reason never holds the text.
    pub(crate) fn parse(text: &str) -> Result<PrivateKey, String> {
        let prefixed = format!("0x{}", text.strip_prefix("0x").unwrap_or(text));
        let bytes: [u8; 32] = exactly(&prefixed).map_err(|error| format!("{error} (its value is not shown)"))?;
        let key = SigningKey::from_slice(&bytes);
        key.map(PrivateKey)
            .map_err(|_| "is no key of secp256k1: it is zero, or not below the curve's order".to_owned())
    }

    /// The account it opens.
    pub(crate) fn address(&self) -> Address {
        address_of(self.0.verifying_key())
    }

    /// Signs a digest. The same digest gets the same signature.
    pub(crate) fn sign(&self, digest: Hash) -> Signature {
        let (scalars, recovery) = self.0.sign_prehash_recoverable(&digest.0);
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&scalars.to_bytes());
        bytes[64] = 27 + recovery.to_byte();
        Signature(bytes)
    }

    /// A value that only the holder of the key can compute, of parts put together.
    pub(crate) fn secret_hash(&self, parts: &[&[u8]]) -> Hash {
        let key = self.0.to_bytes();
        let parts: Vec<Hash> = parts.iter().map(|part| keccak256(&[part])).collect();
        let parts: Vec<u8> = parts.iter().flat_map(|part| part.0).collect();
        keccak256(&[b"karmacadabra", &key, &parts])
    }
}

impl Signature {
    /// `r`.
    pub(crate) fn r(&self) -> Hash {
        let mut word = [0; 32];
        word.copy_from_slice(&self.0[..32]);
        Hash(word)
    }

    /// `s`.
    pub(crate) fn s(&self) -> Hash {
        let mut word = [0; 32];
        word.copy_from_slice(&self.0[32..64]);
        Hash(word)
    }

    /// 27 or 28.
    pub(crate) fn v(&self) -> u8 {
        self.0[64]
    }

    /// Who signed the digest. `None` where the signature is none, or is the other of the two that a key can give
    /// (<https://eips.ethereum.org/EIPS/eip-2>): contracts refuse that one.
    pub(crate) fn signer(&self, digest: Hash) -> Option<Address> {
        let scalars = Scalars::from_slice(&self.0[..64]).ok()?;
        let is_low = scalars.normalize_s() == scalars;
        let recovery = RecoveryId::from_byte(self.v().checked_sub(27)?).filter(|_| is_low && self.v() <= 28)?;
        let key = VerifyingKey::recover_from_prehash(&digest.0, &scalars, recovery).ok()?;
        Some(address_of(&key))
    }
}

/// <https://ethereum.org/en/developers/docs/accounts/#account-creation>
fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    let hash = keccak256(&[&point.as_bytes()[1..]]).0;
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "(the key of {})", self.address())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&to_hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key `cow` of EIP-712's example.
    fn cow() -> PrivateKey {
        PrivateKey::parse(&keccak256(&[b"cow"]).to_string()).unwrap()
    }

    #[test]
    fn an_account_is_known_by_its_key() {
        let address: Address = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826".parse().unwrap();
        assert_eq!(cow().address(), address);
        assert_eq!(format!("{:?}", cow()), format!("(the key of {address})"));
    }

    #[test]
    fn a_bad_key_is_refused_without_being_shown() {
        let check = |text: &str, reason: &str| {
            let error = PrivateKey::parse(text).unwrap_err();
            assert!(error.contains(reason), "{error}");
            assert!(text.len() < 4 || !error.contains(&text[2..]), "{error}");
        };
        let digits = "11".repeat(32);
        assert!(PrivateKey::parse(&digits).is_ok());
        check(&format!("0x{digits}11"), "is not 64 hexadecimal digits");
        check(&format!("0x{}zz", &digits[..62]), "something else than hexadecimal");
        check(&format!("0x{digits} # mine"), "is not 64 hexadecimal digits");
        check(&format!("0x{}", "0".repeat(64)), "is no key");
        check(&format!("0x{}", "f".repeat(64)), "is no key");
    }

    #[test]
    fn the_other_signature_is_refused() {
        let digest = keccak256(&[b"message"]);
        let signature = cow().sign(digest);
        let scalars = Scalars::from_slice(&signature.0[..64]).unwrap();
        let (r, s) = scalars.split_scalars();
        let other = Scalars::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&other.to_bytes());
        bytes[64] = 27 + 28 - signature.v();
        assert_eq!(Signature(bytes).signer(digest), None);
        assert_eq!(signature.signer(digest), Some(cow().address()));
    }

    proptest! {
        #[test]
        fn the_signer_is_found(message: [u8; 32], other: [u8; 32]) {
            let signature = cow().sign(Hash(message));
            prop_assert_eq!(signature.signer(Hash(message)), Some(cow().address()));
            prop_assume!(message != other);
            prop_assert_ne!(signature.signer(Hash(other)), Some(cow().address()));
        }

        #[test]
        fn no_signature_panics(first: [u8; 32], second: [u8; 32], v: u8) {
            let bytes = [first.as_slice(), &second, &[v]].concat();
            let _ = Signature(bytes.try_into().unwrap()).signer(Hash(first));
        }
    }
}
