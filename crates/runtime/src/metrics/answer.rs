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
        usage: Some(usage),
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

#[cfg(test)]
mod tests {
    use super::super::StatisticSet;
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn cpu() -> MetricId {
        MetricId::new("AWS/ECS", "CPUUtilization", [("ServiceName", "hello")])
    }

    fn requests() -> MetricId {
        MetricId::new("AWS/ApplicationELB", "RequestCount", [("LoadBalancer", "app/main/1")])
    }

    /// What is answered at 12:34:56 where there were values at 12:30 and 12:31.
    fn ask(query: &MetricQuery) -> MetricAnswer {
        let directory = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-01-02T12:34:56Z".parse().unwrap();
        let store = MetricStore::open(directory.path(), now).unwrap();
        for (at, value) in [("2026-01-02T12:30:00Z", 10.0), ("2026-01-02T12:31:00Z", 20.0)] {
            for metric in [cpu(), requests()] {
                store.put(&metric, at.parse().unwrap(), StatisticSet::of(value));
            }
        }
        answer(&store, &Owners::default(), query, UsageTotals::default(), now)
    }

    fn everything() -> MetricQuery {
        MetricQuery {
            metrics: vec![],
            namespace: None,
            service: None,
            since: Duration::from_mins(15),
            period: MINUTE,
        }
    }

    fn check(query: &MetricQuery, expected: &[(MetricId, Statistic, &[f64])]) {
        let answer = ask(query);
        let found = answer.series.iter().map(|series| {
            let values: Vec<f64> = series.datapoints.iter().map(|point| point.value).collect();
            (series.metric.clone(), series.statistic, values)
        });
        let expected = expected
            .iter()
            .map(|(metric, statistic, values)| (metric.clone(), *statistic, values.to_vec()));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn each_metric_is_told_by_the_statistic_that_suits_it() {
        let (sum, average) = (Statistic::Sum, Statistic::Average);
        check(
            &everything(),
            &[(requests(), sum, &[10.0, 20.0]), (cpu(), average, &[10.0, 20.0])],
        );
        let namespace = Some("AWS/ECS".to_owned());
        check(
            &MetricQuery {
                namespace,
                ..everything()
            },
            &[(cpu(), average, &[10.0, 20.0])],
        );
    }

    #[test]
    fn a_metric_is_told_by_each_statistic_that_is_asked_for() {
        let metrics =
            [Statistic::Maximum, Statistic::Minimum].map(|statistic| MetricSelection::new("CPUUtilization", statistic));
        let period = Duration::from_mins(5);
        let query = MetricQuery {
            metrics: metrics.into(),
            period,
            ..everything()
        };
        check(
            &query,
            &[
                (cpu(), Statistic::Maximum, &[20.0]),
                (cpu(), Statistic::Minimum, &[10.0]),
            ],
        );
        check(
            &MetricQuery {
                service: Some("hello".to_owned()),
                ..query
            },
            &[],
        );
    }

    #[test]
    fn periods_begin_at_multiples_of_their_length() {
        let answer = ask(&MetricQuery {
            period: Duration::from_mins(5),
            ..everything()
        });
        assert_eq!(answer.from.to_string(), "2026-01-02T12:15:00Z");
        assert_eq!(answer.to.to_string(), "2026-01-02T12:35:00Z");
        assert_eq!(answer.series[0].datapoints[0].at.to_string(), "2026-01-02T12:30:00Z");
    }
}
