//! Metrics: what CloudWatch would show of the fleet.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>
//!
//! ```text
//! tasks, target groups, listeners ──sample──▶ minutes ──put──▶ MetricStore ──query──▶ alarms, scaling, `karma metrics`
//! ```
//! Periods are minutes of the run's clock. A metric is known by its namespace, its name and all of its dimensions; who leaves one out asks
//! for another metric.

mod distribution;
mod segment;
mod statistic_set;
mod store;

pub(crate) use karma_ops::{Datapoint, MetricId, Statistic};
pub(crate) use statistic_set::StatisticSet;
pub(crate) use store::{MetricFilter, MetricStore};
