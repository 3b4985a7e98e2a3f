//! What goes through load balancers: the metrics of `AWS/ApplicationELB`.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
//!
//! As AWS has it, what did not happen in a minute has no value in it, rather than zero. Targets are counted in their Availability Zones; what else AWS
//! tells by the zone of the load balancer's own nodes is not told, since it stands in none here.

use std::collections::BTreeMap;
use std::time::Duration;

use karma_balancer::{Histogram, ListenerStatistics, TargetGroupStatistics};
use karma_fleet::Address;

use super::collector::{Measurement, since};
use super::sample::{Hosts, Sample, TargetGroupNames};
use super::statistic_set::as_number;
use super::{MetricId, StatisticSet};

const NAMESPACE: &str = "AWS/ApplicationELB";

const SECOND: Duration = Duration::from_secs(1);

/// Counters by the names of their metrics.
pub(super) type Counts<T> = &'static [(&'static str, fn(&T) -> u64)];

/// What a load balancer counts: each event is a value of one, so that the sum is their number.
const EVENTS: Counts<ListenerStatistics> = &[
    ("RequestCount", |counted| counted.requests),
    ("NewConnectionCount", |counted| counted.new_connections),
    ("RejectedConnectionCount", |counted| counted.rejected_connections),
    ("RuleEvaluations", |counted| counted.rule_evaluations),
    ("HTTP_Fixed_Response_Count", |counted| counted.fixed_responses),
    ("HTTP_Redirect_Count", |counted| counted.redirects),
    ("HTTPCode_ELB_3XX_Count", |counted| counted.elb_3xx),
    ("HTTPCode_ELB_4XX_Count", |counted| counted.elb_4xx),
    ("HTTPCode_ELB_5XX_Count", |counted| counted.elb_5xx),
    ("HTTPCode_ELB_500_Count", |counted| counted.elb_500),
    ("HTTPCode_ELB_502_Count", |counted| counted.elb_502),
    ("HTTPCode_ELB_503_Count", |counted| counted.elb_503),
    ("HTTPCode_ELB_504_Count", |counted| counted.elb_504),
    ("ClientTLSNegotiationErrorCount", |counted| {
        counted.client_tls_negotiation_errors
    }),
    ("DesyncMitigationMode_NonCompliant_Request_Count", |counted| {
        counted.desync_non_compliant_requests
    }),
    ("GrpcRequestCount", |counted| counted.grpc_requests),
];

/// What a target group counts, for itself and for its load balancer.
pub(super) const ANSWERS: Counts<TargetGroupStatistics> = &[
    ("HTTPCode_Target_2XX_Count", |counted| counted.target_2xx),
    ("HTTPCode_Target_3XX_Count", |counted| counted.target_3xx),
    ("HTTPCode_Target_4XX_Count", |counted| counted.target_4xx),
    ("HTTPCode_Target_5XX_Count", |counted| counted.target_5xx),
    ("TargetConnectionErrorCount", |counted| counted.target_connection_errors),
];

/// What a target group counts for itself alone.
const OWN: Counts<TargetGroupStatistics> = &[
    ("RequestCount", |counted| counted.requests),
    ("UnhealthyRoutingRequestCount", |counted| {
        counted.unhealthy_routing_requests
    }),
];

/// How many healthy and unhealthy targets each group had, in all and in each zone, by the samples of a minute.
#[derive(Debug, Default)]
pub(super) struct HostCounts(BTreeMap<(TargetGroupNames, Option<String>), (StatisticSet, StatisticSet)>);

impl HostCounts {
    /// Groups without targets are not told.
    pub(super) fn note(&mut self, sample: &Sample) {
        for (names, counted) in &sample.target_groups {
            let hosts = Hosts {
                healthy: counted.healthy_hosts,
                unhealthy: counted.unhealthy_hosts,
            };
            self.add(names, None, hosts);
        }
        for ((names, zone), hosts) in &sample.zones {
            self.add(names, Some(zone), *hosts);
        }
    }

    fn add(&mut self, names: &TargetGroupNames, zone: Option<&String>, hosts: Hosts) {
        if hosts == Hosts::default() {
            return;
        }
        let [healthy, unhealthy] = [hosts.healthy, hosts.unhealthy].map(|count| StatisticSet::of(as_number(count)));
        self.0
            .entry((names.clone(), zone.cloned()))
            .and_modify(|known| {
                known.0.merge(&healthy);
                known.1.merge(&unhealthy);
            })
            .or_insert((healthy, unhealthy));
    }

    fn metrics(&self) -> impl Iterator<Item = Measurement> {
        self.0.iter().flat_map(|((names, zone), (healthy, unhealthy))| {
            let metric = |name| {
                let zone = zone.iter().map(|zone| ("AvailabilityZone".to_owned(), zone.clone()));
                let mut metric = of_group(names, name);
                metric.dimensions.extend(zone);
                metric
            };
            [
                (metric("HealthyHostCount"), healthy.clone()),
                (metric("UnHealthyHostCount"), unhealthy.clone()),
            ]
        })
    }
}

/// The metrics of a minute of this length, from what was counted before it and after it.
pub(super) fn metrics(before: &Sample, now: &Sample, hosts: &HostCounts, length: Duration) -> Vec<Measurement> {
    let mut measured = Measured::default();
    for (load_balancer, listeners) in &now.load_balancers {
        let before = before.load_balancers.get(load_balancer);
        let minute = Minute { before, now: listeners };
        of_listeners(&mut measured, load_balancer, &minute, length);
    }
    for (names, counted) in &now.target_groups {
        of_targets(&mut measured, names, before.target_groups.get(names), counted);
    }
    measured.0.into_iter().chain(hosts.metrics()).collect()
}

#[derive(Debug, Default)]
struct Measured(BTreeMap<MetricId, StatisticSet>);

impl Measured {
    /// What did not happen is not told.
    fn add(&mut self, metric: MetricId, values: Option<StatisticSet>) {
        let Some(values) = values else { return };
        self.0
            .entry(metric)
            .and_modify(|known| known.merge(&values))
            .or_insert(values);
    }
}

/// What the listeners of one load balancer had counted before a time, and after it.
pub(super) struct Minute<'a> {
    pub(super) before: Option<&'a Listeners>,
    pub(super) now: &'a Listeners,
}

pub(super) type Listeners = BTreeMap<Address, ListenerStatistics>;

impl Minute<'_> {
    pub(super) fn count(&self, counter: fn(&ListenerStatistics) -> u64) -> u64 {
        let before = |address| self.before.and_then(|before| before.get(address));
        let listeners = self.now.iter();
        listeners
            .map(|(address, now)| since(counter, before(address), now))
            .sum()
    }
}

fn of_listeners(measured: &mut Measured, load_balancer: &str, minute: &Minute<'_>, length: Duration) {
    let metric = |name| MetricId::new(NAMESPACE, name, [("LoadBalancer", load_balancer)]);
    for (name, counter) in EVENTS {
        measured.add(metric(name), StatisticSet::repeated(1.0, minute.count(*counter)));
    }
    let active: u64 = minute.now.values().map(|listener| listener.active_connections).sum();
    let bytes = minute.count(|counted| counted.processed_bytes);
    for (name, value) in [("ActiveConnectionCount", active), ("ProcessedBytes", bytes)] {
        measured.add(metric(name), (value > 0).then(|| StatisticSet::of(as_number(value))));
    }
    let units = capacity_units(minute, active, length);
    measured.add(metric("ConsumedLCUs"), (units > 0.0).then(|| StatisticSet::of(units)));
}

/// Load Balancer Capacity Units: the highest of four measures at the rate of this minute. Ten rules of each request are free; since only their sum
/// is known, a request with fewer leaves some of its ten to others.
/// <https://aws.amazon.com/elasticloadbalancing/pricing/>
fn capacity_units(minute: &Minute<'_>, active: u64, length: Duration) -> f64 {
    let per_second = |count: u64| as_number(count) / length.as_secs_f64().max(1.0);
    let rules = minute.count(|counted| counted.rule_evaluations);
    let free = minute.count(|counted| counted.requests).saturating_mul(10);
    let measures = [
        per_second(minute.count(|counted| counted.new_connections)) / 25.0,
        as_number(active) / 3000.0,
        per_second(minute.count(|counted| counted.processed_bytes)) * 3600.0 / 1e9,
        per_second(rules.saturating_sub(free)) / 1000.0,
    ];
    measures.into_iter().fold(0.0, f64::max)
}

fn of_targets(
    measured: &mut Measured,
    names: &TargetGroupNames,
    before: Option<&TargetGroupStatistics>,
    now: &TargetGroupStatistics,
) {
    let of_load_balancer = |name| MetricId::new(NAMESPACE, name, [("LoadBalancer", &*names.load_balancer)]);
    for (name, counter) in ANSWERS {
        let values = StatisticSet::repeated(1.0, since(*counter, before, now));
        measured.add(of_load_balancer(name), values.clone());
        measured.add(of_group(names, name), values);
    }
    for (name, counter) in OWN {
        let values = StatisticSet::repeated(1.0, since(*counter, before, now));
        measured.add(of_group(names, name), values);
    }
    let times = response_times(before, now, SECOND);
    measured.add(of_load_balancer("TargetResponseTime"), times.clone());
    measured.add(of_group(names, "TargetResponseTime"), times);
    let per_target = per_target(before, now);
    let of_group_alone = MetricId::new(
        NAMESPACE,
        "RequestCountPerTarget",
        [("TargetGroup", &names.target_group)],
    );
    measured.add(of_group_alone, per_target.clone());
    measured.add(of_group(names, "RequestCountPerTarget"), per_target);
}

/// The response times of a minute, in this unit.
pub(super) fn response_times(
    before: Option<&TargetGroupStatistics>,
    now: &TargetGroupStatistics,
    unit: Duration,
) -> Option<StatisticSet> {
    let nothing = Histogram::default();
    let goes_on = |before: &&TargetGroupStatistics| before.response_times.count() <= now.response_times.count();
    let earlier = before
        .filter(goes_on)
        .map_or(&nothing, |counted| &counted.response_times);
    let times = now.response_times.difference(earlier);
    let spread = StatisticSet::spread(
        times
            .buckets()
            .map(|(time, count)| (time.div_duration_f64(unit), count)),
    )?;
    // The sum is known better than the buckets know it.
    let sum = times.sum().div_duration_f64(unit);
    Some(StatisticSet { sum, ..spread })
}

/// The requests of a minute by the targets that could take them: the healthy ones, or all where none is.
pub(super) fn per_target(before: Option<&TargetGroupStatistics>, now: &TargetGroupStatistics) -> Option<StatisticSet> {
    let requests = since(|counted| counted.requests, before, now);
    let targets = if now.healthy_hosts > 0 {
        now.healthy_hosts
    } else {
        now.unhealthy_hosts.max(1)
    };
    (requests > 0).then(|| StatisticSet::of(as_number(requests) / as_number(targets)))
}

fn of_group(names: &TargetGroupNames, metric: &str) -> MetricId {
    let dimensions = [
        ("LoadBalancer", &*names.load_balancer),
        ("TargetGroup", &*names.target_group),
    ];
    MetricId::new(NAMESPACE, metric, dimensions)
}
