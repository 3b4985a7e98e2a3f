//! A token that moves on its holder's signature: <https://eips.ethereum.org/EIPS/eip-3009>.

use serde::{Deserialize, Serialize};

use super::abi::call;
use super::client::{Chain, ChainError, Receipt};
use super::key::{PrivateKey, Signature};
use super::primitives::{Address, Amount, Hash};
use super::typed_data::{Domain, struct_hash};

const TRANSFER_TYPE: &str = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 \
                             validBefore,bytes32 nonce)";

const TRANSFER: &str =
    "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)";

/// A token as its contract tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where its signatures count: its name, its version, its chain and its address.
    pub(crate) domain: Domain,
    /// What people call it.
    pub(crate) symbol: String,
    /// How many digits of an amount stand behind the point.
    pub(crate) decimals: u8,
}

/// Leave to move tokens, in a span of time and once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Authorization {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) value: Amount,
    /// In seconds since 1970, as all times of a chain. It counts after, not at.
    #[serde(with = "decimal")]
    pub(crate) valid_after: u64,
    /// It counts before, not at.
    #[serde(with = "decimal")]
    pub(crate) valid_before: u64,
    pub(crate) nonce: Hash,
}

impl Authorization {
    /// What is signed.
    pub(crate) fn digest(&self, domain: &Domain) -> Hash {
        domain.digest(struct_hash(
            TRANSFER_TYPE,
            &[
                self.from.into(),
                self.to.into(),
                self.value.into(),
                self.valid_after.into(),
                self.valid_before.into(),
                self.nonce,
            ],
        ))
    }

    /// Signs it.
    pub(crate) fn sign(&self, domain: &Domain, key: &PrivateKey) -> Signature {
        key.sign(self.digest(domain))
    }
}

impl Token {
    /// Asks the contract for its names, and refuses one that signs in another domain than these give.
    pub(crate) async fn read(chain: &Chain, address: Address) -> Result<Token, ChainError> {
        let token = Token {
            domain: Domain {
                name: text(chain, address, "name()").await?,
                version: text(chain, address, "version()").await?,
                chain_id: chain.id(),
                verifying_contract: address,
            },
            symbol: text(chain, address, "symbol()").await?,
            decimals: decimals(chain, address).await?,
        };
        let answer = chain.read(address, &call("DOMAIN_SEPARATOR()", &[])).await?;
        let separator = answer.word(0).ok_or(not_that_contract(address, "DOMAIN_SEPARATOR()"))?;
        if separator != token.domain.separator() {
            return Err(ChainError::OtherDomain(address));
        }
        Ok(token)
    }

    /// The contract.
    pub(crate) fn address(&self) -> Address {
        self.domain.verifying_contract
    }

    /// What an account holds.
    pub(crate) async fn balance(&self, chain: &Chain, account: Address) -> Result<Amount, ChainError> {
        let answer = chain
            .read(self.address(), &call("balanceOf(address)", &[account.into()]))
            .await?;
        let word = answer
            .word(0)
            .ok_or(not_that_contract(self.address(), "balanceOf(address)"))?;
        // More than we reckon with is enough for anything we reckon with.
        Ok(Amount(
            super::abi::Answer(word.0.to_vec()).number(0).unwrap_or(u128::MAX),
        ))
    }

    /// Whether a nonce is used or cancelled.
    pub(crate) async fn is_used(&self, chain: &Chain, from: Address, nonce: Hash) -> Result<bool, ChainError> {
        let function = "authorizationState(address,bytes32)";
        let data = call(function, &[from.into(), nonce.into()]);
        let answer = chain.read(self.address(), &data).await?;
        answer.flag(0).ok_or(not_that_contract(self.address(), function))
    }

    /// Hands in what a payer signed, and pays the gas.
    pub(crate) async fn transfer_with_authorization(
        &self,
        chain: &Chain,
        authorization: &Authorization,
        signature: &Signature,
    ) -> Result<Receipt, ChainError> {
        let data = call(
            TRANSFER,
            &[
                authorization.from.into(),
                authorization.to.into(),
                authorization.value.into(),
                authorization.valid_after.into(),
                authorization.valid_before.into(),
                authorization.nonce.into(),
                signature.v().into(),
                signature.r().into(),
                signature.s().into(),
            ],
        );
        chain.send(self.address(), data).await
    }

    /// Gives tokens of the sender's own.
    pub(crate) async fn transfer(&self, chain: &Chain, to: Address, value: Amount) -> Result<Receipt, ChainError> {
        let data = call("transfer(address,uint256)", &[to.into(), value.into()]);
        chain.send(self.address(), data).await
    }
}

async fn text(chain: &Chain, contract: Address, function: &'static str) -> Result<String, ChainError> {
    let answer = chain.read(contract, &call(function, &[])).await?;
    answer.text(0).ok_or(not_that_contract(contract, function))
}

async fn decimals(chain: &Chain, contract: Address) -> Result<u8, ChainError> {
    let answer = chain.read(contract, &call("decimals()", &[])).await?;
    let decimals = answer.number(0).and_then(|number| u8::try_from(number).ok());
    decimals.ok_or(not_that_contract(contract, "decimals()"))
}

fn not_that_contract(contract: Address, function: &'static str) -> ChainError {
    ChainError::NotThatContract { contract, function }
}

/// Seconds as text, as payments are written.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::chain::primitives::Amount;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(seconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(seconds)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let Amount(seconds) = Amount::deserialize(deserializer)?;
        // What is later than all that we reckon with is never.
        u64::try_from(seconds).map_err(|_| D::Error::custom("is later than any time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::primitives::keccak256;

    /// The type's hash as the EIP gives it.
    #[test]
    fn the_type_is_the_eips() {
        let expected = "0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267";
        assert_eq!(keccak256(&[TRANSFER_TYPE.as_bytes()]).to_string(), expected);
    }

    #[test]
    fn the_contract_has_what_is_called() {
        let functions = crate::chain::contracts::GLUE_TOKEN.signatures("function");
        for called in [
            TRANSFER,
            "name()",
            "version()",
            "symbol()",
            "decimals()",
            "DOMAIN_SEPARATOR()",
            "balanceOf(address)",
            "authorizationState(address,bytes32)",
            "transfer(address,uint256)",
            "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)",
            "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
        ] {
            assert!(functions.iter().any(|function| function == called), "{called}");
        }
    }
}
