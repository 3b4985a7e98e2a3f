//! What tasks send, whatever it was written in, and its bounds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_ops::{SpanId, SpanKind, SpanStatus, TraceId, TraceSpan};

/// So many attributes of a span are kept, and of each text so many characters: a rule of X-Ray's allows fifty for a whole trace.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations>
const MOST_ATTRIBUTES: usize = 32;
const MOST_CHARACTERS: usize = 256;

/// The spans of one request.
#[derive(Debug, Default)]
pub(super) struct Export {
    pub(super) spans: Vec<TraceSpan>,
    /// So many were none: without an id, or of a time that does not exist.
    pub(super) rejected: u64,
}

/// Who sends them.
#[derive(Debug)]
pub(super) struct Service(String);

/// A span as it came.
#[derive(Debug, Default)]
pub(super) struct SpanParts {
    pub(super) trace: Option<u128>,
    pub(super) id: Option<u64>,
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) kind: u64,
    /// Nanoseconds since 1970, as is the end.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) status: u64,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Export {
    pub(super) fn add(&mut self, service: &Service, span: SpanParts) {
        match span.finish(service) {
            Some(span) => self.spans.push(span),
            None => self.rejected += 1,
        }
    }
}

/// The name that OpenTelemetry gives who has none.
/// <https://opentelemetry.io/docs/specs/semconv/resource/service/>
impl Default for Service {
    fn default() -> Self {
        Self("unknown_service".to_owned())
    }
}

impl Service {
    /// Looks at one of its attributes.
    pub(super) fn note(&mut self, attribute: Option<(String, String)>) {
        if let Some((name, value)) = attribute
            && name == "service.name"
            && !value.is_empty()
        {
            self.0 = shortened(&value);
        }
    }
}

impl SpanParts {
    /// Keeps an attribute, as long as there are not too many.
    pub(super) fn note(&mut self, attribute: Option<(String, String)>) {
        if let Some((name, value)) = attribute
            && self.attributes.len() < MOST_ATTRIBUTES
        {
            self.attributes.insert(shortened(&name), shortened(&value));
        }
    }

    fn finish(self, service: &Service) -> Option<TraceSpan> {
        let (start, end) = (moment(self.start)?, moment(self.end)?);
        Some(TraceSpan {
            trace: TraceId::new(self.trace?)?,
            id: SpanId::new(self.id?)?,
            parent: self.parent.and_then(SpanId::new),
            service: service.0.clone(),
            name: shortened(&self.name),
            kind: kind(self.kind),
            start,
            end: end.max(start),
            status: status(self.status),
            attributes: self.attributes,
        })
    }
}

fn moment(nanoseconds: u64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok()
}

fn kind(number: u64) -> SpanKind {
    match number {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn status(number: u64) -> SpanStatus {
    match number {
        1 => SpanStatus::Ok,
        2 => SpanStatus::Error,
        _ => SpanStatus::Unset,
    }
}

/// Not too long, and nothing in it that a terminal would obey.
fn shortened(text: &str) -> String {
    let printable = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    text.chars().take(MOST_CHARACTERS).map(printable).collect()
}
