//! What of the spans that come in is let through: all of a trace, or nothing.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use karma_fleet::SamplingRule;
use karma_ops::{TraceId, TraceSpan};

use super::sampler::{Decision, Sampler};

/// So long the first span of a trace may be on its way. Then its caller is somebody outside, who has decided before he called.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// So many spans may wait for a decision, and so many decisions are remembered.
const MOST_WAITING: usize = 10_000;
const MOST_DECISIONS: usize = 10_000;

/// Holds spans back until it is decided whether their trace is sampled.
#[derive(Debug, Default)]
pub(super) struct Gate {
    sampler: Sampler,
    waiting: HashMap<TraceId, Waiting>,
    /// The traces of `waiting` and since when, oldest first; and some that wait no more.
    queue: VecDeque<(Timestamp, TraceId)>,
    /// Spans of `waiting`.
    held_back: usize,
    decisions: HashMap<TraceId, Decision>,
    /// The traces of `decisions`, oldest first.
    decided: VecDeque<TraceId>,
    not_sampled: u64,
}

#[derive(Debug)]
struct Waiting {
    since: Timestamp,
    spans: Vec<TraceSpan>,
}

impl Gate {
    /// Takes spans in, and returns those that are let through.
    pub(super) fn pass(&mut self, spans: Vec<TraceSpan>, rules: &[&SamplingRule], now: Timestamp) -> Vec<TraceSpan> {
        let mut passed = Vec::new();
        for span in spans {
            if span.parent.is_none() && !self.decisions.contains_key(&span.trace) {
                let decision = self.sampler.decide(rules.iter().copied(), &span, now);
                passed.append(&mut self.settle(span.trace, decision));
            }
            match self.decisions.get(&span.trace) {
                Some(Decision::Sampled) => passed.push(span),
                Some(Decision::NotSampled) => {}
                None => self.hold_back(span, now),
            }
        }
        passed.append(&mut self.overdue(now));
        passed
    }

    /// What has waited long enough.
    fn overdue(&mut self, now: Timestamp) -> Vec<TraceSpan> {
        let mut passed = Vec::new();
        while let Some(&(since, oldest)) = self.queue.front() {
            let waits = self.waiting.get(&oldest).is_some_and(|waiting| waiting.since == since);
            if waits && self.held_back <= MOST_WAITING && now.duration_since(since) < PATIENCE {
                break;
            }
            self.queue.pop_front();
            if waits {
                passed.append(&mut self.settle(oldest, Decision::Sampled));
            }
        }
        passed
    }

    /// So many traces were not let through.
    pub(super) fn not_sampled(&self) -> u64 {
        self.not_sampled
    }

    fn hold_back(&mut self, span: TraceSpan, now: Timestamp) {
        let waiting = self.waiting.entry(span.trace).or_insert_with(|| {
            self.queue.push_back((now, span.trace));
            Waiting {
                since: now,
                spans: Vec::new(),
            }
        });
        waiting.spans.push(span);
        self.held_back += 1;
    }

    /// Remembers a decision, and returns what waited for it and is let through.
    fn settle(&mut self, trace: TraceId, decision: Decision) -> Vec<TraceSpan> {
        self.decisions.insert(trace, decision);
        self.decided.push_back(trace);
        if self.decided.len() > MOST_DECISIONS
            && let Some(oldest) = self.decided.pop_front()
        {
            self.decisions.remove(&oldest);
        }
        let waited = self.waiting.remove(&trace);
        let spans = waited.map_or_else(Vec::new, |waiting| waiting.spans);
        self.held_back -= spans.len();
        match decision {
            Decision::Sampled => spans,
            Decision::NotSampled => {
                self.not_sampled += 1;
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use karma_ops::{SpanId, SpanKind, SpanStatus};

    use super::*;

    /// A span of a trace, with a number and that of its parent.
    pub(crate) fn span(trace: u128, number: u64, parent: u64) -> TraceSpan {
        TraceSpan {
            trace: TraceId::new(trace).unwrap(),
            id: SpanId::new(number).unwrap(),
            parent: SpanId::new(parent),
            service: "service".to_owned(),
            name: "GET /".to_owned(),
            kind: SpanKind::Server,
            start: Timestamp::from_second(1_000).unwrap(),
            end: Timestamp::from_second(1_001).unwrap(),
            status: SpanStatus::Unset,
            attributes: BTreeMap::new(),
        }
    }

    fn rule(fixed_rate: f64) -> SamplingRule {
        SamplingRule {
            reservoir_size: 0,
            fixed_rate,
            ..SamplingRule::default()
        }
    }

    /// What is let through of spans that come in at some seconds.
    fn check(rate: f64, batches: &[(i64, &[TraceSpan], &[u64])]) -> Gate {
        let (mut gate, rule) = (Gate::default(), rule(rate));
        for &(second, spans, expected) in batches {
            let now = Timestamp::from_second(second).unwrap();
            let passed = gate.pass(spans.to_vec(), &[&rule], now);
            let expected: Vec<_> = expected.iter().map(|&number| SpanId::new(number).unwrap()).collect();
            assert_eq!(
                passed.iter().map(|span| span.id).collect::<Vec<_>>(),
                expected,
                "at {second}"
            );
        }
        gate
    }

    #[test]
    fn a_trace_is_decided_on_by_its_first_span_whenever_that_comes() {
        let batches: &[(i64, &[TraceSpan], &[u64])] = &[
            (0, &[span(1, 2, 1), span(1, 3, 2)], &[]),
            (1, &[span(1, 1, 0)], &[2, 3, 1]),
            (2, &[span(1, 4, 1)], &[4]),
        ];
        check(1.0, batches);
        let nothing: Vec<(i64, &[TraceSpan], &[u64])> =
            batches.iter().map(|&(at, spans, _)| (at, spans, &[][..])).collect();
        let gate = check(0.0, &nothing);
        assert_eq!((gate.not_sampled(), gate.held_back), (1, 0));
    }

    #[test]
    fn a_trace_that_began_outside_was_decided_on_there() {
        check(
            0.0,
            &[
                (0, &[span(1, 2, 1)], &[]),
                (9, &[], &[]),
                (10, &[span(1, 3, 2)], &[2, 3]),
            ],
        );
    }

    #[test]
    fn what_waits_and_what_is_remembered_is_bounded() {
        let mut gate = Gate::default();
        let now = Timestamp::from_second(1).unwrap();
        let many = (1..=30_000).map(|trace| span(trace, 2, 1)).collect();
        assert_eq!(gate.pass(many, &[], now).len(), 20_000);
        assert_eq!((gate.held_back, gate.decisions.len()), (MOST_WAITING, MOST_DECISIONS));
    }
}
