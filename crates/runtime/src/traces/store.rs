//! [`TraceStore`]: takes spans in, and answers questions about traces.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use karma_fleet::Fleet;
use karma_ops::{TraceAnswer, TraceQuery, TraceSpan};
use tokio::sync::watch;

use super::files::Files;
use super::gate::Gate;
use super::kept::{Kept, MOST_SPANS};

/// The traces of a run and of those before it. Clones are the same store.
#[derive(Debug, Clone)]
pub(crate) struct TraceStore {
    fleet: watch::Receiver<Arc<Fleet>>,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug)]
struct Content {
    gate: Gate,
    kept: Kept,
    files: Files,
}

impl TraceStore {
    /// Opens the traces of a directory. The sampling rules are the fleet's, whichever it is then.
    pub(crate) fn open(directory: &Path, fleet: watch::Receiver<Arc<Fleet>>, now: Timestamp) -> io::Result<Self> {
        let files = Files::open(directory, now)?;
        let mut kept = Kept::default();
        for span in files.read(MOST_SPANS) {
            kept.keep(span);
        }
        let content = Content {
            gate: Gate::default(),
            kept,
            files,
        };
        Ok(Self {
            fleet,
            content: Arc::new(Mutex::new(content)),
        })
    }

    /// Takes spans in. An error means that those which are kept are not on the disk.
    pub(super) fn take(&self, spans: Vec<TraceSpan>, now: Timestamp) -> io::Result<()> {
        let fleet = Arc::clone(&self.fleet.borrow());
        let rules: Vec<_> = fleet.sampling_rules.values().collect();
        let mut content = self.content();
        let passed = content.gate.pass(spans, &rules, now);
        content.keep(passed, now)
    }

    /// Answers a question.
    pub(crate) fn answer(&self, query: &TraceQuery, now: Timestamp) -> TraceAnswer {
        let named = query.service.as_ref().map(|service| self.name_of(service));
        let query = TraceQuery {
            service: named,
            ..query.clone()
        };
        let content = self.content();
        let mut traces = content.kept.traces();
        traces.retain(|trace| query.wants(trace, now));
        TraceAnswer {
            traces,
            not_sampled: content.gate.not_sampled(),
        }
    }

    /// A service's ECS name, which its tasks are told to send. Another one's is what was asked for.
    fn name_of(&self, service: &str) -> String {
        let fleet = self.fleet.borrow();
        let known = fleet.service(service).map(|(_, service)| service.name.clone());
        known.unwrap_or_else(|| service.to_owned())
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn keep(&mut self, mut spans: Vec<TraceSpan>, now: Timestamp) -> io::Result<()> {
        spans.retain(|span| self.kept.keep(span.clone()));
        if spans.is_empty() {
            return Ok(());
        }
        self.files.append(&spans, now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use karma_ops::Outcomes;

    use super::super::gate::tests::span;
    use super::*;

    #[test]
    fn what_is_sampled_is_there_again_in_the_next_run() {
        let directory = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(1_002).unwrap();
        let open = || {
            let fleet = watch::Sender::new(Arc::new(Fleet::default())).subscribe();
            TraceStore::open(directory.path(), fleet, now).unwrap()
        };
        let query = TraceQuery {
            id: None,
            service: Some("service".to_owned()),
            since: Duration::from_mins(1),
            slow: Duration::ZERO,
            outcomes: Outcomes::All,
        };
        let store = open();
        // X-Ray's own rule lets one through in a second, and these ids are not among the five in a hundred.
        store
            .take(vec![span(u128::MAX, 1, 0), span(u128::MAX - 1, 2, 0)], now)
            .unwrap();
        let answer = store.answer(&query, now);
        assert_eq!((answer.traces.len(), answer.not_sampled), (1, 1));
        let again = open().answer(&query, now);
        assert_eq!((again.traces, again.not_sampled), (answer.traces, 0));
        let other = TraceQuery {
            service: Some("other".to_owned()),
            ..query
        };
        assert_eq!(store.answer(&other, now).traces, []);
    }
}
