//! An agent's entry in the registry of identities: <https://eips.ethereum.org/EIPS/eip-8004>.
//!
//! Registering costs gas and takes blocks, so it is done in a job of its own, again and again until it has succeeded; an agent answers whether it is
//! registered or not. What became of it stands in the deep health check, and the proof that the agent's address and its entry belong together at
//! `/.well-known/agent-registration.json`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

use crate::agents::Agent;
use crate::chain::primitives::keccak256;
use crate::chain::{AgentId, Chain, ChainError, Registries};
use crate::error::chain as words;
use crate::health::Dependency;
use crate::logging::{Level, Log};
use crate::store::{Claim, Store};

/// The kind of claim under which one task of several registers.
const REGISTRATIONS: &str = "registrations";

/// Of several tasks one tries to register in so many seconds. Who tried and failed leaves the next span to whoever is first.
const SPAN: Duration = Duration::from_mins(5);

/// How often a task that is not registered looks again.
const LOOK: Duration = Duration::from_secs(20);

/// Who wants to be registered.
#[derive(Clone, Debug)]
pub(super) struct Applicant {
    pub(super) agent: &'static Agent,
    pub(super) chain: Arc<Chain>,
    pub(super) registries: Registries,
    pub(super) public_url: Option<Url>,
    pub(super) store: Store,
    pub(super) log: Log,
}

/// What is known of an agent's entry. Clones know the same.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    /// Where the entry is or would be, as the ERC names it.
    registry: String,
    file: Arc<Value>,
    standing: Arc<Mutex<Standing>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Applying,
    Registered(AgentId),
    Failed(String),
}

impl Registration {
    /// Begins to apply.
    pub(super) fn begin(applicant: Applicant) -> Registration {
        let (chain, registries) = (&applicant.chain, applicant.registries);
        let registration = Registration {
            registry: format!("eip155:{}:{}", chain.id(), registries.identity),
            file: Arc::new(registration_file(applicant.agent, applicant.public_url.as_ref())),
            standing: Arc::new(Mutex::new(Standing::Applying)),
        };
        tokio::spawn(registration.clone().apply(applicant));
        registration
    }

    /// As a line of the deep health check.
    pub(super) fn dependency(&self) -> Dependency {
        let registration = self.clone();
        let facts = json!({ "registry": self.registry });
        Dependency::new("registration", facts, move |_| {
            let standing = registration.standing();
            async move {
                match standing {
                    Standing::Applying => Err("the agent is not registered yet".to_owned()),
                    Standing::Registered(AgentId(id)) => Ok(json!({ "agent_id": id.to_string() })),
                    Standing::Failed(reason) => Err(format!("the agent could not be registered: {reason}")),
                }
            }
        })
    }

    /// The proof that who answers here is who is registered.
    pub(crate) fn routes(self) -> axum::Router {
        axum::Router::new()
            .route("/.well-known/agent-registration.json", get(proof))
            .with_state(self)
    }

    async fn apply(self, applicant: Applicant) {
        loop {
            let said_before = self.standing();
            let standing = match applicant.try_once(&self.file).await {
                Ok(Some(id)) => Standing::Registered(id),
                // Another task is at it, or has just failed.
                Ok(None) => said_before.clone(),
                Err(error) => Standing::Failed(words(&error)),
            };
            if standing != said_before {
                applicant.tell(&self.registry, &standing);
            }
            *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing.clone();
            if let Standing::Registered(_) = standing {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Applicant {
    /// The number under which the account is registered, with this file; none while another task is at it.
    async fn try_once(&self, file: &Value) -> Result<Option<AgentId>, ChainError> {
        let Applicant { chain, registries, .. } = self;
        let uri = format!("data:application/json;base64,{}", STANDARD.encode(file.to_string()));
        let known = registries.agent_of(chain, chain.account()).await?;
        if let Some(id) = known
            && registries.uri_of(chain, id).await? == uri
        {
            return Ok(Some(id));
        }
        if !self.may_try(&uri, Timestamp::now()).await {
            return Ok(None);
        }
        match known {
            None => registries.register(chain, &uri).await.map(Some),
            // It has moved, or says something else of itself.
            Some(id) => registries.set_uri(chain, id, &uri).await.map(|_| Some(id)),
        }
    }

    /// Whether no other task tries the same in the same span.
    async fn may_try(&self, uri: &str, now: Timestamp) -> bool {
        let span = now.as_second() / SPAN.as_secs().cast_signed();
        let (chain, registry, account) = (self.chain.id(), self.registries.identity, self.chain.account());
        let name = format!("{chain}/{registry}/{account}/{}/{span}", keccak256(&[uri.as_bytes()]));
        matches!(self.store.claim(REGISTRATIONS, &name).await, Ok(Claim::Ours))
    }

    fn tell(&self, registry: &str, standing: &Standing) {
        match standing {
            Standing::Applying => {}
            Standing::Registered(AgentId(id)) => {
                let fields = json!({ "agent_id": id.to_string(), "registry": registry });
                self.log.write(Level::Info, "registered", fields);
            }
            Standing::Failed(reason) => {
                let fields = json!({ "reason": reason, "registry": registry, "retry_seconds": LOOK.as_secs() });
                self.log.write(Level::Error, "not registered", fields);
            }
        }
    }
}

async fn proof(State(registration): State<Registration>) -> Response {
    let Standing::Registered(AgentId(id)) = registration.standing() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut file = (*registration.file).clone();
    file["registrations"] = json!([{ "agentId": number(id), "agentRegistry": registration.registry }]);
    Json(file).into_response()
}

/// A number, where JSON's readers agree on it.
fn number(id: u128) -> Value {
    u64::try_from(id).map_or_else(|_| json!(id.to_string()), Value::from)
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
