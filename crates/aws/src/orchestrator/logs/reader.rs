//! [`EcsLogReader`]: reads on and on from log groups.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use karma_ops::{Answer, LogLine, LogQuery, LogReader};

use crate::error::{AwsError, Call};
use crate::orchestrator::scope::{LogPlace, ScopedContainer, ScopedService};
use crate::orchestrator::seen::milliseconds;

/// An event may be taken in so much later than a younger one.
const LATE: i64 = 30_000;

/// The API is asked by everybody in the account, some times a second in all.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Which streams of a group are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Streams {
    /// Those whose names begin so.
    Begin(String),
    /// This one.
    One(String),
}

/// The output of a container of a service, and how far it has been read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    service: String,
    container: String,
    group: String,
    streams: Streams,
    /// Not before this, in milliseconds.
    from: Option<i64>,
    /// Events that have been read and may be answered again, with their times.
    read: BTreeMap<String, i64>,
}

/// What the tasks of a stack write.
#[derive(Debug)]
pub(super) struct EcsLogReader {
    client: Client,
    query: LogQuery,
    sources: Vec<Source>,
}

impl EcsLogReader {
    pub(super) fn new(client: Client, query: LogQuery, mut sources: Vec<Source>, since: Option<Timestamp>) -> Self {
        for source in &mut sources {
            source.from = since.map(Timestamp::as_millisecond);
        }
        Self { client, query, sources }
    }

    async fn read_all(&mut self) -> Result<Vec<LogLine>, AwsError> {
        let mut lines = Vec::new();
        for source in &mut self.sources {
            let events = source.events(&self.client).await?;
            lines.extend(source.take(&events));
        }
        lines.retain(|line| self.query.wants(line));
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }
}

impl LogReader for EcsLogReader {
    fn read(&mut self) -> Answer<'_, Vec<LogLine>> {
        Box::pin(async { Ok(self.read_all().await?) })
    }

    fn look_again(&self) -> Duration {
        LOOK_AGAIN
    }
}

impl Source {
    pub(super) fn new(
        service: &ScopedService,
        container: &ScopedContainer,
        place: &LogPlace,
        streams: Streams,
    ) -> Self {
        Self {
            service: service.label.clone(),
            container: container.name.clone(),
            group: place.group.clone(),
            streams,
            from: None,
            read: BTreeMap::new(),
        }
    }

    /// A group or a stream that is not there yet has no lines yet.
    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
    async fn events(&self, client: &Client) -> Result<Vec<FilteredLogEvent>, AwsError> {
        let called = format!("log group {}", self.group);
        let call = Call::new("logs:FilterLogEvents", &called);
        let request = client
            .filter_log_events()
            .log_group_name(&self.group)
            .set_start_time(self.from);
        let request = match &self.streams {
            Streams::Begin(beginning) => request.log_stream_name_prefix(beginning),
            Streams::One(name) => request.log_stream_names(name),
        };
        let mut pages = request.into_paginator().send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            match page.map_err(|error| call.failed(error)) {
                Ok(page) => events.extend(page.events.unwrap_or_default()),
                Err(AwsError::NotFound { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// The lines that have not been read before.
    fn take(&mut self, events: &[FilteredLogEvent]) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for event in events {
            let (Some(id), Some(time)) = (event.event_id(), event.timestamp()) else {
                continue;
            };
            if self.read.insert(id.to_owned(), time).is_none() {
                lines.extend(self.line(event));
            }
        }
        if let Some(newest) = self.read.values().max() {
            let from = (newest - LATE).max(self.from.unwrap_or(0));
            self.read.retain(|_, time| *time >= from);
            self.from = Some(from);
        }
        lines
    }

    fn line(&self, event: &FilteredLogEvent) -> Option<LogLine> {
        let stream = event.log_stream_name().unwrap_or_default();
        Some(LogLine {
            at: milliseconds(event.timestamp())?,
            service: self.service.clone(),
            task: stream.rsplit('/').next().unwrap_or_default().to_owned(),
            container: self.container.clone(),
            message: event
                .message()
                .unwrap_or_default()
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
