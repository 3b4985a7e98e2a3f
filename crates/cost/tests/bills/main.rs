//! Bills of whole stacks.

#![expect(
    clippy::disallowed_methods,
    reason = "stacks and golden files are read from the disk; the crate itself takes text and returns it"
)]

mod answers;
mod laws;
mod profiles;
mod resources;
mod support;
mod variations;
