//! The traces of a fleet: opened with it, and asked for.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use karma_fleet::Fleet;
use karma_ops::{TraceAnswer, TraceQuery};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::LocalOrchestrator;
use crate::state::StateError;
use crate::traces::TraceStore;

/// Opens the traces of a state directory.
pub(super) fn open(state_directory: &Path, fleet: watch::Receiver<Arc<Fleet>>) -> Result<TraceStore, StateError> {
    let path = state_directory.join("traces");
    let opened = TraceStore::open(&path, fleet, Timestamp::now());
    opened.map_err(|source| StateError::Io {
        action: "open",
        path,
        source,
    })
}

impl LocalOrchestrator {
    /// What X-Ray would show.
    pub async fn traces(&self, query: TraceQuery) -> TraceAnswer {
        let store = self.shared.traces.clone();
        // There may be many spans to put into their order.
        let answered = spawn_blocking(move || store.answer(&query, Timestamp::now())).await;
        answered.expect("answering does not panic, and nobody aborts it")
    }
}
