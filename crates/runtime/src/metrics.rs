//! Metrics: what CloudWatch would show of the fleet.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>
//!
//! ```text
//! Meters ──Sample──▶ Collector ──each minute──▶ MetricStore ──▶ alarms, scaling, `karma metrics`
//! (tasks, load balancers,  (pure)                    ▲
//!  Service Connect names)              metric filters┘
//! ```
//! Periods are minutes of the run's clock. A metric is known by its namespace, its name and all of its dimensions; who leaves one out asks
//! for another metric.

// What is kept.
mod distribution;
mod segment;
mod statistic_set;
mod store;

// What is measured.
mod collector;
mod meters;
mod requests;
mod sample;
mod sampler;
mod service_connect;
mod task_use;

// What it is called, and how it is asked for.
mod answer;
pub(crate) mod dimensions;

pub(crate) use answer::answer;
pub(crate) use dimensions::Owners;
pub(crate) use karma_ops::{Datapoint, MetricId, Statistic};
pub(crate) use meters::{FrontMeters, Meters};
pub(crate) use sampler::Sampler;
pub(crate) use statistic_set::StatisticSet;
pub(crate) use store::{MetricFilter, MetricStore};
