//! [`Sampler`]: when to look at everything, and what becomes of what is seen.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use karma_ops::UsageTotals;
use tokio::time::Instant;

use super::MetricStore;
use super::collector::Collector;
use super::sample::Sample;
use crate::clock::Clock;

/// How often everything is looked at, in real time, unless the run's minutes are so short that a few looks would not fit into one.
const INTERVAL: Duration = Duration::from_secs(1);
/// And not oftener than this. Where even a minute of the run is shorter, several minutes are told as one.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const LOOKS_PER_MINUTE: u32 = 4;

const MINUTE: Duration = Duration::from_mins(1);

/// Takes samples, and puts the metrics of each minute into the store when it has ended.
#[derive(Debug)]
pub(crate) struct Sampler {
    clock: Clock,
    store: MetricStore,
    collector: Collector,
    minute: Minute,
}

impl Sampler {
    /// One whose first minute is the one that goes on.
    pub(crate) fn new(clock: Clock, store: MetricStore) -> Self {
        Self {
            clock,
            store,
            collector: Collector::new(clock),
            minute: Minute::of(&clock, clock.now()),
        }
    }

    /// When to look next. The end of a minute is never missed.
    pub(crate) fn next_look(&self) -> Instant {
        let next = self.clock.now() + interval(&self.clock);
        self.clock.instant(next.min(self.minute.end))
    }

    /// What has been used since the start.
    pub(crate) fn usage(&self) -> UsageTotals {
        self.collector.usage()
    }

    /// Takes note of what is seen now. The error is of the disk; nothing is lost in memory.
    pub(crate) fn note(&mut self, sample: Sample) -> io::Result<()> {
        let at = sample.at;
        self.collector.note(sample);
        if at < self.minute.end {
            return Ok(());
        }
        for (metric, values) in self.collector.end_minute() {
            self.store.put(&metric, self.minute.begin, values);
        }
        self.minute = Minute::of(&self.clock, at);
        self.store.flush(self.clock.at(at))
    }
}

/// The run's time between two looks.
fn interval(clock: &Clock) -> Duration {
    let real = clock.compressed(MINUTE) / LOOKS_PER_MINUTE;
    clock.stretched(real.clamp(SHORTEST_INTERVAL, INTERVAL))
}

/// A minute of the calendar.
#[derive(Debug)]
struct Minute {
    begin: Timestamp,
    /// The moment of the run.
    end: Duration,
}

impl Minute {
    /// The one that a moment lies in.
    fn of(clock: &Clock, moment: Duration) -> Self {
        let now = clock.at(moment);
        let gone = Duration::from_nanos(
            now.as_nanosecond()
                .rem_euclid(NANOSECONDS)
                .try_into()
                .unwrap_or_default(),
        );
        Self {
            begin: now.saturating_sub(gone).unwrap_or(now),
            end: (moment + MINUTE).saturating_sub(gone),
        }
    }
}

/// Of a minute.
const NANOSECONDS: i128 = 60_000_000_000;

#[cfg(test)]
mod tests;
