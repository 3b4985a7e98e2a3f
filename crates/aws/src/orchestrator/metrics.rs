//! What CloudWatch has measured of the stack.

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{DimensionFilter, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use karma_ops::{Datapoint, MetricAnswer, MetricId, MetricQuery, MetricSelection, MetricSeries, Statistic};

use super::EcsOrchestrator;
use super::scope::{Scope, ScopedService};
use super::seen::timestamp;
use crate::error::{AwsError, Call};

/// So many series are asked for at once.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
const SERIES: usize = 500;

/// Namespaces whose metrics say which cluster they are of.
const OF_CLUSTERS: [&str; 2] = ["AWS/ECS", "ECS/ContainerInsights"];

/// That of load balancers.
const OF_LOAD_BALANCERS: &str = "AWS/ApplicationELB";

/// A series that is asked for.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    metric: MetricId,
    service: Option<String>,
    statistic: Statistic,
}

/// From when to when, and how much time a datapoint stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    from: Timestamp,
    to: Timestamp,
    period: Duration,
}

impl EcsOrchestrator {
    pub(super) async fn measured(&self, query: &MetricQuery) -> Result<MetricAnswer, AwsError> {
        let window = Window::of(query, Timestamp::now());
        let mut listed = Vec::new();
        for question in questions(&self.scope, query) {
            listed.extend(self.list(question).await?);
        }
        let wanted = wanted(&self.scope, &listed, query);
        let mut found = Vec::new();
        for some in wanted.chunks(SERIES) {
            found.extend(series(&self.clients.cloudwatch, some, window).await?);
        }
        Ok(MetricAnswer {
            from: window.from,
            to: window.to,
            period: window.period,
            series: found,
            usage: None,
        })
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
    async fn list(&self, question: Question) -> Result<Vec<MetricId>, AwsError> {
        let call = Call::new("cloudwatch:ListMetrics", &question.namespace);
        let filter = question
            .cluster
            .map(|cluster| DimensionFilter::builder().name("ClusterName").value(cluster).build());
        let request = self.clients.cloudwatch.list_metrics().namespace(&question.namespace);
        let request = request
            .set_dimensions(filter.map(|filter| vec![filter]))
            .set_metric_name(question.name);
        let mut pages = request.into_paginator().send();
        let mut metrics = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| call.failed(error))?;
            metrics.extend(page.metrics().iter().filter_map(id));
        }
        Ok(metrics)
    }
}

async fn series(client: &Client, wanted: &[Wanted], window: Window) -> Result<Vec<MetricSeries>, AwsError> {
    let call = Call::new("cloudwatch:GetMetricData", "the stack's metrics");
    let queries = wanted
        .iter()
        .enumerate()
        .map(|(position, wanted)| wanted.query(position, window));
    let request = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs(window.from.as_second()))
        .end_time(DateTime::from_secs(window.to.as_second()))
        .scan_by(ScanBy::TimestampAscending);
    let mut pages = request.into_paginator().send();
    let mut results = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.failed(error))?;
        results.extend(page.metric_data_results.unwrap_or_default());
    }
    let series = wanted
        .iter()
        .enumerate()
        .map(|(position, wanted)| wanted.series(position, &results));
    Ok(series.filter(|series| !series.datapoints.is_empty()).collect())
}

/// What is listed: a namespace, or what of it is a cluster's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    namespace: String,
    cluster: Option<String>,
    /// Where only one name is asked for.
    name: Option<String>,
}

fn questions(scope: &Scope, query: &MetricQuery) -> Vec<Question> {
    let name = match query.metrics.as_slice() {
        [only] => Some(only.name.clone()),
        _ => None,
    };
    let of = |namespace: &str, cluster: Option<&str>| Question {
        namespace: namespace.to_owned(),
        cluster: cluster.map(str::to_owned),
        name: name.clone(),
    };
    let clusters = scope.clusters();
    let by_cluster = OF_CLUSTERS
        .iter()
        .flat_map(|namespace| clusters.iter().map(|cluster| of(namespace, Some(cluster))));
    let mut all: Vec<Question> = by_cluster.collect();
    all.push(of(OF_LOAD_BALANCERS, None));
    all.extend(scope.namespaces.iter().map(|namespace| of(namespace, None)));
    match &query.namespace {
        None => all,
        Some(namespace) if all.iter().any(|one| one.namespace == *namespace) => {
            all.retain(|one| one.namespace == *namespace);
            all
        }
        Some(namespace) => vec![of(namespace, None)],
    }
}

/// What of the metrics that there are is the stack's, and asked for.
fn wanted(scope: &Scope, listed: &[MetricId], query: &MetricQuery) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for metric in listed.iter().filter(|metric| is_of_stack(scope, metric)) {
        let service = owner(scope, metric);
        if query.service.is_some() && query.service.as_deref() != service {
            continue;
        }
        for statistic in statistics(&query.metrics, metric) {
            wanted.push(Wanted {
                metric: metric.clone(),
                service: service.map(str::to_owned),
                statistic,
            });
        }
    }
    wanted.sort_by(|one, other| one.metric.cmp(&other.metric));
    wanted
}

/// A load balancer's metrics are the stack's where the load balancer is, or the target group. An account may have others.
fn is_of_stack(scope: &Scope, metric: &MetricId) -> bool {
    if metric.namespace != OF_LOAD_BALANCERS {
        return true;
    }
    let balancer = metric.dimensions.get("LoadBalancer").map(|value| middle(value));
    balancer.is_some_and(|name| scope.listeners.iter().any(|listener| listener.load_balancer == name))
}

/// The label of the service that a metric belongs to, as its dimensions tell.
fn owner<'a>(scope: &'a Scope, metric: &MetricId) -> Option<&'a str> {
    let find = |dimension: &str, is_its: fn(&ScopedService, &str) -> bool| {
        let value = metric.dimensions.get(dimension)?;
        let service = scope.services.iter().find(|service| is_its(service, value))?;
        Some(service.label.as_str())
    };
    find("ServiceName", |service, name| service.name == name)
        .or_else(|| {
            find("TargetGroup", |service, group| {
                service.target_groups.iter().any(|name| name == middle(group))
            })
        })
        .or_else(|| find("TaskDefinitionFamily", |service, family| service.family == family))
        .or_else(|| {
            find("DiscoveryName", |service, name| {
                service.discovery_names.iter().any(|own| own == name)
            })
        })
        .or_else(|| {
            find("TargetDiscoveryName", |service, name| {
                service.discovery_names.iter().any(|own| own == name)
            })
        })
}

/// `main` of `app/main/50dc6c495c0c9188`
fn middle(text: &str) -> &str {
    text.split('/').nth(1).unwrap_or(text)
}

/// What is wanted of a metric.
fn statistics(selections: &[MetricSelection], metric: &MetricId) -> Vec<Statistic> {
    if selections.is_empty() {
        return vec![metric.usual_statistic()];
    }
    let selected = selections.iter().filter(|selection| selection.name == metric.name);
    selected
        .map(|selection| selection.statistic.unwrap_or_else(|| metric.usual_statistic()))
        .collect()
}

fn id(metric: &Metric) -> Option<MetricId> {
    let dimension =
        |one: &aws_sdk_cloudwatch::types::Dimension| Some((one.name()?.to_owned(), one.value()?.to_owned()));
    Some(MetricId {
        namespace: metric.namespace()?.to_owned(),
        name: metric.metric_name()?.to_owned(),
        dimensions: metric.dimensions().iter().filter_map(dimension).collect(),
    })
}

impl Wanted {
    fn query(&self, position: usize, window: Window) -> MetricDataQuery {
        let dimension = |(name, value): (&String, &String)| {
            aws_sdk_cloudwatch::types::Dimension::builder()
                .name(name)
                .value(value)
                .build()
        };
        let metric = Metric::builder()
            .namespace(&self.metric.namespace)
            .metric_name(&self.metric.name)
            .set_dimensions(Some(self.metric.dimensions.iter().map(dimension).collect()))
            .build();
        let period = i32::try_from(window.period.as_secs()).unwrap_or(i32::MAX);
        let statistic = MetricStat::builder()
            .metric(metric)
            .period(period)
            .stat(self.statistic.to_string())
            .build();
        MetricDataQuery::builder()
            .id(query_id(position))
            .metric_stat(statistic)
            .build()
    }

    /// Its values, which may come in several pages.
    fn series(&self, position: usize, results: &[MetricDataResult]) -> MetricSeries {
        let id = query_id(position);
        let own = results.iter().filter(|result| result.id() == Some(id.as_str()));
        let values = own.flat_map(|result| result.timestamps().iter().zip(result.values()));
        let datapoint = |(at, value): (&DateTime, &f64)| {
            Some(Datapoint {
                at: timestamp(Some(at))?,
                value: *value,
            })
        };
        let mut datapoints: Vec<Datapoint> = values.filter_map(datapoint).collect();
        datapoints.sort_by_key(|datapoint| datapoint.at);
        MetricSeries {
            metric: self.metric.clone(),
            service: self.service.clone(),
            unit: self.metric.unit(),
            statistic: self.statistic,
            datapoints,
        }
    }
}

/// An id begins with a small letter.
fn query_id(position: usize) -> String {
    format!("m{position}")
}

impl Window {
    /// Periods begin at multiples of their length; the last one may not have ended yet.
    fn of(query: &MetricQuery, now: Timestamp) -> Self {
        let period = Duration::from_mins((query.period.as_secs() / 60).max(1));
        let from = now.saturating_sub(query.since).unwrap_or(now);
        Self {
            from: at_multiple(from, period),
            to: at_multiple(now, period).saturating_add(period).unwrap_or(now),
            period,
        }
    }
}

/// The last multiple of a period that is not after a moment.
fn at_multiple(at: Timestamp, period: Duration) -> Timestamp {
    let length = i64::try_from(period.as_secs()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_second(at.as_second().div_euclid(length) * length).unwrap_or(at)
}

#[cfg(test)]
mod tests;
