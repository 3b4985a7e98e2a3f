//! From spans, in whatever order they came, to a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{PlacedSpan, SpanId, Trace, TraceId, TraceSpan};

impl Trace {
    /// Puts the spans of one trace into their order; `None` where there is none.
    ///
    /// A span whose parent is not known stands as if it had none: its parent may be outside, or lost. Of two spans with one id the later one
    /// counts. Times are shown as they were told: a clock that differs shows, and moves no span to where nobody has seen it.
    pub fn assemble(id: TraceId, spans: impl IntoIterator<Item = TraceSpan>) -> Option<Self> {
        let spans: BTreeMap<SpanId, TraceSpan> = spans.into_iter().map(|span| (span.id, span)).collect();
        let start = spans.values().map(|span| span.start).min()?;
        let end = spans.values().map(|span| span.end).max()?;
        let spans = Tree::of(spans).place();
        Some(Self {
            id,
            start,
            duration: Duration::try_from(end.duration_since(start)).unwrap_or_default(),
            services: services(&spans),
            has_errors: spans.iter().any(|placed| placed.span.is_error()),
            spans,
        })
    }
}

/// In the order in which they came in.
fn services(spans: &[PlacedSpan]) -> Vec<String> {
    let mut services = Vec::new();
    for PlacedSpan { span, .. } in spans {
        if !services.contains(&span.service) {
            services.push(span.service.clone());
        }
    }
    services
}

/// Spans that have not got their place yet.
struct Tree {
    spans: BTreeMap<SpanId, TraceSpan>,
    /// In the order of time.
    children: BTreeMap<SpanId, BTreeSet<(Timestamp, SpanId)>>,
    roots: BTreeSet<(Timestamp, SpanId)>,
}

impl Tree {
    fn of(spans: BTreeMap<SpanId, TraceSpan>) -> Self {
        let (mut children, mut roots) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
        for span in spans.values() {
            let known = span.parent.filter(|parent| spans.contains_key(parent));
            match known {
                Some(parent) => children.entry(parent).or_default().insert((span.start, span.id)),
                None => roots.insert((span.start, span.id)),
            };
        }
        Self { spans, children, roots }
    }

    fn place(mut self) -> Vec<PlacedSpan> {
        let mut placed = Vec::with_capacity(self.spans.len());
        while let Some((_, root)) = self.roots.pop_first() {
            self.place_below(root, &mut placed);
        }
        // What is left are spans that call each other their parents: the first of them is as good a root as any.
        while let Some(first) = self.spans.values().min_by_key(|span| (span.start, span.id)) {
            let first = first.id;
            self.place_below(first, &mut placed);
        }
        placed
    }

    /// Without recursion: a chain may be as long as somebody likes to send.
    fn place_below(&mut self, root: SpanId, placed: &mut Vec<PlacedSpan>) {
        let mut next = vec![(0, root)];
        while let Some((depth, id)) = next.pop() {
            let Some(span) = self.spans.remove(&id) else { continue };
            placed.push(PlacedSpan { depth, span });
            let children = self.children.remove(&id).unwrap_or_default();
            next.extend(children.into_iter().rev().map(|(_, child)| (depth + 1, child)));
        }
    }
}
