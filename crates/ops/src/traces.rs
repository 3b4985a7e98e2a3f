//! Traces: the way of a request through the services, as X-Ray would show it.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>

mod assemble;
mod id;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use id::{NoTraceId, SpanId, TraceId};

use crate::metrics::seconds;

/// Something that a service did for a request.
/// <https://opentelemetry.io/docs/concepts/signals/traces/#spans>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceSpan {
    /// The trace that it belongs to.
    pub trace: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// The span that it was done for; none where the trace begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SpanId>,
    /// Who did it: `service.name`.
    pub service: String,
    /// What was done: `GET /validator/health`.
    pub name: String,
    /// Which side of a conversation it is.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it was done; not before it began.
    pub end: Timestamp,
    /// How it went.
    pub status: SpanStatus,
    /// What else is known of it, such as `http.response.status_code`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// Which side of a conversation a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// None: work within a service.
    #[default]
    Internal,
    /// A request is answered.
    Server,
    /// Another service is asked.
    Client,
    /// A message is sent.
    Producer,
    /// A message is worked on.
    Consumer,
}

/// How a span went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanStatus {
    /// Nobody has said otherwise.
    #[default]
    Unset,
    /// Well, says its service.
    Ok,
    /// Badly, says its service.
    Error,
}

/// All that is known of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// When its first span began.
    pub start: Timestamp,
    /// From there to the end of the last span, in seconds.
    #[serde(with = "seconds")]
    pub duration: Duration,
    /// The services that took part, in the order in which they came in.
    pub services: Vec<String>,
    /// Whether something went badly in it.
    pub has_errors: bool,
    /// What was done: a span comes before those that were done for it, and those are in the order of time.
    pub spans: Vec<PlacedSpan>,
}

/// A span and its place among the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedSpan {
    /// So many spans that are known stand above it.
    pub depth: usize,
    /// The span.
    #[serde(flatten)]
    pub span: TraceSpan,
}

/// Which traces are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceQuery {
    /// Only this one, however old it is.
    pub id: Option<TraceId>,
    /// Only those that this service took part in, by its label or its ECS name.
    pub service: Option<String>,
    /// How far to look back, in seconds.
    #[serde(with = "seconds")]
    pub since: Duration,
    /// Only those that took so long at least, in seconds.
    #[serde(with = "seconds")]
    pub slow: Duration,
    /// Which outcomes are wanted.
    pub outcomes: Outcomes,
}

/// Which outcomes of traces are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcomes {
    /// All.
    #[default]
    All,
    /// Only those in which something went badly.
    Errors,
}

/// The traces that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceAnswer {
    /// Oldest first.
    pub traces: Vec<Trace>,
    /// So many traces were not sampled since the fleet began to run.
    pub not_sampled: u64,
}

impl TraceSpan {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::try_from(self.end.duration_since(self.start)).unwrap_or_default()
    }

    /// Whether it went badly: its service says so, or a server answered that it failed (5xx). To refuse a bad request (4xx) is no failure of
    /// who answers, as OpenTelemetry and X-Ray's *fault* have it.
    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status>
    pub fn is_error(&self) -> bool {
        let code = self.attributes.get("http.response.status_code");
        self.status == SpanStatus::Error || code.is_some_and(|code| code.len() == 3 && code.starts_with('5'))
    }
}

impl TraceQuery {
    /// Whether a trace is wanted at a moment.
    pub fn wants(&self, trace: &Trace, now: Timestamp) -> bool {
        if let Some(id) = self.id {
            return trace.id == id;
        }
        let from = now.saturating_sub(self.since).unwrap_or(Timestamp::MIN);
        trace.start >= from
            && trace.duration >= self.slow
            && (self.outcomes == Outcomes::All || trace.has_errors)
            && self.service.as_ref().is_none_or(|it| trace.services.contains(it))
    }
}

#[cfg(test)]
mod tests;
