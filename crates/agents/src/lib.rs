//! The five agents of Karmacadabra: one program, one skeleton, five small services.
//!
//! An agent is an entry of [`AGENTS`]: a name, the skills its card tells of, and a function that starts them.
//! Everything else (settings, logs, health, the card, limits, shutting down) is written once, here.
//!
//! ```text
//!  environment ─Settings::read─▶ Settings ─Server::bind─▶ Server ─run─▶ requests … SIGTERM … quiet ─▶ exit 0
//!                                            │
//!                                  Agent::start (karma-hello, abracadabra, ...)
//! ```
//!
//! An agent knows nothing of the fleet it sails in: it is told an address and a port, serves plain HTTP/1.1 with JSON,
//! and stops when it is asked to. What it answers is computed from the data it has; what it cannot compute it does not
//! answer.
//!
//! ```
//! let agent = karma_agents::find_agent("karma-hello").unwrap();
//! assert!(agent.skills.iter().any(|skill| skill.id == "get_chat_logs"));
//! ```

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of messages and words, far below 2^52, become ratios"
)]
#![expect(clippy::struct_field_names, reason = "fields are named as the JSON that they become")]

// What a process needs, in the order in which it is needed.
mod command;
mod logging;
mod patience;
mod server;
mod settings;
mod shutdown;
pub mod store;

// What every agent answers.
mod a2a;
mod card;
mod health;

// What every handler uses.
mod client;
mod compute;
mod error;
mod ingest;
mod input;
mod limits;
mod metrics;
mod rate;
mod telemetry;
mod trace;

// The chain, what a command makes of one, and a visitor with a purse.
mod ask;
mod attestation;
mod chain;
mod demo;
mod prepare_chain;
mod request_validation;

// What more than one agent knows.
mod chat;
mod data;
mod karma_hello_client;
mod llm;
mod payments;
mod profile;
mod text;

mod agents;

#[cfg(test)]
mod fuzz;

pub use a2a::Reach;
pub use agents::{AGENTS, Agent, IrcSettings, Route, Service, Skill, Start, find_agent};
pub use ask::{AskError, ask, ask_the_price};
pub use chain::PrivateKey;
pub use command::{Command, UsageError, help};
pub use data::DataError;
pub use demo::{DemoError, Event, demo};
pub use health::{Dependency, HealthError, check_health};
pub use ingest::IngestToken;
pub use llm::LlmSettings;
pub use logging::{Level, Log};
pub use metrics::Metrics;
pub use payments::{PaymentSettings, PaymentsError, Price, PriceError};
pub use prepare_chain::{PrepareError, prepare_chain};
pub use rate::{Caller, RateLimit, Rates};
pub use request_validation::{RequestError, request_validation};
pub use server::{Server, StartError};
pub use settings::{SettingError, Settings};
pub use shutdown::{Stop, stop_signals};
