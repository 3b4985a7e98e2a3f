//! The agents as their callers see them: real sockets, real data, and for stopping the real program.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod abracadabra;
mod extractors;
mod golden;
mod hardened;
mod harness;
mod karma_hello;
mod llm;
#[expect(dead_code, reason = "the client's own tests use the rest of it")]
mod model_server;
mod privacy;
mod program;
mod sigv4;
mod skeleton;
mod ten_faults;
mod validator;
mod xray;
