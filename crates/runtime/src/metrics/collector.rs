//! [`Collector`]: samples come in, and out come the metrics of each minute that has ended. It is pure.

use std::collections::BTreeMap;

use karma_ops::UsageTotals;

use super::requests::{self, HostCounts, Minute};
use super::sample::Sample;
use super::task_use::{self, TaskUse};
use super::{MetricId, StatisticSet, service_connect};
use crate::clock::Clock;
use crate::task::TaskId;

/// A metric and its values of one minute.
pub(crate) type Measurement = (MetricId, StatisticSet);

/// What is known of the minute that goes on.
#[derive(Debug)]
pub(crate) struct Collector {
    /// The clock that the samples' moments are of.
    clock: Clock,
    /// What the counters had reached when the minute began.
    began: Sample,
    last: Sample,
    tasks: BTreeMap<TaskId, TaskUse>,
    hosts: HostCounts,
    usage: UsageTotals,
}

impl Collector {
    /// One whose counters begin at zero.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            began: Sample::default(),
            last: Sample::default(),
            tasks: BTreeMap::new(),
            hosts: HostCounts::default(),
            usage: UsageTotals::default(),
        }
    }

    /// Takes note of what is seen now.
    pub(crate) fn note(&mut self, sample: Sample) {
        let real = self.clock.compressed(sample.at.saturating_sub(self.last.at));
        for service in &sample.services {
            for (task, usage) in &service.tasks {
                let before = self.last.services.iter().find_map(|service| service.tasks.get(task));
                self.tasks.entry(task.clone()).or_default().note(before, *usage, real);
            }
        }
        self.hosts.note(&sample);
        self.note_usage(&sample);
        self.last = sample;
    }

    /// Ends the minute, which took so much of the run's time, and begins the next one with what was seen last.
    pub(crate) fn end_minute(&mut self) -> Vec<Measurement> {
        let length = self.last.at.saturating_sub(self.began.at);
        let (began, now) = (std::mem::take(&mut self.began), &self.last);
        let mut measured = task_use::metrics(&now.services, &std::mem::take(&mut self.tasks));
        measured.extend(requests::metrics(&began, now, &std::mem::take(&mut self.hosts), length));
        measured.extend(service_connect::metrics(&began.names, &now.names));
        self.began = Sample {
            services: Vec::new(),
            ..now.clone()
        };
        measured
    }

    /// What has been used since the start.
    pub(crate) fn usage(&self) -> UsageTotals {
        self.usage
    }

    /// A listener that goes takes nothing away of what it has counted.
    fn note_usage(&mut self, sample: &Sample) {
        for (name, now) in &sample.load_balancers {
            let before = self.last.load_balancers.get(name);
            let step = Minute { before, now };
            self.usage.requests += step.count(|counted| counted.requests);
            self.usage.new_connections += step.count(|counted| counted.new_connections);
            self.usage.rule_evaluations += step.count(|counted| counted.rule_evaluations);
            self.usage.processed_bytes += step.count(|counted| counted.processed_bytes);
        }
        (self.usage.duration, self.usage.log_bytes) = (sample.at, sample.log_bytes);
    }
}

/// What a counter has counted since an earlier look at it. One that has less than it had was begun anew.
pub(super) fn since<T>(counter: fn(&T) -> u64, before: Option<&T>, now: &T) -> u64 {
    let (before, now) = (before.map_or(0, counter), counter(now));
    now.checked_sub(before).unwrap_or(now)
}

#[cfg(test)]
mod tests;
