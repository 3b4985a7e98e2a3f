//! The two alarms that a policy which tracks a target has made: one above the target, one below.
//!
//! AWS gives no numbers. Here, as has been seen there: more tasks after 3 minutes in a row above the target, fewer after 15 in a row below
//! nine tenths of it.
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html>

use std::collections::BTreeMap;
use std::time::Duration;

use karma_fleet::alarm::{AlarmActions, ComparisonOperator, LowSamplePercentiles, MetricAlarm, TreatMissingData};
use karma_fleet::metric::{DimensionValue, Metric, MetricSource, MetricStatistic, Statistic};
use karma_fleet::scaling::{ScalableTarget, ScaleIn, ScalingPolicy, ScalingPolicyKind, TargetTracking, TrackedMetric};
use karma_fleet::{Fleet, Service};

use crate::metrics::dimensions;

const PERIODS_ABOVE: usize = 3;
const PERIODS_BELOW: usize = 15;
const PART_BELOW: f64 = 0.9;

/// The alarms of all policies of a target.
pub(super) fn alarms(fleet: &Fleet, target: &ScalableTarget) -> Vec<MetricAlarm> {
    let Some(service) = fleet.services.get(&target.service) else {
        return Vec::new();
    };
    let of = |policy: &ScalingPolicy| match &policy.kind {
        ScalingPolicyKind::TargetTracking(tracking) => of_policy(fleet, service, policy, tracking),
        ScalingPolicyKind::StepScaling(_) => Vec::new(),
    };
    target.policies.iter().flat_map(of).collect()
}

/// The name of the alarm above the target. In place of an id that AWS makes up it has the policy's name.
pub(super) fn high_name(fleet: &Fleet, service: &Service, policy: &ScalingPolicy) -> String {
    name(fleet, service, policy, "AlarmHigh")
}

/// The name of the alarm below the target.
pub(super) fn low_name(fleet: &Fleet, service: &Service, policy: &ScalingPolicy) -> String {
    name(fleet, service, policy, "AlarmLow")
}

fn name(fleet: &Fleet, service: &Service, policy: &ScalingPolicy, which: &str) -> String {
    let cluster = dimensions::cluster(fleet, service);
    format!(
        "TargetTracking-service/{cluster}/{}-{which}-{}",
        service.name, policy.name
    )
}

fn of_policy(fleet: &Fleet, service: &Service, policy: &ScalingPolicy, tracking: &TargetTracking) -> Vec<MetricAlarm> {
    let source = source(fleet, service, &tracking.metric);
    let alarm = |name, comparison, threshold, periods| MetricAlarm {
        name,
        description: Some(format!(
            "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.",
            policy.address
        )),
        source: source.clone(),
        comparison,
        threshold,
        evaluation_periods: periods,
        datapoints_to_alarm: periods,
        treat_missing_data: TreatMissingData::Missing,
        low_sample_percentiles: LowSamplePercentiles::Evaluate,
        actions: AlarmActions::default(),
        declared_at: policy.declared_at.clone(),
    };
    let (high, low) = (high_name(fleet, service, policy), low_name(fleet, service, policy));
    let target = tracking.target_value;
    let mut alarms = vec![alarm(high, ComparisonOperator::Greater, target, PERIODS_ABOVE)];
    if tracking.scale_in == ScaleIn::Enabled {
        alarms.push(alarm(low, ComparisonOperator::Less, target * PART_BELOW, PERIODS_BELOW));
    }
    alarms
}

fn source(fleet: &Fleet, service: &Service, metric: &TrackedMetric) -> MetricSource {
    let of_service = |name: &str| {
        let cluster = DimensionValue::Known(dimensions::cluster(fleet, service));
        let service = DimensionValue::Known(service.name.clone());
        let dimensions = [("ClusterName", cluster), ("ServiceName", service)];
        single("AWS/ECS", name, Statistic::Average, dimensions)
    };
    match metric {
        TrackedMetric::CpuUtilization => of_service("CPUUtilization"),
        TrackedMetric::MemoryUtilization => of_service("MemoryUtilization"),
        TrackedMetric::RequestCountPerTarget { target_group } => {
            let dimensions = [("TargetGroup", target_group.clone())];
            single(
                "AWS/ApplicationELB",
                "RequestCountPerTarget",
                Statistic::Sum,
                dimensions,
            )
        }
        TrackedMetric::Customized(source) => source.clone(),
    }
}

fn single<const N: usize>(
    namespace: &str,
    name: &str,
    statistic: Statistic,
    dimensions: [(&str, DimensionValue); N],
) -> MetricSource {
    let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value));
    let metric = Metric {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: BTreeMap::from(dimensions),
    };
    MetricSource::Single(MetricStatistic {
        metric,
        statistic,
        period: Duration::from_mins(1),
    })
}
