//! From a line in a log to one task more: a metric filter, an alarm and a policy of a run whose minutes are seconds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use karma_fleet::alarm::{
    AlarmAction, AlarmActions, ComparisonOperator, LowSamplePercentiles, MetricAlarm, TreatMissingData,
};
use karma_fleet::metric::filter_pattern::FilterPattern;
use karma_fleet::metric::{EventValue, MetricFilter, MetricTransformation};
use karma_fleet::metric::{Metric, MetricSource, MetricStatistic, Statistic};
use karma_fleet::scaling::{
    AdjustmentType, ScalableTarget, ScalingPolicy, ScalingPolicyKind, StepAdjustment, StepScaling, SuspendedState,
};
use karma_fleet::{Address, LogConfiguration, Mode, Span};
use karma_ops::{AlarmAnswer, AlarmState, AutoscalingChange, AutoscalingObservation, ServiceObservation};
use karma_runtime::{Control, LocalOrchestrator, Options, Urgency};
use support::fleet::{TestFleet, service, shell};
use support::{PATIENCE, new_fleet, options, secrets};

fn address(kind: &str) -> Address {
    Address {
        module: Vec::new(),
        mode: Mode::Managed,
        kind: kind.to_owned(),
        name: "noisy".to_owned(),
        key: None,
    }
}

fn span() -> Span {
    Span {
        file: "main.tf".into(),
        start: 0,
        end: 0,
    }
}

/// A service that logs an error five times a second. While it does, its policy adds a task, up to three.
fn fleet() -> TestFleet {
    let mut noisy = shell(r#"while :; do echo '{"level":"error"}'; sleep 0.2; done"#);
    noisy.log = Some(LogConfiguration {
        group: "/ecs/noisy".to_owned(),
        stream_prefix: "ecs".to_owned(),
    });
    let mut fleet = new_fleet().with(&service("noisy", noisy));
    let model = &mut fleet.fleet;
    model.metric_filters = BTreeMap::from([(address("aws_cloudwatch_log_metric_filter"), filter())]);
    model.metric_alarms = BTreeMap::from([(address("aws_cloudwatch_metric_alarm"), alarm())]);
    model.scalable_targets = BTreeMap::from([(address("aws_appautoscaling_target"), target())]);
    fleet
}

fn filter() -> MetricFilter {
    let transformation = MetricTransformation {
        namespace: "karma".to_owned(),
        name: "errors".to_owned(),
        value: EventValue::Number(1.0),
        default_value: Some(0.0),
        dimensions: BTreeMap::new(),
        unit: "Count".to_owned(),
    };
    MetricFilter {
        name: "errors".to_owned(),
        log_group: "/ecs/noisy".to_owned(),
        log_group_address: None,
        pattern: FilterPattern::parse("{ $.level = \"error\" }").unwrap(),
        transformation,
        declared_at: span(),
    }
}

fn alarm() -> MetricAlarm {
    let metric = Metric {
        namespace: "karma".to_owned(),
        name: "errors".to_owned(),
        dimensions: BTreeMap::new(),
    };
    MetricAlarm {
        name: "errors".to_owned(),
        description: None,
        source: MetricSource::Single(MetricStatistic {
            metric,
            statistic: Statistic::Sum,
            period: Duration::from_mins(1),
        }),
        comparison: ComparisonOperator::Greater,
        threshold: 0.0,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        treat_missing_data: TreatMissingData::NotBreaching,
        low_sample_percentiles: LowSamplePercentiles::Evaluate,
        actions: AlarmActions {
            alarm: vec![AlarmAction::ScalingPolicy(address("aws_appautoscaling_policy"))],
            ..AlarmActions::default()
        },
        declared_at: span(),
    }
}

fn target() -> ScalableTarget {
    let step = StepAdjustment {
        lower_bound: Some(0.0),
        upper_bound: None,
        adjustment: 1,
    };
    let policy = ScalingPolicy {
        name: "more".to_owned(),
        address: address("aws_appautoscaling_policy"),
        kind: ScalingPolicyKind::StepScaling(StepScaling {
            adjustment_type: AdjustmentType::ChangeInCapacity,
            cooldown: Duration::from_mins(1),
            min_adjustment_magnitude: 0,
            aggregation: Statistic::Average,
            steps: vec![step],
        }),
        declared_at: span(),
    };
    ScalableTarget {
        service: address("aws_ecs_service"),
        min_capacity: 1,
        max_capacity: 3,
        suspended: SuspendedState::default(),
        policies: vec![policy],
        scheduled_actions: Vec::new(),
        declared_at: span(),
    }
}

async fn running_count(local: &LocalOrchestrator) -> usize {
    local.observe().await.services[0].running_count
}

#[tokio::test]
async fn what_is_logged_rings_an_alarm_and_that_adds_tasks() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        speed: NonZeroU32::new(60).unwrap(),
        ..options(directory.path())
    };
    let fleet = fleet();
    let started = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets(), options).await;
    let local = started.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while running_count(&local).await < 3 {
        assert!(Instant::now() < deadline, "it was never scaled: {:#?}", local.alarms());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // Another process is told why.
    let control = Control::connect(&directory.path().join(".karma")).await.unwrap();
    let AlarmAnswer { alarms, activities, .. } = control.alarms().await.unwrap();
    assert_eq!(
        (alarms[0].name.as_str(), alarms[0].state),
        ("errors", AlarmState::Alarm)
    );
    let causes: Vec<_> = activities.iter().map(|activity| activity.cause.as_str()).collect();
    assert_eq!(causes, ["monitor alarm errors in state ALARM triggered policy more"; 2]);

    let told = |service: &ServiceObservation| {
        let mut events = service.events.iter();
        events.any(|event| event.message.contains("triggered policy more"))
    };
    assert!(control.observe().await.unwrap().services.iter().any(told));

    // A person is stronger.
    let limits = AutoscalingChange::Limits {
        min_capacity: 0,
        max_capacity: 5,
    };
    for change in [limits, AutoscalingChange::Suspend] {
        control.change_autoscaling("noisy", change).await.unwrap();
        let refused = control.change_autoscaling("quiet", change).await;
        assert!(refused.is_err(), "there is no such service");
    }
    let looked_after = AutoscalingObservation {
        min_capacity: 0,
        max_capacity: 5,
        suspended: true,
    };
    assert_eq!(local.observe().await.services[0].autoscaling, Some(looked_after));
    local.stop(Urgency::AtOnce).await;
    assert!(directory.path().join(".karma/alarms.json").is_file());
}
