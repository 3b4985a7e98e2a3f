//! The traces in memory: the latest ones.

use std::collections::{BTreeMap, VecDeque};

use karma_ops::{Trace, TraceId, TraceSpan};

/// So many spans are kept, and so many of one trace.
pub(super) const MOST_SPANS: usize = 10_000;
const MOST_OF_ONE: usize = 1_000;

/// Spans by their traces.
#[derive(Debug, Default)]
pub(super) struct Kept {
    traces: BTreeMap<TraceId, Vec<TraceSpan>>,
    /// The traces in the order in which they came.
    order: VecDeque<TraceId>,
    spans: usize,
}

impl Kept {
    /// Keeps a span, and forgets the oldest trace where there are too many. Tells whether it was kept: a trace has its bounds too.
    pub(super) fn keep(&mut self, span: TraceSpan) -> bool {
        let id = span.trace;
        let spans = self.traces.entry(id).or_default();
        if spans.len() >= MOST_OF_ONE {
            return false;
        }
        if spans.is_empty() {
            self.order.push_back(id);
        }
        spans.push(span);
        self.spans += 1;
        while self.spans > MOST_SPANS
            && let Some(oldest) = self.order.pop_front()
        {
            self.spans -= self.traces.remove(&oldest).map_or(0, |spans| spans.len());
        }
        true
    }

    /// Every trace, oldest first.
    pub(super) fn traces(&self) -> Vec<Trace> {
        let assemble = |(id, spans): (&TraceId, &Vec<TraceSpan>)| Trace::assemble(*id, spans.iter().cloned());
        let mut traces: Vec<Trace> = self.traces.iter().filter_map(assemble).collect();
        traces.sort_by_key(|trace| (trace.start, trace.id));
        traces
    }
}

#[cfg(test)]
mod tests {
    use super::super::gate::tests::span;
    use super::*;

    #[test]
    fn the_oldest_trace_makes_room() {
        let mut kept = Kept::default();
        for number in 1..=20_000_u32 {
            assert!(kept.keep(span(u128::from(number), 1, 0)));
        }
        assert_eq!(
            (kept.spans, kept.order.len(), kept.traces.len()),
            (MOST_SPANS, MOST_SPANS, MOST_SPANS)
        );
        assert_eq!(kept.traces.keys().next().copied(), TraceId::new(10_001));
    }

    #[test]
    fn one_trace_does_not_take_the_place_of_all() {
        let mut kept = Kept::default();
        kept.keep(span(7, 1, 0));
        let kept_of_one = (1..=5_000).filter(|number| kept.keep(span(8, *number, 0))).count();
        assert_eq!((kept_of_one, kept.traces().len()), (MOST_OF_ONE, 2));
    }
}
