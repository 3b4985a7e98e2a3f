//! What goes through Service Connect names: its metrics in `AWS/ECS`.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html>
//!
//! On ECS every task has a proxy of its own, which knows both ends. Here one proxy serves all clients of a name, so that what clients see is
//! told by the name they call, and not by the client.

use std::collections::BTreeMap;
use std::time::Duration;

use karma_balancer::ListenerStatistics;

use super::collector::{Measurement, since};
use super::requests::{ANSWERS, Counts, per_target, response_times};
use super::sample::{DiscoveryNames, NameStatistics};
use super::statistic_set::as_number;
use super::{MetricId, StatisticSet};

const NAMESPACE: &str = "AWS/ECS";

/// Unlike a load balancer, Service Connect tells response times in these.
const MILLISECOND: Duration = Duration::from_millis(1);

type Names = BTreeMap<DiscoveryNames, NameStatistics>;

/// What a name counts: each event is a value of one.
const EVENTS: Counts<ListenerStatistics> = &[
    ("RequestCount", |counted| counted.requests),
    ("NewConnectionCount", |counted| counted.new_connections),
    ("GrpcRequestCount", |counted| counted.grpc_requests),
];

/// The metrics of a minute, from what was counted before it and after it. What did not happen is not told.
pub(super) fn metrics(before: &Names, now: &Names) -> Vec<Measurement> {
    let mut measured = Vec::new();
    for (names, counted) in now {
        let before = before.get(names);
        for (name, values) in offered(before, counted) {
            measured.extend(of_offer(names, name).map(|metric| (metric, values.clone())));
        }
        let metric = |name| MetricId::new(NAMESPACE, name, [("TargetDiscoveryName", &*names.discovery_name)]);
        measured.extend(called(before, counted).map(|(name, values)| (metric(name), values)));
    }
    measured
}

/// What those who offer a name see.
fn offered<'a>(
    before: Option<&'a NameStatistics>,
    now: &'a NameStatistics,
) -> impl Iterator<Item = (&'static str, StatisticSet)> + 'a {
    let (before, now) = (before.map(|counted| &counted.listener), &now.listener);
    let events = EVENTS
        .iter()
        .map(move |(name, counter)| (*name, StatisticSet::repeated(1.0, since(*counter, before, now))));
    let amount = |count: u64| (count > 0).then(|| StatisticSet::of(as_number(count)));
    let bytes = since(|counted| counted.processed_bytes, before, now);
    let amounts = [
        ("ActiveConnectionCount", amount(now.active_connections)),
        ("ProcessedBytes", amount(bytes)),
    ];
    events.chain(amounts).filter_map(|(name, values)| Some((name, values?)))
}

/// What those who call a name see.
fn called<'a>(
    before: Option<&'a NameStatistics>,
    now: &'a NameStatistics,
) -> impl Iterator<Item = (&'static str, StatisticSet)> + 'a {
    let (before, now) = (before.map(|counted| &counted.targets), &now.targets);
    let answers = ANSWERS.iter().filter(|(name, _)| name.starts_with("HTTPCode"));
    let answers =
        answers.map(move |(name, counter)| (*name, StatisticSet::repeated(1.0, since(*counter, before, now))));
    let others = [
        ("TargetResponseTime", response_times(before, now, MILLISECOND)),
        ("RequestCountPerTarget", per_target(before, now)),
    ];
    answers.chain(others).filter_map(|(name, values)| Some((name, values?)))
}

/// By the name alone, and with the service that offers it.
fn of_offer(names: &DiscoveryNames, metric: &str) -> impl Iterator<Item = MetricId> {
    let discovery_name = ("DiscoveryName", &*names.discovery_name);
    let with_service = names.offered_by.as_ref().map(|(cluster, service)| {
        let dimensions = [("ClusterName", &**cluster), discovery_name, ("ServiceName", service)];
        MetricId::new(NAMESPACE, metric, dimensions)
    });
    [MetricId::new(NAMESPACE, metric, [discovery_name])]
        .into_iter()
        .chain(with_service)
}
