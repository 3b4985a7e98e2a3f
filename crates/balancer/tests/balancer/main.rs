//! The balancer between real sockets: a client that writes HTTP by hand, and targets that behave or do not.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod access_logs;
mod bodies;
mod clients;
mod crowd;
mod draining;
mod failures;
mod forwarding;
mod health;
mod https;
mod policies;
mod references;
mod rules;
mod statistics;
mod stickiness;
mod stopping;
mod support;
mod upgrades;
mod wire;
