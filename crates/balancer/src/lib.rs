//! An HTTP load balancer after AWS's Application Load Balancer: listeners, rules, target groups, health checks,
//! draining.
//!
//! ```text
//!  client ──▶ Listener ──▶ Rules ──▶ Action::Forward ──▶ TargetGroup ──▶ target
//!             a socket,    the first   or a redirect,      health checks,   connections are kept
//!             with TLS     that fits   or a fixed          Algorithm,       for the next request
//!             or without               response            stickiness
//! ```
//!
//! Clients speak HTTP/1.1, and HTTP/2 where they come with TLS; targets speak HTTP/1.1, HTTP/2 or gRPC, as their group
//! says; WebSocket passes. Bodies stream both ways, no faster than the slower side takes them. Everything a request over
//! HTTP/1.1 needs runs in the one task of its client's connection, the connection to the target included, so that
//! nothing is handed between threads, and a client that goes away takes its request with it.
//!
//! What goes through is counted ([`Listener::statistics`], [`TargetGroup::statistics`]) and, if asked for, written down
//! ([`AccessLog`]). Rules are replaced while requests go on ([`Listener::set_rules`]).
//!
//! The same parts make a proxy of a service mesh: it may try another target ([`Attributes::retries`]), give up a request
//! ([`Attributes::request_timeout`]) and leave failing targets alone ([`OutlierEjection`]).
//!
//! What it does not do: it knows nothing of ECS or Terraform. It authenticates nobody, calls no functions, asks no
//! firewall, and speaks no TLS to targets. Anomaly mitigation is not modelled: targets that answer with errors keep their
//! share.
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
//! let socket = karma_balancer::bind(([127, 0, 0, 1], 0).into())?;
//! let rules = Rules { rules: Vec::new(), default_action: Action::forward_to(group) };
//! let listener = Listener::start(socket, rules, Attributes::default());
//! listener.stop(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

// Where requests come in.
mod client;
mod connection;
mod desync;
mod listener;
mod tls;

// Where they go.
mod rule;

// How they get there, and back.
mod answer;
mod attempt;
mod error;
mod exchange;
mod forward;
mod header_modes;
mod headers;
mod http1;
mod protocol;
mod request_body;
mod trace_id;
mod upgrade;

// Who answers them.
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

// Who comes back to whom.
mod stickiness;

// What is counted and written down on the way.
mod access_log;
mod account;
mod histogram;
mod statistics;

// Small tools.
mod idle_timer;
mod random;
mod stash;

pub use access_log::AccessLog;
pub use desync::{DesyncClass, DesyncMitigationMode, DesyncReason};
pub use header_modes::{ForwardedFor, HostHeader};
pub use health::{HealthCheck, HealthState, InvalidMatcher, Matcher, TargetHealth};
pub use histogram::Histogram;
pub use http::{HeaderName, Method, StatusCode};
pub use ipnet::IpNet;
pub use listener::{Attributes, Listener, bind};
pub use outlier::OutlierEjection;
pub use protocol::ProtocolVersion;
pub use rule::condition::{Condition, QueryPattern};
pub use rule::pattern::{InvalidRegex, Pattern};
pub use rule::redirect::{Entrance, Permanence, Redirect, Template};
pub use rule::transform::{Rewrite, Transforms};
pub use rule::view::RequestView;
pub use rule::{Action, ContentType, Forward, Rule, Rules, UnknownContentType};
pub use selection::Algorithm;
pub use statistics::{ListenerMeter, ListenerStatistics, TargetGroupStatistics};
pub use stickiness::Stickiness;
pub use target_group::settings::{MinimumHealthy, TargetGroupSettings};
pub use target_group::{TargetDescription, TargetGroup};
pub use tls::{InvalidIdentity, TlsIdentity};
