//! The datapoints that an alarm or a policy looks at, out of the store.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use karma_fleet::Fleet;
use karma_fleet::metric::{MetricMath, MetricQuery, MetricSource, MetricStatistic, Statistic};

use super::Point;
use super::math::{self, Series};
use crate::metrics::{MetricId, MetricStore, dimensions};

/// The datapoints of the last periods before `end`, oldest first. Periods end at `end`, however the calendar runs: the window slides.
pub(crate) fn points(
    fleet: &Fleet,
    store: &MetricStore,
    source: &MetricSource,
    end: Timestamp,
    count: usize,
) -> Vec<Option<Point>> {
    let window = Window::new(end, source.period(), count);
    match source {
        MetricSource::Single(single) => window.single(fleet, store, single),
        MetricSource::Math(math) => window.math(fleet, store, math),
    }
}

/// What a source is, in words.
pub(crate) fn watched(source: &MetricSource) -> String {
    match source {
        MetricSource::Single(single) => format!("{} of {}", single.statistic, single.metric),
        MetricSource::Math(math) => match math.queries.get(&math.returned) {
            Some(MetricQuery::Expression(expression)) => expression.to_string(),
            Some(MetricQuery::Metric(metric)) => format!("{} of {}", metric.statistic, metric.metric),
            None => math.returned.clone(),
        },
    }
}

/// Periods of one length, one after the other.
struct Window {
    from: Timestamp,
    to: Timestamp,
    period: Duration,
    count: usize,
}

impl Window {
    fn new(end: Timestamp, period: Duration, count: usize) -> Self {
        let length = period.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        Self {
            from: end.saturating_sub(length).unwrap_or(Timestamp::MIN),
            to: end,
            period,
            count,
        }
    }

    fn single(&self, fleet: &Fleet, store: &MetricStore, source: &MetricStatistic) -> Vec<Option<Point>> {
        let Some(metric) = dimensions::metric(fleet, &source.metric) else {
            return vec![None; self.count];
        };
        let values = self.values(store, &metric, source.statistic);
        let samples = match source.statistic {
            Statistic::Percentile(_) => self.values(store, &metric, Statistic::SampleCount),
            _ => vec![None; self.count],
        };
        let at = |index| self.start(index);
        let both = values.into_iter().zip(samples).enumerate();
        both.map(|(index, (value, samples))| {
            value.map(|value| Point {
                at: at(index),
                value,
                samples,
            })
        })
        .collect()
    }

    fn math(&self, fleet: &Fleet, store: &MetricStore, math: &MetricMath) -> Vec<Option<Point>> {
        let series = |query: &MetricQuery| match query {
            MetricQuery::Metric(source) => Some(match dimensions::metric(fleet, &source.metric) {
                Some(metric) => self.values(store, &metric, source.statistic),
                None => vec![None; self.count],
            }),
            MetricQuery::Expression(_) => None,
        };
        let metrics: BTreeMap<String, Series> = math
            .queries
            .iter()
            .filter_map(|(id, query)| Some((id.clone(), series(query)?)))
            .collect();
        let values = math::compute(math, &metrics, self.count);
        let point = |(index, value): (usize, Option<f64>)| {
            value.map(|value| Point {
                at: self.start(index),
                value,
                samples: None,
            })
        };
        values.into_iter().enumerate().map(point).collect()
    }

    fn values(&self, store: &MetricStore, metric: &MetricId, statistic: Statistic) -> Series {
        let mut values = vec![None; self.count];
        for datapoint in store.query(metric, statistic, self.from, self.to, self.period) {
            if let Some(value) = self.index(datapoint.at).and_then(|index| values.get_mut(index)) {
                *value = Some(datapoint.value);
            }
        }
        values
    }

    fn index(&self, at: Timestamp) -> Option<usize> {
        let passed = u128::try_from(at.duration_since(self.from).as_millis()).ok()?;
        usize::try_from(passed / self.period.as_millis()).ok()
    }

    fn start(&self, index: usize) -> Timestamp {
        let passed = self.period.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.from.saturating_add(passed).unwrap_or(self.to)
    }
}
