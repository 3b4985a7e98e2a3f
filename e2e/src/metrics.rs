//! The metrics that exist in CloudWatch for a stack like ours. A metric is there only under exactly the dimensions it was published with.

/// What an ECS cluster publishes beyond `AWS/ECS`.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-container-insights.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerInsights {
    /// `disabled`
    Off,
    /// `enabled` or `enhanced`: what is listed here exists in both.
    On,
}

/// Metrics of one namespace that have the same dimensions.
struct Published {
    namespace: &'static str,
    names: &'static [&'static str],
    /// Each in the order of the alphabet.
    dimensions: &'static [&'static [&'static str]],
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html>
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
const PUBLISHED: &[Published] = &[
    Published {
        namespace: "AWS/ECS",
        names: &["CPUUtilization", "MemoryUtilization"],
        dimensions: &[&["ClusterName"], &["ClusterName", "ServiceName"]],
    },
    Published {
        namespace: "AWS/ApplicationELB",
        names: &[
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_3XX_Count",
            "HTTPCode_Target_4XX_Count",
            "HTTPCode_Target_5XX_Count",
            "RequestCount",
            "TargetConnectionErrorCount",
            "TargetResponseTime",
        ],
        dimensions: &[
            &["LoadBalancer"],
            &["AvailabilityZone", "LoadBalancer"],
            &["LoadBalancer", "TargetGroup"],
            &["AvailabilityZone", "LoadBalancer", "TargetGroup"],
        ],
    },
    Published {
        namespace: "AWS/ApplicationELB",
        names: &["HealthyHostCount", "UnHealthyHostCount"],
        dimensions: &[
            &["LoadBalancer", "TargetGroup"],
            &["AvailabilityZone", "LoadBalancer", "TargetGroup"],
        ],
    },
    Published {
        namespace: "ECS/ContainerInsights",
        names: &[
            "DeploymentCount",
            "DesiredTaskCount",
            "PendingTaskCount",
            "RunningTaskCount",
        ],
        dimensions: &[&["ClusterName", "ServiceName"]],
    },
];

/// Why no such metric exists, if so. `own` are the namespace and names of the stack's own metric filters, which have no dimensions.
pub fn missing(
    insights: ContainerInsights,
    own: &[(String, String)],
    namespace: &str,
    name: &str,
    dimensions: &[String],
) -> Option<String> {
    if own
        .iter()
        .any(|(known, metric)| (known.as_str(), metric.as_str()) == (namespace, name))
    {
        return (!dimensions.is_empty()).then(|| format!("{namespace} {name} has no dimensions"));
    }
    if namespace == "ECS/ContainerInsights" && insights == ContainerInsights::Off {
        return Some(format!("{namespace} {name} needs Container Insights"));
    }
    let Some(published) = PUBLISHED
        .iter()
        .find(|published| published.namespace == namespace && published.names.contains(&name))
    else {
        return Some(format!("{namespace} publishes no {name}"));
    };
    let mut sorted: Vec<&str> = dimensions.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    (!published.dimensions.contains(&sorted.as_slice()))
        .then(|| format!("{namespace} {name} is not published by {}", sorted.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(insights: ContainerInsights, namespace: &str, name: &str, dimensions: &[&str]) -> Option<String> {
        let own = [("karma".to_owned(), "errors".to_owned())];
        let dimensions: Vec<String> = dimensions.iter().map(|&dimension| dimension.to_owned()).collect();
        missing(insights, &own, namespace, name, &dimensions)
    }

    #[test]
    fn a_metric_is_there_under_exactly_its_dimensions() {
        use ContainerInsights::{Off, On};
        assert_eq!(
            check(Off, "AWS/ECS", "CPUUtilization", &["ServiceName", "ClusterName"]),
            None
        );
        assert_eq!(check(Off, "karma", "errors", &[]), None);
        assert_eq!(
            check(
                On,
                "ECS/ContainerInsights",
                "RunningTaskCount",
                &["ClusterName", "ServiceName"]
            ),
            None
        );
        for wrong in [
            check(
                Off,
                "ECS/ContainerInsights",
                "RunningTaskCount",
                &["ClusterName", "ServiceName"],
            ),
            check(On, "ECS/ContainerInsights", "RunningTaskCount", &["ServiceName"]),
            check(On, "AWS/ECS", "RunningTaskCount", &["ClusterName", "ServiceName"]),
            check(Off, "AWS/ECS", "CPUUtilization", &["ServiceName"]),
            check(Off, "AWS/ApplicationELB", "HealthyHostCount", &["TargetGroup"]),
            check(Off, "karma", "errors", &["agent"]),
        ] {
            assert!(wrong.is_some());
        }
    }
}
