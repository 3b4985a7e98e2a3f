//! Metrics in CloudWatch's words: what is asked, and what is answered.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>

mod catalogue;
pub(crate) mod seconds;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use catalogue::Unit;
pub use karma_fleet::metric::{Statistic, UnknownStatistic};

/// What a metric is known by. Metrics whose dimensions differ in anything are different metrics: none is found by a part of its dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MetricId {
    /// `AWS/ECS`
    pub namespace: String,
    /// `CPUUtilization`
    pub name: String,
    /// `ClusterName` and `ServiceName`, with their values.
    pub dimensions: BTreeMap<String, String>,
}

/// A statistic of a metric over one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Datapoint {
    /// When the period begins.
    pub at: Timestamp,
    /// In the metric's unit.
    pub value: f64,
}

/// A question about metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricQuery {
    /// Which metrics, by name; empty asks for all.
    pub metrics: Vec<MetricSelection>,
    /// Only those of this namespace.
    pub namespace: Option<String>,
    /// Only those of this service, by its label.
    pub service: Option<String>,
    /// How far to look back from now, in seconds.
    #[serde(with = "seconds")]
    pub since: Duration,
    /// How much time a datapoint stands for: whole minutes, in seconds.
    #[serde(with = "seconds")]
    pub period: Duration,
}

/// A metric's name and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSelection {
    /// `TargetResponseTime`
    pub name: String,
    /// `None` is the statistic that AWS calls the most useful one of the metric.
    pub statistic: Option<Statistic>,
}

/// The answer to a [`MetricQuery`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricAnswer {
    /// The first moment that was looked at.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// How much time a datapoint stands for, in seconds.
    #[serde(with = "seconds")]
    pub period: Duration,
    /// What was found, by namespace, name and dimensions. A metric without a datapoint in this time is not among them.
    pub series: Vec<MetricSeries>,
    /// What has been used since the fleet began to run; `None` where nobody counts that, as on AWS (its bill does).
    pub usage: Option<UsageTotals>,
}

/// One statistic of one metric over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSeries {
    /// Which metric.
    #[serde(flatten)]
    pub metric: MetricId,
    /// The label of the service that it belongs to, where it belongs to one.
    pub service: Option<String>,
    /// What its values count.
    pub unit: Unit,
    /// Which statistic the values are.
    pub statistic: Statistic,
    /// Oldest first. A period without data has no datapoint.
    pub datapoints: Vec<Datapoint>,
}

/// What a fleet has used since it began to run: what AWS would bill by use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageTotals {
    /// So much time has passed, in seconds.
    #[serde(with = "seconds")]
    pub duration: Duration,
    /// Requests that the load balancers passed on to targets.
    pub requests: u64,
    /// Connections that the load balancers took or made.
    pub new_connections: u64,
    /// Rules that the load balancers held against requests.
    pub rule_evaluations: u64,
    /// Bytes through the load balancers, in and out.
    pub processed_bytes: u64,
    /// Bytes that tasks wrote to their logs.
    pub log_bytes: u64,
}

impl MetricId {
    /// A metric by its names and dimensions.
    pub fn new<const N: usize>(namespace: &str, name: &str, dimensions: [(&str, &str); N]) -> Self {
        let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.into(),
        }
    }

    /// What the values of this metric count; [`Unit::None`] where nobody has said.
    pub fn unit(&self) -> Unit {
        catalogue::unit(&self.namespace, &self.name)
    }

    /// The statistic that AWS calls the most useful one of this metric; the average where nobody has said.
    pub fn usual_statistic(&self) -> Statistic {
        catalogue::usual_statistic(&self.namespace, &self.name)
    }
}

impl MetricSelection {
    /// A metric and the one statistic of it that is wanted.
    pub fn new(name: impl Into<String>, statistic: Statistic) -> Self {
        Self {
            name: name.into(),
            statistic: Some(statistic),
        }
    }
}

impl MetricSeries {
    /// The last value, if there is any.
    pub fn last(&self) -> Option<f64> {
        self.datapoints.last().map(|datapoint| datapoint.value)
    }
}

/// `AWS/ECS CPUUtilization (ClusterName=main, ServiceName=hello)`
impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.namespace, self.name)?;
        let dimensions: Vec<_> = self
            .dimensions
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if dimensions.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", dimensions.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_and_an_answer_are_plain_data() {
        let query = MetricQuery {
            metrics: vec![MetricSelection::new("TargetResponseTime", Statistic::Percentile(99.0))],
            namespace: None,
            service: Some("hello".to_owned()),
            since: Duration::from_mins(15),
            period: Duration::from_mins(1),
        };
        let written = json!({
            "metrics": [{"name": "TargetResponseTime", "statistic": "p99"}],
            "namespace": null,
            "service": "hello",
            "since": 900,
            "period": 60,
        });
        assert_eq!(serde_json::to_value(&query).unwrap(), written);
        assert_eq!(serde_json::from_value::<MetricQuery>(written).unwrap(), query);
        let usage = UsageTotals {
            duration: Duration::from_millis(1500),
            ..UsageTotals::default()
        };
        let written = serde_json::to_value(usage).unwrap();
        assert_eq!(written["duration"], 1.5);
        assert_eq!(serde_json::from_value::<UsageTotals>(written).unwrap(), usage);
        let bad = json!({"metrics": [], "namespace": null, "service": null, "since": -1, "period": 60});
        assert!(serde_json::from_value::<MetricQuery>(bad).is_err());
    }

    #[test]
    fn a_metric_is_shown_with_its_dimensions() {
        let check = |metric: MetricId, expected: &str| assert_eq!(metric.to_string(), expected);
        check(MetricId::new("Mine", "Errors", []), "Mine Errors");
        let dimensions = [("ServiceName", "hello"), ("ClusterName", "main")];
        check(
            MetricId::new("AWS/ECS", "CPUUtilization", dimensions),
            "AWS/ECS CPUUtilization (ClusterName=main, ServiceName=hello)",
        );
    }
}
