//! What is measured of a fleet while it runs, and what is told of it.

use std::io;
use std::path::Path;

use karma_ops::{MetricAnswer, MetricQuery};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use super::{LocalOrchestrator, Shared};
use crate::clock::Clock;
use crate::metrics::{self, FrontMeters, Meters, MetricStore, Owners, Sampler};
use crate::progress::Progress;
use crate::state::StateError;

/// Opens the metrics of a state directory.
pub(super) fn open(state_directory: &Path, clock: Clock) -> Result<MetricStore, StateError> {
    let path = state_directory.join("metrics");
    let opened = MetricStore::open(&path, clock.at(clock.now()));
    opened.map_err(|source| StateError::Io {
        action: "open",
        path,
        source,
    })
}

impl LocalOrchestrator {
    /// What CloudWatch would show.
    pub async fn metrics(&self, query: MetricQuery) -> MetricAnswer {
        let orchestrator = self.clone();
        // It may have to read the disk.
        let answered = spawn_blocking(move || orchestrator.shared.answer(&query)).await;
        answered.expect("answering does not panic, and nobody aborts it")
    }

    /// Measures, until it is aborted.
    pub(super) async fn measure(self, front: watch::Receiver<FrontMeters>) {
        let shared = &self.shared;
        let mut meters = Meters::new(shared.fleet.subscribe(), front);
        let mut sampler = Sampler::new(shared.clock, shared.metrics.clone());
        let mut fails = false;
        self.note_remembered_alarms();
        loop {
            sleep_until(sampler.next_look()).await;
            let observation = self.observe().await;
            let now = shared.clock.now();
            let sample = meters.look(now, &observation).await;
            let failed = sampler.note(sample).err();
            if let Some(error) = failed.as_ref().filter(|_| !fails) {
                shared.note_unwritten(error);
            }
            fails = failed.is_some();
            shared.usage.send_replace(sampler.usage());
            self.steer(now, &observation).await;
        }
    }
}

impl Shared {
    /// Writes the metrics of the minute that goes on.
    pub(super) fn write_metrics(&self) {
        if let Err(error) = self.metrics.flush_all() {
            self.note_unwritten(&error);
        }
    }

    fn answer(&self, query: &MetricQuery) -> MetricAnswer {
        let now = self.clock.at(self.clock.now());
        let owners = Owners::of(&self.fleet.borrow());
        metrics::answer(&self.metrics, &owners, query, *self.usage.borrow(), now)
    }

    fn note_unwritten(&self, error: &io::Error) {
        let message = format!("metrics cannot be written to the disk, and are kept in memory for a while: {error}");
        self.announcer.announce(Progress::Note { message });
    }
}
