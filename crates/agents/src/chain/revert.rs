//! Why a contract refused, in words: the errors of our contracts, and Solidity's own.
//!
//! <https://docs.soliditylang.org/en/latest/control-structures.html#revert>

use super::abi::{Answer, selector};
use super::primitives::to_hex;

/// The errors of the contracts below `contracts/`, by their signatures.
const ERRORS: &[&str] = &[
    "InsufficientBalance(uint256,uint256)",
    "InsufficientAllowance(uint256,uint256)",
    "InvalidReceiver()",
    "AuthorizationNotYetValid()",
    "AuthorizationExpired()",
    "AuthorizationAlreadyUsed()",
    "CallerIsNotPayee()",
    "InvalidSignature()",
    "NoSuchAgent(uint256)",
    "NotAuthorized(address)",
    "WrongOwner()",
    "ReservedKey()",
    "Expired()",
    "AlreadyInitialized()",
    "NotInitialized()",
    "NotDeployer()",
    "OwnAgent()",
    "TooManyDecimals()",
    "NoSuchFeedback()",
    "AlreadyRevoked()",
    "NoClients()",
    "InvalidValidator()",
    "AlreadyRequested(bytes32)",
    "NoSuchRequest(bytes32)",
    "ResponseOutOfRange(uint8)",
];

/// The reason in words, as far as it can be known.
pub(crate) fn reason(data: &[u8]) -> String {
    let Some((&kind, rest)) = data.split_first_chunk::<4>() else {
        return "without a reason".to_owned();
    };
    if kind == selector("Error(string)") {
        return Answer(rest.to_vec())
            .text(0)
            .unwrap_or_else(|| "in no readable words".to_owned());
    }
    if kind == selector("Panic(uint256)") {
        let code = Answer(rest.to_vec()).number(0).unwrap_or_default();
        return format!("panic {code:#04x}");
    }
    let known = ERRORS.iter().find(|error| selector(error) == kind);
    let name = known.and_then(|error| error.split('(').next());
    name.map_or_else(|| format!("error {}", to_hex(&kind)), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::abi::call;
    use crate::chain::contracts::COMPILED;

    #[test]
    fn reasons() {
        let check = |data: &[u8], expected: &str| assert_eq!(reason(data), expected);
        check(&[], "without a reason");
        check(&call("Error(string)", &["not today".into()]), "not today");
        check(&call("Panic(uint256)", &[17_u64.into()]), "panic 0x11");
        check(&call("AuthorizationAlreadyUsed()", &[]), "AuthorizationAlreadyUsed");
        check(&[1, 2, 3, 4], "error 0x01020304");
    }

    #[test]
    fn every_error_of_our_contracts_has_its_name() {
        for compiled in COMPILED {
            for error in compiled.signatures("error") {
                assert!(ERRORS.contains(&error.as_str()), "{error} is missing");
            }
        }
    }
}
