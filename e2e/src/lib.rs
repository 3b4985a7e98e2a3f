//! What the end-to-end tests share: they use the real Terraform, the real `karma` and real programs, and only what a user could use.

pub mod account;
pub mod agent;
pub mod agreement;
pub mod chain;
pub mod dashboard;
pub mod evaluation;
pub mod exec_agent;
pub mod iam;
pub mod karma;
pub mod metrics;
pub mod moto;
pub mod npm;
pub mod python;
pub mod readable;
pub mod registry;
pub mod skip;
pub mod terraform;
pub mod way;

pub use skip::skip;
