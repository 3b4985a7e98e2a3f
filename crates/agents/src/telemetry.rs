//! Spans, sent to whoever `OTEL_EXPORTER_OTLP_ENDPOINT` names: OTLP over HTTP, as JSON. Without one, none are made.
//!
//! A span that nobody takes is lost: no request waits for one, and so many and no more are kept.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

mod collector;
mod rules;
mod sampling;
mod xray;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) use self::collector::Collector;
use self::collector::Losses;
use self::rules::Sampling;
pub(crate) use self::sampling::Asked;
use crate::logging::Log;

/// So many spans may wait to be sent, and so many are sent at once.
const MOST_WAITING: usize = 1024;
const MOST_AT_ONCE: usize = 256;

/// So long a span waits for others to go with.
const GATHER: Duration = Duration::from_secs(1);

/// So long the last ones may take when the agent stops.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Names and values.
pub(crate) type Attributes = Vec<(&'static str, String)>;

/// Something that was done.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) failed: bool,
    pub(crate) attributes: Attributes,
}

/// Which side of a conversation a span is, by OTLP's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Server = 2,
    Client = 3,
}

/// Takes spans. Clones take them for the same one.
#[derive(Clone, Debug)]
pub(crate) struct Exporter {
    spans: mpsc::Sender<Span>,
    sampling: Option<Sampling>,
}

/// The sending of spans, which ends with the last [`Exporter`].
#[derive(Debug)]
pub(crate) struct Exporting(Option<JoinHandle<()>>);

impl Exporter {
    /// Begins to send the spans of a service, if there is somebody to send them to.
    pub(crate) fn start(collector: Option<Collector>, service: String, log: Log) -> (Option<Exporter>, Exporting) {
        let Some(collector) = collector else {
            return (None, Exporting(None));
        };
        let (mut exporter, spans) = Exporter::channel();
        exporter.sampling = collector.sampling(&service);
        let job = tokio::spawn(send_all(spans, collector, service, Losses::new(log)));
        (Some(exporter), Exporting(Some(job)))
    }

    /// An exporter, and what it takes.
    pub(crate) fn channel() -> (Exporter, mpsc::Receiver<Span>) {
        let (sender, spans) = mpsc::channel(MOST_WAITING);
        let exporter = Exporter {
            spans: sender,
            sampling: None,
        };
        (exporter, spans)
    }

    /// Whether a request that nobody has decided on is traced. Nothing is said where whoever takes the spans decides on it.
    pub(crate) fn decides(&self, asked: Asked<'_>, trace: u128, now: Timestamp) -> Option<bool> {
        let sampling = self.sampling.as_ref()?;
        Some(sampling.takes(asked, trace, now))
    }

    /// Takes a span, unless too many wait.
    pub(crate) fn send(&self, span: Span) {
        let _ = self.spans.try_send(span);
    }
}

impl Exporting {
    /// Waits until the last spans are sent, but not long.
    pub(crate) async fn end(self) {
        if let Some(job) = self.0 {
            let _ = timeout(LAST_SPANS, job).await;
        }
    }
}

async fn send_all(mut spans: mpsc::Receiver<Span>, collector: Collector, service: String, mut losses: Losses) {
    while let Some(first) = spans.recv().await {
        let batch = gather(first, &mut spans).await;
        // What is not taken is lost: to keep it would only make room for less.
        let taken = collector.take(request(&service, &batch).to_string().into_bytes()).await;
        losses.note(&collector, batch.len(), taken);
    }
}

async fn gather(first: Span, spans: &mut mpsc::Receiver<Span>) -> Vec<Span> {
    let mut batch = vec![first];
    let mut others = std::pin::pin!(sleep(GATHER));
    while batch.len() < MOST_AT_ONCE {
        tokio::select! {
            span = spans.recv() => match span {
                Some(span) => batch.push(span),
                None => break,
            },
            () = &mut others => break,
        }
    }
    batch
}

/// An `ExportTraceServiceRequest`.
fn request(service: &str, spans: &[Span]) -> Value {
    let spans: Vec<Value> = spans.iter().map(Span::json).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&[("service.name", service.to_owned())]) },
        "scopeSpans": [{ "scope": { "name": "karma-agent", "version": env!("CARGO_PKG_VERSION") }, "spans": spans }],
    }] })
}

impl Span {
    fn json(&self) -> Value {
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.id),
            "name": self.name,
            "kind": self.kind as u8,
            "startTimeUnixNano": self.start.as_nanosecond().to_string(),
            "endTimeUnixNano": self.end.as_nanosecond().to_string(),
            "attributes": attributes(&self.attributes),
            "status": if self.failed { json!({ "code": 2 }) } else { json!({}) },
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    }
}

fn attributes(attributes: &[(&str, String)]) -> Vec<Value> {
    let json = |(name, value): &(&str, String)| json!({ "key": name, "value": { "stringValue": value } });
    attributes.iter().map(json).collect()
}
