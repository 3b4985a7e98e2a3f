//! The agent's card, as A2A 1.0 shapes it, and `/`, which says the same in short.
//!
//! The card is at `/.well-known/agent-card.json` and, for older callers, at `/.well-known/agent-card`.
//! See <https://a2a-protocol.org/latest/specification/>, "Agent Discovery: The Agent Card".

use std::sync::Arc;

use ::a2a::{TRANSPORT_PROTOCOL_JSONRPC, VERSION};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::agents::{Agent, Skill};

/// The second interface of our cards: JSON over plain HTTP, as each skill describes it. The name is our own: it is none of A2A's bindings, and
/// who does not know it must not try it.
const PLAIN_HTTP: &str = "urn:karmacadabra:binding:plain-http";

/// Payments over A2A, the extension. What is sold and how it is paid stands in its params.
const X402: &str = "https://github.com/google-agentic-commerce/a2a-x402/blob/main/spec/v0.2";

/// The routes. `terms` are those of whoever sells.
pub(crate) fn routes(agent: &'static Agent, public_url: Option<Url>, terms: Option<Value>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/.well-known/agent-card.json", get(card))
        .route("/.well-known/agent-card", get(card))
        .with_state(Arc::new(Card {
            agent,
            public_url,
            terms,
        }))
}

struct Card {
    agent: &'static Agent,
    public_url: Option<Url>,
    terms: Option<Value>,
}

impl Card {
    /// The card for a caller who sent these headers.
    fn json(&self, headers: &HeaderMap) -> Value {
        let url = self.url(headers);
        let interface = |binding| json!({ "url": url, "protocolBinding": binding, "protocolVersion": VERSION });
        json!({
            "name": self.agent.name,
            "description": self.agent.description,
            "version": env!("CARGO_PKG_VERSION"),
            "supportedInterfaces": [interface(TRANSPORT_PROTOCOL_JSONRPC), interface(PLAIN_HTTP)],
            "capabilities": self.capabilities(),
            "defaultInputModes": ["application/json"],
            "defaultOutputModes": ["application/json"],
            "skills": self.agent.skills.iter().map(Skill::json).collect::<Vec<_>>(),
        })
    }

    fn capabilities(&self) -> Value {
        let mut capabilities = json!({ "streaming": true, "pushNotifications": true, "extendedAgentCard": false });
        if let Some(terms) = &self.terms {
            let description = "Skills with a price are paid with a token that moves on its holder's signature.";
            capabilities["extensions"] = json!([
                { "uri": X402, "description": description, "required": false, "params": terms }
            ]);
        }
        capabilities
    }

    /// The agent's address: as set, or as the caller and the load balancer before us name it.
    fn url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.to_string();
        }
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = header("x-forwarded-proto")
            .filter(|&scheme| scheme == "https")
            .unwrap_or("http");
        let host = header(HOST.as_str()).unwrap_or("localhost");
        let url = format!("{scheme}://{host}/{}", self.agent.name);
        // A host that makes no URL is a caller's mischief; a card that is no JSON text of theirs is still a card.
        Url::parse(&url).map_or_else(|_| format!("{scheme}://localhost/{}", self.agent.name), Into::into)
    }
}

async fn index(State(card): State<Arc<Card>>) -> Json<Value> {
    Json(json!({
        "agent": card.agent.name,
        "description": card.agent.description,
        "version": env!("CARGO_PKG_VERSION"),
        "skills": card.agent.skills.iter().map(Skill::json).collect::<Vec<_>>(),
        "card": "/.well-known/agent-card.json",
        "health": crate::health::PATH,
    }))
}

async fn card(State(card): State<Arc<Card>>, headers: HeaderMap) -> Response {
    let body = card.json(&headers).to_string();
    let tag = format!("\"{}\"", hex(&Sha256::digest(&body)[..8]));
    let fresh = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let standing = [(CACHE_CONTROL, "max-age=300".to_owned()), (ETAG, tag)];
    if fresh {
        return (StatusCode::NOT_MODIFIED, standing).into_response();
    }
    (standing, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}
