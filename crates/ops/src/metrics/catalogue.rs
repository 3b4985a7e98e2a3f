//! What AWS says of its own metrics: what they count, and which statistic is worth looking at.
//!
//! - <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html>
//! - <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>

use serde::{Deserialize, Serialize};

use super::Statistic;

/// What a value counts, in CloudWatch's words.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Hundredths.
    Percent,
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Thousandths of seconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// Millions of bytes; Container Insights means MiB by it.
    Megabytes,
    /// Nobody has said.
    None,
}

const AVERAGED: &[(&str, Unit)] = &[
    ("CPUUtilization", Unit::Percent),
    ("MemoryUtilization", Unit::Percent),
    ("TargetResponseTime", Unit::Seconds),
    ("HealthyHostCount", Unit::Count),
    ("UnHealthyHostCount", Unit::Count),
    ("TaskCpuUtilization", Unit::Percent),
    ("TaskMemoryUtilization", Unit::Percent),
    ("CpuUtilized", Unit::None),
    ("CpuReserved", Unit::None),
    ("MemoryUtilized", Unit::Megabytes),
    ("MemoryReserved", Unit::Megabytes),
    ("StorageReadBytes", Unit::Bytes),
    ("StorageWriteBytes", Unit::Bytes),
    ("TaskCount", Unit::Count),
    ("ServiceCount", Unit::Count),
    ("DesiredTaskCount", Unit::Count),
    ("RunningTaskCount", Unit::Count),
    ("PendingTaskCount", Unit::Count),
    ("DeploymentCount", Unit::Count),
    ("ConsumedLCUs", Unit::Count),
];

const SUMMED_BYTES: &[&str] = &["ProcessedBytes", "TargetProcessedBytes"];

/// All that AWS publishes and that is not averaged is a count of events, to be summed.
const OF_AWS: &[&str] = &["AWS/ECS", "AWS/ApplicationELB", "ECS/ContainerInsights"];

pub(super) fn unit(namespace: &str, name: &str) -> Unit {
    match averaged(namespace, name) {
        _ if !OF_AWS.contains(&namespace) => Unit::None,
        // Service Connect's response times, unlike those of load balancers.
        Some(Unit::Seconds) if namespace == "AWS/ECS" => Unit::Milliseconds,
        Some(unit) => unit,
        None if SUMMED_BYTES.contains(&name) => Unit::Bytes,
        None => Unit::Count,
    }
}

pub(super) fn usual_statistic(namespace: &str, name: &str) -> Statistic {
    if !OF_AWS.contains(&namespace) || averaged(namespace, name).is_some() {
        Statistic::Average
    } else {
        Statistic::Sum
    }
}

fn averaged(namespace: &str, name: &str) -> Option<Unit> {
    let mut averaged = AVERAGED.iter().filter(|_| OF_AWS.contains(&namespace));
    averaged.find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

impl Unit {
    /// `Percent`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "Percent",
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
            Self::Megabytes => "Megabytes",
            Self::None => "None",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_the_unit_and_the_statistic_that_aws_names() {
        let check = |namespace, name, unit_expected, statistic| {
            assert_eq!(unit(namespace, name), unit_expected, "{name}");
            assert_eq!(usual_statistic(namespace, name), statistic, "{name}");
        };
        check("AWS/ECS", "CPUUtilization", Unit::Percent, Statistic::Average);
        check("AWS/ApplicationELB", "RequestCount", Unit::Count, Statistic::Sum);
        check("AWS/ApplicationELB", "ProcessedBytes", Unit::Bytes, Statistic::Sum);
        check(
            "AWS/ApplicationELB",
            "TargetResponseTime",
            Unit::Seconds,
            Statistic::Average,
        );
        check("AWS/ECS", "TargetResponseTime", Unit::Milliseconds, Statistic::Average);
        check("Mine", "CPUUtilization", Unit::None, Statistic::Average);
    }
}
