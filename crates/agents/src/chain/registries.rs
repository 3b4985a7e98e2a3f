//! Who agents are, what is said of them, and what was validated: <https://eips.ethereum.org/EIPS/eip-8004>.

use super::abi::call;
use super::client::{Chain, ChainError, Event, Receipt};
use super::primitives::{Address, Hash, keccak256};

const REGISTER: &str = "register(string)";
const SET_URI: &str = "setAgentURI(uint256,string)";
const URI: &str = "tokenURI(uint256)";
const REGISTERED: &str = "Registered(uint256,string,address)";
const GIVE_FEEDBACK: &str = "giveFeedback(uint256,int128,uint8,string,string,string,string,bytes32)";
const VALIDATION_REQUEST: &str = "validationRequest(address,uint256,string,bytes32)";
const VALIDATION_RESPONSE: &str = "validationResponse(bytes32,uint8,string,bytes32,string)";
const VALIDATION_STATUS: &str = "getValidationStatus(bytes32)";

/// The number of an agent in a registry of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AgentId(pub(crate) u128);

/// Where the three registries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registries {
    pub(crate) identity: Address,
    pub(crate) reputation: Address,
    pub(crate) validation: Address,
}

/// How a client fared with an agent.
#[derive(Clone, Debug)]
pub(crate) struct Feedback<'a> {
    pub(crate) agent: AgentId,
    /// What is measured, in one of the ERC's own words: `successRate`, `starred`.
    pub(crate) measure: &'a str,
    /// From 0 to 100.
    pub(crate) percent: u8,
    /// What was asked of it.
    pub(crate) skill: &'a str,
    /// The hash of what proves the purchase.
    pub(crate) proof: Hash,
}

impl Registries {
    /// Registers the account's agent under the address of its registration file, and says its number.
    pub(crate) async fn register(&self, chain: &Chain, uri: &str) -> Result<AgentId, ChainError> {
        let receipt = chain.send(self.identity, call(REGISTER, &[uri.into()])).await?;
        registered(&receipt, self.identity).ok_or(ChainError::NotThatContract {
            contract: self.identity,
            function: REGISTER,
        })
    }

    /// The address of an agent's registration file.
    pub(crate) async fn uri_of(&self, chain: &Chain, AgentId(agent): AgentId) -> Result<String, ChainError> {
        let answer = chain.read(self.identity, &call(URI, &[agent.into()])).await?;
        answer.text(0).ok_or(ChainError::NotThatContract {
            contract: self.identity,
            function: URI,
        })
    }

    /// Gives the registration file of the account's agent another address.
    pub(crate) async fn set_uri(
        &self,
        chain: &Chain,
        AgentId(agent): AgentId,
        uri: &str,
    ) -> Result<Receipt, ChainError> {
        chain
            .send(self.identity, call(SET_URI, &[agent.into(), uri.into()]))
            .await
    }

    /// The agent that an account has registered; the first, where there are several.
    pub(crate) async fn agent_of(&self, chain: &Chain, owner: Address) -> Result<Option<AgentId>, ChainError> {
        let topics = [Some(keccak256(&[REGISTERED.as_bytes()])), None, Some(owner.into())];
        let events = chain.events(self.identity, &topics).await?;
        Ok(events.first().and_then(agent_in))
    }

    /// Says what the account thinks of an agent that is not its own.
    pub(crate) async fn give_feedback(&self, chain: &Chain, feedback: &Feedback<'_>) -> Result<Receipt, ChainError> {
        let data = call(
            GIVE_FEEDBACK,
            &[
                feedback.agent.0.into(),
                feedback.percent.into(),
                0_u8.into(),
                feedback.measure.into(),
                feedback.skill.into(),
                "".into(),
                "".into(),
                feedback.proof.into(),
            ],
        );
        chain.send(self.reputation, data).await
    }

    /// Asks a validator to look at something of the account's agent. The hash is of what is to be looked at.
    pub(crate) async fn request_validation(
        &self,
        chain: &Chain,
        validator: Address,
        agent: AgentId,
        request: Hash,
    ) -> Result<Receipt, ChainError> {
        let arguments = [validator.into(), agent.0.into(), "".into(), request.into()];
        chain.send(self.validation, call(VALIDATION_REQUEST, &arguments)).await
    }

    /// Answers, as the validator that was asked: from 0 to 100, and the hash of what explains it.
    pub(crate) async fn respond(
        &self,
        chain: &Chain,
        request: Hash,
        response: u8,
        explanation: Hash,
        tag: &str,
    ) -> Result<Receipt, ChainError> {
        let arguments = [
            request.into(),
            response.into(),
            "".into(),
            explanation.into(),
            tag.into(),
        ];
        chain.send(self.validation, call(VALIDATION_RESPONSE, &arguments)).await
    }

    /// Who was asked for a validation. The registry refuses where nobody was.
    pub(crate) async fn validator_of(&self, chain: &Chain, request: Hash) -> Result<Address, ChainError> {
        let data = call(VALIDATION_STATUS, &[request.into()]);
        let answer = chain.read(self.validation, &data).await?;
        answer.address(0).ok_or(ChainError::NotThatContract {
            contract: self.validation,
            function: VALIDATION_STATUS,
        })
    }
}

/// The number that the registry gave, in the event that tells of it.
fn registered(receipt: &Receipt, registry: Address) -> Option<AgentId> {
    let signature = keccak256(&[REGISTERED.as_bytes()]);
    let is_it = |event: &&Event| event.address == registry && event.topics.first() == Some(&signature);
    agent_in(receipt.events.iter().find(is_it)?)
}

fn agent_in(event: &Event) -> Option<AgentId> {
    let Hash(number) = *event.topics.get(1)?;
    super::abi::Answer(number.to_vec()).number(0).map(AgentId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::contracts::{Compiled, IDENTITY_REGISTRY, REPUTATION_REGISTRY, VALIDATION_REGISTRY};

    #[test]
    fn the_contracts_have_what_is_called() {
        let check = |contract: Compiled, kind: &str, signature: &str| {
            let signatures = contract.signatures(kind);
            assert!(signatures.iter().any(|it| it == signature), "{signature}");
        };
        check(IDENTITY_REGISTRY, "function", REGISTER);
        check(IDENTITY_REGISTRY, "function", SET_URI);
        check(IDENTITY_REGISTRY, "function", URI);
        check(IDENTITY_REGISTRY, "event", REGISTERED);
        check(REPUTATION_REGISTRY, "function", GIVE_FEEDBACK);
        check(VALIDATION_REGISTRY, "function", VALIDATION_REQUEST);
        check(VALIDATION_REGISTRY, "function", VALIDATION_RESPONSE);
        check(VALIDATION_REGISTRY, "function", VALIDATION_STATUS);
    }

    #[test]
    fn the_number_is_in_the_registrys_own_event() {
        let registry = Address([8; 20]);
        let event = |address, name: &str, number: u64| Event {
            address,
            topics: vec![keccak256(&[name.as_bytes()]), number.into()],
        };
        let receipt = Receipt {
            transaction: Hash([0; 32]),
            contract: None,
            events: vec![
                event(registry, "Transfer(address,address,uint256)", 1),
                event(Address([9; 20]), REGISTERED, 2),
                event(registry, REGISTERED, 3),
            ],
        };
        assert_eq!(registered(&receipt, registry), Some(AgentId(3)));
    }
}
