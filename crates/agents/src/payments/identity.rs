//! An agent's entry in the registry of identities: <https://eips.ethereum.org/EIPS/eip-8004>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde_json::{Value, json};

use super::Payments;
use crate::agents::Agent;
use crate::chain::{AgentId, Chain, ChainError, Registries};
use crate::error::chain as words;
use crate::logging::{Level, Log};
use crate::store::{Claim, Store};

/// The kind of claim under which one task of several registers.
const REGISTRATIONS: &str = "registrations";

impl Payments {
    /// Registers the agent in a job of its own, if nobody has: an agent answers whether it is registered or not.
    pub(crate) fn register(&self, agent: &'static Agent, public_url: Option<Url>, store: Store, log: Log) {
        let (Some(registries), chain) = (self.registries, self.chain.clone()) else {
            return;
        };
        tokio::spawn(async move {
            match register_once(&chain, registries, agent, public_url.as_ref(), &store).await {
                Ok(id) => log.write(
                    Level::Info,
                    "registered",
                    json!({ "agent_id": id.map(|id| id.0.to_string()) }),
                ),
                Err(error) => log.write(Level::Warn, "not registered", json!({ "reason": words(&error) })),
            }
        });
    }
}

/// The number, unless another task is at it.
async fn register_once(
    chain: &Chain,
    registries: Registries,
    agent: &Agent,
    public_url: Option<&Url>,
    store: &Store,
) -> Result<Option<AgentId>, ChainError> {
    if let Some(id) = registries.agent_of(chain, chain.account()).await? {
        return Ok(Some(id));
    }
    let name = format!("{}/{}/{}", chain.id(), registries.identity, chain.account());
    if !matches!(store.claim(REGISTRATIONS, &name).await, Ok(Claim::Ours)) {
        return Ok(None);
    }
    let file = registration_file(agent, public_url).to_string();
    let uri = format!("data:application/json;base64,{}", STANDARD.encode(file));
    registries.register(chain, &uri).await.map(Some)
}

/// It is kept on the chain whole, so that it is there wherever the agent is.
fn registration_file(agent: &Agent, public_url: Option<&Url>) -> Value {
    let card = |url: &Url| format!("{}/.well-known/agent-card.json", url.as_str().trim_end_matches('/'));
    let services: Vec<Value> = public_url
        .map(|url| json!({ "name": "A2A", "endpoint": card(url), "version": "1.0" }))
        .into_iter()
        .collect();
    json!({
        "type": "https://eips.ethereum.org/EIPS/eip-8004#registration-v1",
        "name": agent.name,
        "description": agent.description,
        "services": services,
        "x402Support": true,
        "active": true,
        "supportedTrust": ["reputation"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::find_agent;

    #[test]
    fn the_file_names_the_card() {
        let agent = find_agent("validator").unwrap();
        let url = "https://agents.example/validator/".parse().unwrap();
        let file = registration_file(agent, Some(&url));
        let endpoint = "https://agents.example/validator/.well-known/agent-card.json";
        assert_eq!(file["services"][0]["endpoint"], endpoint);
        assert_eq!(registration_file(agent, None)["services"], json!([]));
    }
}
