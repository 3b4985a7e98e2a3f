//! What the tasks have written, read from CloudWatch Logs.

mod last_lines;
mod reader;

use jiff::{SignedDuration, Timestamp};
use karma_ops::{LogQuery, LogReader, LogSelection, OrchestratorError};

use super::EcsOrchestrator;
use super::scope::{LogPlace, ScopedContainer, ScopedService};
use reader::{EcsLogReader, Source, Streams};

/// Where nobody says since when, it is since then: a log group may hold years.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

impl EcsOrchestrator {
    pub(super) async fn log_reader(&self, query: LogQuery) -> Result<Box<dyn LogReader>, OrchestratorError> {
        let (sources, since) = match query.selection {
            LogSelection::All => (self.streams_of_all(&query), Some(since(&query))),
            LogSelection::LastStopped => (self.streams_of_last_stopped(&query).await?, query.since),
        };
        Ok(Box::new(EcsLogReader::new(
            self.clients.logs.clone(),
            query,
            sources,
            since,
        )))
    }

    fn asked<'a>(&'a self, query: &'a LogQuery) -> impl Iterator<Item = &'a ScopedService> {
        let is_asked = |service: &&ScopedService| query.services.is_empty() || query.services.contains(&service.label);
        self.scope.services.iter().filter(is_asked)
    }

    fn streams_of_all(&self, query: &LogQuery) -> Vec<Source> {
        let mut sources = Vec::new();
        for service in self.asked(query) {
            for (container, place) in places(service, query) {
                let streams = Streams::Begin(place.stream(&container.name, ""));
                sources.push(Source::new(service, container, place, streams));
            }
        }
        sources
    }

    async fn streams_of_last_stopped(&self, query: &LogQuery) -> Result<Vec<Source>, OrchestratorError> {
        let observation = self.look().await?;
        let mut sources = Vec::new();
        for service in self.asked(query) {
            let tasks = observation
                .service(&service.label)
                .map(|seen| seen.tasks.as_slice())
                .unwrap_or_default();
            let stopped = tasks.iter().filter(|task| task.stopped_at.is_some());
            let Some(task) = stopped.max_by_key(|task| task.stopped_at) else {
                continue;
            };
            for (container, place) in places(service, query) {
                let stream = Streams::One(place.stream(&container.name, task.task_id.as_str()));
                sources.push(Source::new(service, container, place, stream));
            }
        }
        Ok(sources)
    }
}

/// The containers that are asked for and write to a log group.
fn places<'a>(
    service: &'a ScopedService,
    query: &'a LogQuery,
) -> impl Iterator<Item = (&'a ScopedContainer, &'a LogPlace)> {
    let is_asked = |container: &ScopedContainer| query.container.as_ref().is_none_or(|name| *name == container.name);
    service.log_places().filter(move |(container, _)| is_asked(container))
}

fn since(query: &LogQuery) -> Timestamp {
    let now = Timestamp::now();
    query.since.unwrap_or_else(|| now.checked_sub(RECENT).unwrap_or(now))
}
