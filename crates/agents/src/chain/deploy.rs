//! A chain of one's own, made ready: the token, the registries, and something in every purse.

use super::abi::call;
use super::client::{Chain, ChainError};
use super::contracts::{GLUE_TOKEN, IDENTITY_REGISTRY, REPUTATION_REGISTRY, VALIDATION_REGISTRY};
use super::primitives::{Address, Amount};
use super::registries::Registries;
use super::token::Token;

const NAME: &str = "GLUE Token";
const SYMBOL: &str = "GLUE";
const VERSION: &str = "1";

/// Twenty-four million, with six decimals.
const SUPPLY: Amount = Amount(24_000_000_000_000);

/// What each purse gets: a thousand.
const PURSE: Amount = Amount(1_000_000_000);

/// What was made.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(crate) token: Token,
    pub(crate) registries: Registries,
}

/// Makes all contracts from the chain's account, and gives each holder a purse.
pub(crate) async fn deploy(chain: &Chain, holders: &[Address]) -> Result<Deployed, ChainError> {
    let arguments = [
        NAME.into(),
        SYMBOL.into(),
        VERSION.into(),
        chain.account().into(),
        SUPPLY.into(),
    ];
    let token = chain.deploy(GLUE_TOKEN.creation(&arguments)).await?;
    let token = Token::read(chain, token).await?;
    let registries = deploy_registries(chain).await?;
    for &holder in holders {
        token.transfer(chain, holder, PURSE).await?;
    }
    Ok(Deployed { token, registries })
}

async fn deploy_registries(chain: &Chain) -> Result<Registries, ChainError> {
    let registries = Registries {
        identity: chain.deploy(IDENTITY_REGISTRY.creation(&[])).await?,
        reputation: chain.deploy(REPUTATION_REGISTRY.creation(&[])).await?,
        validation: chain.deploy(VALIDATION_REGISTRY.creation(&[])).await?,
    };
    for registry in [registries.reputation, registries.validation] {
        let data = call("initialize(address)", &[registries.identity.into()]);
        chain.send(registry, data).await?;
    }
    Ok(registries)
}
