//! What the end-to-end tests share: they use the real Terraform, the real `karma` and real programs, and only what a user could use.

pub mod agreement;
pub mod evaluation;
pub mod karma;
pub mod skip;
pub mod terraform;

pub use skip::skip;
