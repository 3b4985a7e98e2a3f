//! A question about metrics, answered from the store.

use std::time::Duration;

use jiff::Timestamp;
use karma_ops::{MetricAnswer, MetricQuery, MetricSelection, MetricSeries, UsageTotals};

use super::dimensions::Owners;
use super::{MetricFilter, MetricId, MetricStore, Statistic};

/// Answers a question asked at `now`. Periods begin at multiples of their length; the last one may not have ended yet.
pub(crate) fn answer(
    store: &MetricStore,
    owners: &Owners,
    query: &MetricQuery,
    usage: UsageTotals,
    now: Timestamp,
) -> MetricAnswer {
    let period = Duration::from_mins((query.period.as_secs() / 60).max(1));
    let to = at_multiple(now, period).saturating_add(period).unwrap_or(now);
    let from = now.saturating_sub(query.since).unwrap_or(now);
    let mut answer = MetricAnswer {
        from: at_multiple(from, period),
        to,
        period,
        series: Vec::new(),
        usage,
    };
    for metric in store.list(&MetricFilter::default()) {
        let label = owners.label(&metric);
        if !wants(query, &metric, label) {
            continue;
        }
        for statistic in statistics(&query.metrics, &metric) {
            let datapoints = store.query(&metric, statistic, answer.from, to, period);
            if !datapoints.is_empty() {
                answer.series.push(MetricSeries {
                    unit: metric.unit(),
                    service: label.map(str::to_owned),
                    metric: metric.clone(),
                    statistic,
                    datapoints,
                });
            }
        }
    }
    answer
}

fn wants(query: &MetricQuery, metric: &MetricId, label: Option<&str>) -> bool {
    query
        .namespace
        .as_ref()
        .is_none_or(|namespace| *namespace == metric.namespace)
        && query.service.as_ref().is_none_or(|service| label == Some(service))
}

/// What is wanted of a metric.
fn statistics(wanted: &[MetricSelection], metric: &MetricId) -> Vec<Statistic> {
    if wanted.is_empty() {
        return vec![metric.usual_statistic()];
    }
    let selected = wanted.iter().filter(|selection| selection.name == metric.name);
    selected
        .map(|selection| selection.statistic.unwrap_or_else(|| metric.usual_statistic()))
        .collect()
}

/// The last multiple of a period that is not after a moment.
fn at_multiple(at: Timestamp, period: Duration) -> Timestamp {
    let length = i64::try_from(period.as_secs()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_second(at.as_second().div_euclid(length) * length).unwrap_or(at)
}
