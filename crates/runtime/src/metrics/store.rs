//! [`MetricStore`]: every metric by minutes, the last day of it in memory and the rest on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::segment::{self, Minute, Segments};
use super::{Datapoint, MetricId, Statistic, StatisticSet};

/// So long minutes are kept, as CloudWatch keeps those of one minute.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention>
const KEPT: Minute = 15 * DAY;

/// So many bytes of them at most.
const KEPT_BYTES: u64 = 256 << 20;

/// So long they are in memory: alarms with periods below an hour look back a day at most.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
const IN_MEMORY: Minute = DAY;

/// So many of them at most, a hundred bytes each; the oldest go first.
const MOST_IN_MEMORY: usize = 500_000;

const DAY: Minute = 24 * 60;

/// Every metric by minutes of the run's clock. Clones are handles to the same store.
#[derive(Debug, Clone)]
pub(crate) struct MetricStore {
    directory: Arc<Path>,
    inner: Arc<Mutex<Inner>>,
}

/// Which metrics are listed: what is `None` or not there does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MetricFilter {
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    /// These dimensions, and any others.
    pub(crate) dimensions: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Inner {
    segments: Segments,
    series: BTreeMap<MetricId, BTreeMap<Minute, StatisticSet>>,
    /// Earlier minutes are on the disk only.
    in_memory_since: Minute,
    /// Minutes that are not on the disk as they are in memory.
    unwritten: BTreeSet<(Minute, MetricId)>,
}

impl MetricStore {
    /// Opens the store of a directory for a run that is at `now`. What an earlier run wrote is still there, except for times that are
    /// yet to come: they are of a run whose clock went faster.
    pub(crate) fn open(directory: &Path, now: Timestamp) -> io::Result<Self> {
        let now = minute(now);
        let segments = Segments::open(directory, now)?;
        segments.prune(now - KEPT, KEPT_BYTES)?;
        let mut series = BTreeMap::<_, BTreeMap<_, _>>::new();
        segment::read(directory, now - IN_MEMORY, now + 1, |metric, minute, set| {
            series.entry(metric.clone()).or_default().insert(minute, set);
        });
        let inner = Inner {
            segments,
            series,
            in_memory_since: now - IN_MEMORY,
            unwritten: BTreeSet::new(),
        };
        Ok(Self {
            directory: directory.into(),
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    /// Adds values to the minute that `at` lies in. What is no number is no value.
    pub(crate) fn put(&self, metric: &MetricId, at: Timestamp, values: StatisticSet) {
        self.lock().put(metric, minute(at), values);
    }

    /// A statistic of each period from `from`, rounded down to its minute, to before `to`. A period without values has no datapoint; nor
    /// has a percentile of one whose distribution is not known.
    pub(crate) fn query(
        &self,
        metric: &MetricId,
        statistic: Statistic,
        from: Timestamp,
        to: Timestamp,
        period: Duration,
    ) -> Vec<Datapoint> {
        let (from, length) = (minute(from), minutes(period));
        let mut periods = BTreeMap::<Minute, StatisticSet>::new();
        for (minute, set) in self.between(metric, from, minute_after(to)) {
            let period = (minute - from).div_euclid(length);
            periods
                .entry(period)
                .and_modify(|known| known.merge(&set))
                .or_insert(set);
        }
        let datapoint = |(period, set): (Minute, StatisticSet)| {
            let at = start_of(from + period * length)?;
            set.value(statistic).map(|value| Datapoint { at, value })
        };
        periods.into_iter().filter_map(datapoint).collect()
    }

    /// The metrics of which something is in memory, in their order.
    pub(crate) fn list(&self, filter: &MetricFilter) -> Vec<MetricId> {
        let inner = self.lock();
        inner
            .series
            .keys()
            .filter(|metric| filter.includes(metric))
            .cloned()
            .collect()
    }

    /// Writes the minutes that have ended by `now`, and forgets what is too old.
    pub(crate) fn flush(&self, now: Timestamp) -> io::Result<()> {
        self.lock().flush(minute(now))
    }

    /// Writes everything, also the minute that goes on.
    pub(crate) fn flush_all(&self) -> io::Result<()> {
        self.lock().write_before(Minute::MAX)
    }

    /// The minutes of a metric, earliest first: from the disk those that memory has no more. The store is not locked while the disk is read.
    fn between(&self, metric: &MetricId, from: Minute, to: Minute) -> Vec<(Minute, StatisticSet)> {
        let (in_memory_since, in_memory) = self.lock().between(metric, from, to);
        let mut found = Vec::new();
        if from < in_memory_since {
            segment::read(&self.directory, from, to.min(in_memory_since), |known, minute, set| {
                if known == metric {
                    found.push((minute, set));
                }
            });
        }
        found.extend(in_memory);
        found
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricFilter {
    fn includes(&self, metric: &MetricId) -> bool {
        let has = |(name, value): (&String, &String)| metric.dimensions.get(name) == Some(value);
        self.namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == metric.namespace)
            && self.name.as_ref().is_none_or(|name| *name == metric.name)
            && self.dimensions.iter().all(has)
    }
}

impl Inner {
    fn put(&mut self, metric: &MetricId, minute: Minute, values: StatisticSet) {
        if minute < self.in_memory_since || !values.sum.is_finite() {
            return;
        }
        let minutes = match self.series.get_mut(metric) {
            Some(minutes) => minutes,
            None => self.series.entry(metric.clone()).or_default(),
        };
        minutes
            .entry(minute)
            .and_modify(|known| known.merge(&values))
            .or_insert(values);
        self.unwritten.insert((minute, metric.clone()));
    }

    fn flush(&mut self, now: Minute) -> io::Result<()> {
        let written = self.write_before(now);
        self.forget_before(now - IN_MEMORY);
        let mut surplus = self.count().saturating_sub(MOST_IN_MEMORY);
        while surplus > 0 {
            self.forget_before(self.in_memory_since + 60);
            surplus = self.count().saturating_sub(MOST_IN_MEMORY);
        }
        written?;
        self.segments.prune(now - KEPT, KEPT_BYTES)
    }

    /// Since when there is everything in memory, and what there is of a metric.
    fn between(&self, metric: &MetricId, from: Minute, to: Minute) -> (Minute, Vec<(Minute, StatisticSet)>) {
        let minutes = self.series.get(metric).filter(|_| from < to);
        let wanted = minutes.into_iter().flat_map(|minutes| minutes.range(from..to));
        let found = wanted.map(|(minute, set)| (*minute, set.clone())).collect();
        (self.in_memory_since, found)
    }

    fn write_before(&mut self, before: Minute) -> io::Result<()> {
        let lowest = MetricId::new("", "", []);
        let rest = self.unwritten.split_off(&(before, lowest));
        let ended = std::mem::replace(&mut self.unwritten, rest);
        let entries = ended
            .iter()
            .filter_map(|(minute, metric)| Some((*minute, metric, self.series.get(metric)?.get(minute)?)));
        let written = self.segments.append(entries);
        if written.is_err() {
            self.unwritten.extend(ended);
        }
        written
    }

    fn forget_before(&mut self, minute: Minute) {
        self.in_memory_since = self.in_memory_since.max(minute);
        for minutes in self.series.values_mut() {
            if minutes.first_key_value().is_some_and(|(first, _)| *first < minute) {
                *minutes = minutes.split_off(&minute);
            }
        }
        self.series.retain(|_, minutes| !minutes.is_empty());
        self.unwritten = self.unwritten.split_off(&(minute, MetricId::new("", "", [])));
    }

    fn count(&self) -> usize {
        self.series.values().map(BTreeMap::len).sum()
    }
}

fn minute(at: Timestamp) -> Minute {
    at.as_second().div_euclid(60)
}

/// The first minute that begins at this moment or later.
fn minute_after(at: Timestamp) -> Minute {
    let whole = at.as_second().rem_euclid(60) == 0 && at.subsec_nanosecond() == 0;
    minute(at) + Minute::from(!whole)
}

/// A period in minutes; none is shorter than one.
fn minutes(period: Duration) -> Minute {
    Minute::try_from(period.as_secs() / 60).unwrap_or(Minute::MAX).max(1)
}

fn start_of(minute: Minute) -> Option<Timestamp> {
    Timestamp::from_second(minute.checked_mul(60)?).ok()
}

#[cfg(test)]
mod tests;
