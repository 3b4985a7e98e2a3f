//! The chain: what is needed of it and no more, over one JSON-RPC address.
//!
//! ```text
//!  primitives ◀─ abi ◀─ typed_data ◀─ token        what is asked of contracts
//!      ▲          ▲                 ◀─ registries
//!     key ◀─ transaction ◀─ client ─▶ rpc           how it gets there
//! ```

pub(crate) mod abi;
pub(crate) mod client;
pub(crate) mod contracts;
pub(crate) mod deploy;
pub(crate) mod key;
pub(crate) mod primitives;
pub(crate) mod registries;
mod revert;
pub(crate) mod rpc;
pub(crate) mod token;
mod transaction;
pub(crate) mod typed_data;

pub(crate) use client::{Chain, ChainError};
pub use key::PrivateKey;
pub(crate) use key::Signature;
pub(crate) use primitives::{Address, Amount, Hash};
pub(crate) use registries::{AgentId, Registries};
pub(crate) use token::{Authorization, Token};
