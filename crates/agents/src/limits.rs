//! How much an agent takes and gives at once: bounds that keep a task inside its 0.5 GB whatever is sent.

use std::time::Duration;

/// The largest request body, in bytes.
pub(crate) const BODY_BYTES: usize = 4 * 1024 * 1024;
/// The largest answer taken from another agent, in bytes.
pub(crate) const ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// The most items in one page of an answer.
pub(crate) const PAGE: usize = 1000;
/// The most users one question may name.
pub(crate) const USERS: usize = 100;
/// The most messages one profile is computed from.
pub(crate) const PROFILE_MESSAGES: usize = 10_000;
/// The most messages karma-hello holds.
pub(crate) const STORED_MESSAGES: usize = 2_000_000;
/// The most transcript segments abracadabra holds.
pub(crate) const STORED_SEGMENTS: usize = 200_000;
/// The longest name: of a stream, a user, a badge. In characters.
pub(crate) const NAME_CHARACTERS: usize = 128;
/// The longest message or transcript segment, in characters.
pub(crate) const TEXT_CHARACTERS: usize = 4000;

/// How long one request may take, its body included. A load balancer waits for a minute unless told otherwise.
pub(crate) const REQUEST_PATIENCE: Duration = Duration::from_secs(75);
/// How long to wait for a connection to another agent.
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for one answer of another agent.
pub(crate) const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How long gathering everything from another agent may take.
pub(crate) const GATHER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a health check waits.
pub(crate) const HEALTH_PATIENCE: Duration = Duration::from_secs(2);
/// How long a task that starts reads what stands in the store before it says that it is healthy; then it goes on reading. No longer than
/// the load balancer has patience with a new task.
pub(crate) const READING_AHEAD: Duration = Duration::from_secs(20);
/// How long a deep health check keeps what others have answered: a check every second must not become their load, nor their bill.
pub(crate) const HEALTH_KEPT: Duration = Duration::from_secs(5);
