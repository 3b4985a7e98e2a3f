//! The agents as their callers see them: real sockets, real data, and for stopping the real program.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod abracadabra;
mod extractors;
mod harness;
mod karma_hello;
mod program;
mod skeleton;
mod validator;
