//! An HTTP load balancer after AWS's Application Load Balancer: listeners, rules, target groups, health checks,
//! draining.
//!
//! ```text
//!  client ──▶ Listener ──▶ Rules ──▶ Action::Forward ──▶ TargetGroup ──▶ target
//!             a socket     the first   or a fixed         health checks,   connections are kept
//!                          that fits   response           Algorithm        for the next request
//! ```
//!
//! It speaks HTTP/1.1 on both sides. Bodies stream both ways, no faster than the slower side takes them. Everything
//! a request needs runs in the one task of its client's connection, the connection to the target included, so that
//! nothing is handed between threads, and a client that goes away takes its request with it.
//!
//! What it does not do: it knows nothing of ECS or Terraform, does not speak HTTPS, HTTP/2 or WebSocket, and does not
//! rewrite paths. What cannot be read as HTTP at all gets a bare 400 (414 or 431 if it is too long) without AWS's page and
//! `Server` header; more than 100 headers are a 431, where AWS names no limit.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use karma_balancer::{Action, Algorithm, Attributes, Listener, Rules, TargetGroup, TargetGroupSettings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let group = TargetGroup::new(TargetGroupSettings {
//!     algorithm: Algorithm::LeastOutstandingRequests,
//!     ..TargetGroupSettings::named("web")
//! });
//! group.register(([127, 0, 0, 1], 8000).into());
//!
//! let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let rules = Rules { rules: Vec::new(), default_action: Action::forward_to(group) };
//! let listener = Listener::start(socket, rules, Attributes::default());
//! listener.stop(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

// Where requests come in.
mod client_stream;
mod client_wire;
mod connection;
mod conversation;
mod desync;
mod http2;
mod listener;
mod reply;
mod tls;

// Where they go.
mod condition;
mod pattern;
mod redirect;
mod request_view;
mod rule;
mod transform;

// How they get there, and back.
mod answer;
mod attempt;
mod error;
mod exchange;
mod forward;
mod headers;
mod http1;
mod protocol;
mod request_body;
mod trace_id;
mod upgrade;

// Who answers them.
mod candidates;
mod drain;
mod health;
mod link;
mod outlier;
mod pool;
mod probe;
mod selection;
mod slow_start;
mod target;
mod target_group;
mod target_group_settings;

// Who comes back to whom.
mod cookie;
mod stickiness;
mod target_stream;
mod target_wire;
mod ticket;

// What is counted and written down on the way.
mod access_log;
mod access_log_entry;
mod account;
mod histogram;
mod statistics;

// Small tools.
mod idle_timer;
mod random;
mod stash;

pub use access_log::AccessLog;
pub use condition::{Condition, QueryPattern};
pub use desync::{DesyncClass, DesyncMitigationMode, DesyncReason};
pub use health::{HealthCheck, HealthState, InvalidMatcher, Matcher, TargetHealth};
pub use histogram::Histogram;
pub use http::{HeaderName, Method, StatusCode};
pub use ipnet::IpNet;
pub use listener::{Attributes, Listener};
pub use outlier::OutlierEjection;
pub use pattern::{InvalidRegex, Pattern};
pub use protocol::ProtocolVersion;
pub use redirect::{Entrance, Permanence, Redirect, Template};
pub use request_view::RequestView;
pub use rule::{Action, ContentType, Forward, Rule, Rules, UnknownContentType};
pub use selection::Algorithm;
pub use statistics::{ListenerMeter, ListenerStatistics, TargetGroupStatistics};
pub use stickiness::Stickiness;
pub use target_group::{TargetDescription, TargetGroup};
pub use target_group_settings::{MinimumHealthy, TargetGroupSettings};
pub use tls::{InvalidIdentity, TlsIdentity};
pub use transform::{Rewrite, Transforms};
