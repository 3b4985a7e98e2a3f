//! What services asked of each other for a call: read from its trace, and what they paid from the lines that the payees logged.

use std::collections::BTreeSet;
use std::time::Duration;

use karma_ops::{LogLine, Observation, SpanId, SpanKind, Trace, TraceId, TraceSpan};
use serde::Serialize;
use serde_json::Value;

use super::event::Payment;

/// The status of an answer that asks for money first.
const PAYMENT_REQUIRED: u16 = 402;

/// A question of one service to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Asked {
    pub(super) from: String,
    pub(super) to: String,
    /// `POST /get_chat_logs`
    pub(super) request: String,
    /// None where nobody answered.
    pub(super) status: Option<u16>,
    /// How long it took, paying included.
    pub(super) seconds: f64,
    /// What was paid, as the payee logged it.
    pub(super) paid: Option<Payment>,
    /// Whether money was asked for first.
    pub(super) was_sold: bool,
    /// By which span the payee's log line is found.
    #[serde(skip)]
    span: SpanId,
    /// For which one the question was asked.
    #[serde(skip)]
    parent: Option<SpanId>,
    #[serde(skip)]
    started: jiff::Timestamp,
}

/// The names by which services are known: to people, to ECS, and to each other.
pub(super) struct Names<'a>(pub(super) &'a Observation);

impl Names<'_> {
    fn label(&self, name: &str) -> String {
        let known = self.0.service(name);
        known.map_or_else(|| name.to_owned(), |service| service.label.clone())
    }

    fn is_alias(&self, host: &str) -> bool {
        self.0.aliases.iter().any(|alias| alias.dns_name == host)
    }
}

/// Whether all spans of a trace have come in: what was asked from outside so many times, and an answer for each question to a service of the fleet.
pub(super) fn is_whole(trace: &Trace, requests: usize, names: &Names<'_>) -> bool {
    let spans = || trace.spans.iter().map(|placed| &placed.span);
    let from_outside = spans().filter(|span| span.kind == SpanKind::Server && span.parent.is_none());
    let parents: BTreeSet<String> = spans()
        .filter_map(|span| span.parent)
        .map(|id| id.to_string())
        .collect();
    let is_answered = |span: &TraceSpan| {
        let host = span.attributes.get("server.address");
        parents.contains(&span.id.to_string()) || !host.is_some_and(|host| names.is_alias(host))
    };
    from_outside.count() >= requests && spans().filter(|span| span.kind == SpanKind::Client).all(is_answered)
}

/// The questions in a trace, in their order. One that was refused for money and asked again with it is one question.
pub(super) fn asked(trace: &Trace, names: &Names<'_>) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    let clients = trace.spans.iter().map(|placed| &placed.span);
    for span in clients.filter(|span| span.kind == SpanKind::Client) {
        let mut question = question(trace, span, names);
        let before = all.iter().position(|before| before.was_refused_for_money(&question));
        if let Some(before) = before.map(|position| all.remove(position)) {
            question.was_sold = true;
            question.started = before.started;
            question.seconds = seconds(span.end.duration_since(before.started));
        }
        all.push(question);
    }
    all
}

fn question(trace: &Trace, span: &TraceSpan, names: &Names<'_>) -> Asked {
    let answer = trace.spans.iter().find(|placed| placed.span.parent == Some(span.id));
    let host = || span.attributes.get("server.address").map_or("?", String::as_str);
    let status = span.attributes.get("http.response.status_code");
    Asked {
        from: names.label(&span.service),
        to: answer.map_or_else(|| host().to_owned(), |answer| names.label(&answer.span.service)),
        request: span.name.clone(),
        status: status.and_then(|code| code.parse().ok()),
        seconds: span.duration().as_secs_f64(),
        paid: None,
        was_sold: false,
        span: span.id,
        parent: span.parent,
        started: span.start,
    }
}

impl Asked {
    fn was_refused_for_money(&self, again: &Self) -> bool {
        let what = |one: &Self| (one.from.clone(), one.to.clone(), one.request.clone(), one.parent);
        self.status == Some(PAYMENT_REQUIRED) && !self.was_sold && what(self) == what(again)
    }

    /// Whether it was paid, and nobody has said yet how much.
    pub(super) fn misses_its_price(&self) -> bool {
        self.was_sold && self.paid.is_none() && self.status.is_some_and(|status| status < 300)
    }
}

/// Adds what was paid for the questions of a trace, as far as the payees' lines tell.
pub(super) fn add_payments(asked: &mut [Asked], trace: TraceId, lines: &[LogLine]) {
    for question in asked.iter_mut().filter(|question| question.misses_its_price()) {
        question.paid = lines
            .iter()
            .find_map(|line| payment(&line.message, trace, question.span));
    }
}

/// What a line says was paid, if it is about this question.
fn payment(line: &str, trace: TraceId, span: SpanId) -> Option<Payment> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields: Vec<&str> = line["trace_id"].as_str()?.split(';').map(str::trim).collect();
    let (root, parent) = (format!("Root={trace}"), format!("Parent={span}"));
    let is_meant = fields.contains(&root.as_str()) && fields.contains(&parent.as_str());
    is_meant
        .then(|| serde_json::from_value(line["paid"].clone()).ok())
        .flatten()
}

fn seconds(span: jiff::SignedDuration) -> f64 {
    Duration::try_from(span).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests;
