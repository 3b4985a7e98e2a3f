//! The whole way from metrics to desired counts, minute by minute, with the policies that the stack in `terraform/` has.

use std::collections::BTreeMap;

use karma_fleet::alarm::{AlarmAction, AlarmActions, ComparisonOperator, LowSamplePercentiles, TreatMissingData};
use karma_fleet::metric::{DimensionValue, Metric, MetricSource, MetricStatistic, Statistic};
use karma_fleet::scaling::{
    ScalableTarget, ScaleIn, ScalingPolicy, ScalingPolicyKind, ScheduledAction, StepAdjustment, StepScaling,
    TargetTracking, TrackedMetric,
};
use karma_fleet::{
    Address, Cluster, ContainerInsights, DeploymentConfiguration, Mode, NetworkConfiguration, Service, Span,
};
use karma_ops::AlarmState;
use tempfile::TempDir;

use super::*;
use crate::metrics::{MetricId, StatisticSet};

fn address(kind: &str, name: &str) -> Address {
    Address {
        module: Vec::new(),
        mode: Mode::Managed,
        kind: kind.to_owned(),
        name: name.to_owned(),
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

fn tracking(name: &str, metric: TrackedMetric, target_value: f64) -> ScalingPolicy {
    policy(
        name,
        ScalingPolicyKind::TargetTracking(TargetTracking {
            target_value,
            metric,
            scale_in_cooldown: Duration::from_mins(5),
            scale_out_cooldown: Duration::from_mins(1),
            scale_in: ScaleIn::Enabled,
        }),
    )
}

fn policy(name: &str, kind: ScalingPolicyKind) -> ScalingPolicy {
    ScalingPolicy {
        name: name.to_owned(),
        address: address("aws_appautoscaling_policy", name),
        kind,
        declared_at: span(),
    }
}

fn scheduled(name: &str, schedule: &str, min: Option<u32>, max: Option<u32>) -> ScheduledAction {
    ScheduledAction {
        name: name.to_owned(),
        address: address("aws_appautoscaling_scheduled_action", name),
        schedule: schedule.parse().unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        start_time: None,
        end_time: None,
        min_capacity: min,
        max_capacity: max,
        declared_at: span(),
    }
}

/// One service of one to ten tasks.
fn fleet(policies: Vec<ScalingPolicy>, scheduled_actions: Vec<ScheduledAction>) -> Fleet {
    let (cluster, service) = (address("aws_ecs_cluster", "main"), address("aws_ecs_service", "app"));
    let mut fleet = Fleet::default();
    let main = Cluster {
        name: "karma".to_owned(),
        default_capacity_provider_strategy: Vec::new(),
        container_insights: ContainerInsights::Disabled,
        declared_at: span(),
    };
    fleet.clusters.insert(cluster.clone(), main);
    let app = Service {
        name: "karma-app".to_owned(),
        label: "app".to_owned(),
        cluster: Some(cluster),
        task_definition: address("aws_ecs_task_definition", "app"),
        desired_count: 1,
        deployment: DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
        },
        deployment_alarms: None,
        force_new_deployment: false,
        capacity_provider_strategy: Vec::new(),
        network: NetworkConfiguration::default(),
        availability_zone_rebalancing: false,
        health_check_grace_period: Duration::ZERO,
        load_balancers: Vec::new(),
        service_connect: None,
        enable_execute_command: false,
        declared_at: span(),
    };
    fleet.services.insert(service.clone(), app);
    let target = ScalableTarget {
        service,
        min_capacity: 1,
        max_capacity: 10,
        suspended: SuspendedState::default(),
        policies,
        scheduled_actions,
        declared_at: span(),
    };
    fleet
        .scalable_targets
        .insert(address("aws_appautoscaling_target", "app"), target);
    fleet
}

fn stack() -> Fleet {
    let cpu = tracking("app-cpu", TrackedMetric::CpuUtilization, 70.0);
    let memory = tracking("app-memory", TrackedMetric::MemoryUtilization, 80.0);
    fleet(vec![cpu, memory], Vec::new())
}

/// A run that takes no time: metrics are made up from a load that the tasks share.
struct Simulation {
    control_loop: ControlLoop,
    store: MetricStore,
    began: Timestamp,
    minute: u32,
    desired: u32,
    deploying: bool,
    refused: bool,
    log: Vec<String>,
    _directory: TempDir,
}

impl Simulation {
    fn new(fleet: Fleet, desired: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let began = "2026-11-23T15:00:00Z".parse().unwrap();
        let store = MetricStore::open(&directory.path().join("metrics"), began).unwrap();
        let (control_loop, note) = ControlLoop::open(directory.path(), Arc::new(fleet), store.clone(), began);
        assert_eq!(note, None);
        Self {
            control_loop,
            store,
            began,
            minute: 0,
            desired,
            deploying: false,
            refused: false,
            log: Vec::new(),
            _directory: directory,
        }
    }

    /// A minute in which the service uses so much CPU, in percent of one task, and so much memory in percent of each.
    fn minute(&mut self, cpu: Option<f64>, memory: f64) {
        let begin = self.at();
        let cpu = cpu.map(|cpu| (cpu / f64::from(self.desired)).min(100.0));
        for (name, value) in [("CPUUtilization", cpu), ("MemoryUtilization", Some(memory))] {
            let metric = MetricId::new(
                "AWS/ECS",
                name,
                [("ClusterName", "karma"), ("ServiceName", "karma-app")],
            );
            if let Some(value) = value {
                self.store.put(&metric, begin, StatisticSet::of(value));
            }
        }
        self.minute += 1;
        let minute = Minute {
            now: self.minute * Duration::from_mins(1),
            at: self.at(),
        };
        let seen = ServiceCount {
            service: "app".to_owned(),
            desired: self.desired,
            deploying: self.deploying,
        };
        let outcome = self.control_loop.look(minute, std::slice::from_ref(&seen));
        assert!(
            self.control_loop.look(minute, &[seen]).orders.is_empty(),
            "a minute ends once"
        );
        for order in outcome.orders {
            self.carry_out(&order);
        }
    }

    fn carry_out(&mut self, order: &Order) {
        let result = if self.refused {
            Err("it is being replaced".to_owned())
        } else {
            Ok(())
        };
        let before = self.desired;
        if result.is_ok() {
            self.desired = order.desired;
        }
        let activity = self.control_loop.done(order, result, self.at());
        let line = format!("{:3} {before} -> {}: {}", self.minute, order.desired, activity.cause);
        self.log.push(line);
    }

    fn answer(&self) -> AlarmAnswer {
        self.control_loop.answer(self.at())
    }

    fn at(&self) -> Timestamp {
        self.began + self.minute * Duration::from_mins(1)
    }

    fn minutes(&mut self, count: u32, cpu: f64) -> &mut Self {
        for _ in 0..count {
            self.minute(Some(cpu), 30.0);
        }
        self
    }
}

#[test]
fn a_load_that_rises_and_falls_is_followed() {
    let mut run = Simulation::new(stack(), 1);
    run.minutes(10, 40.0).minutes(20, 250.0).minutes(60, 40.0);
    let expected = [
        " 13 1 -> 2: monitor alarm TargetTracking-service/karma/karma-app-AlarmHigh-app-cpu in state ALARM triggered policy app-cpu",
        " 14 2 -> 3: monitor alarm TargetTracking-service/karma/karma-app-AlarmHigh-app-cpu in state ALARM triggered policy app-cpu",
        " 15 3 -> 4: monitor alarm TargetTracking-service/karma/karma-app-AlarmHigh-app-cpu in state ALARM triggered policy app-cpu",
        " 45 4 -> 2: monitor alarm TargetTracking-service/karma/karma-app-AlarmLow-app-memory in state ALARM triggered policy app-memory",
        " 50 2 -> 1: monitor alarm TargetTracking-service/karma/karma-app-AlarmLow-app-memory in state ALARM triggered policy app-memory",
    ];
    assert_eq!(run.log, expected);
}

#[test]
fn what_has_happened_can_be_asked() {
    let mut run = Simulation::new(stack(), 1);
    run.minutes(5, 250.0);
    let answer = run.answer();
    let names: Vec<_> = answer
        .alarms
        .iter()
        .map(|alarm| (alarm.name.as_str(), alarm.state))
        .collect();
    let name = |which| format!("TargetTracking-service/karma/karma-app-{which}");
    let expected = [
        (&*name("AlarmHigh-app-cpu"), AlarmState::Alarm),
        (&*name("AlarmHigh-app-memory"), AlarmState::Ok),
        (&*name("AlarmLow-app-cpu"), AlarmState::Ok),
        (&*name("AlarmLow-app-memory"), AlarmState::InsufficientData),
    ];
    assert_eq!(names, expected);
    assert!(
        answer.alarms[0]
            .reason
            .starts_with("Threshold Crossed: 3 out of the last 3 datapoints [")
    );
    let activity = &answer.activities[0];
    assert_eq!(activity.description, "Setting desired count to 2.");
    let message = "Successfully set desired count to 2. Change successfully fulfilled by ecs.";
    assert_eq!(activity.status_message, message);
    run.control_loop.write().unwrap();
}

#[test]
fn missing_metrics_scale_nothing() {
    let mut run = Simulation::new(stack(), 4);
    for _ in 0..40 {
        run.minute(None, 30.0);
    }
    assert_eq!(run.log, [""; 0]);
}

#[test]
fn a_deployment_holds_back_taking_tasks_away() {
    let mut run = Simulation::new(stack(), 4);
    run.deploying = true;
    run.minutes(30, 40.0);
    assert_eq!(run.desired, 4);
    run.deploying = false;
    run.minutes(1, 40.0);
    assert_eq!(run.desired, 2);
}

#[test]
fn what_is_refused_is_told_and_tried_again() {
    let mut run = Simulation::new(stack(), 1);
    run.refused = true;
    run.minutes(4, 250.0);
    assert_eq!((run.desired, run.log.len()), (1, 2));
    let activity = &run.answer().activities[1];
    assert_eq!(activity.status, ScalingActivityStatus::Failed);
    assert_eq!(
        activity.status_message,
        "Failed to set desired count to 2: it is being replaced."
    );
    run.refused = false;
    run.minutes(1, 250.0);
    assert_eq!(run.desired, 2);
}

#[test]
fn a_count_outside_the_limits_is_brought_within_them_once() {
    let mut run = Simulation::new(stack(), 14);
    run.minutes(1, 40.0);
    assert_eq!(run.log, ["  1 14 -> 10: maximum capacity was set to 10"]);
    run.desired = 12;
    run.minutes(3, 40.0);
    assert_eq!(run.desired, 12, "a person may want more");
}

#[test]
fn limits_follow_the_clock() {
    let actions = vec![
        scheduled("open", "cron(5 15 * * ? *)", Some(3), None),
        scheduled("close", "cron(8 15 * * ? *)", Some(0), Some(1)),
    ];
    let mut run = Simulation::new(fleet(Vec::new(), actions), 1);
    run.minutes(10, 40.0);
    let expected = [
        "  5 1 -> 3: minimum capacity was set to 3",
        "  8 3 -> 1: maximum capacity was set to 1",
    ];
    assert_eq!(run.log, expected);
    let activities = run.answer().activities;
    let told: Vec<_> = activities
        .iter()
        .map(|activity| (&*activity.description, &*activity.cause))
        .collect();
    let expected = [
        (
            "Setting min capacity to 3 and max capacity to 10",
            "scheduled action name open was triggered",
        ),
        ("Setting desired count to 3.", "minimum capacity was set to 3"),
        (
            "Setting min capacity to 0 and max capacity to 1",
            "scheduled action name close was triggered",
        ),
        ("Setting desired count to 1.", "maximum capacity was set to 1"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_person_can_suspend_scaling_and_change_limits() {
    let actions = vec![scheduled("open", "cron(5 15 * * ? *)", Some(3), None)];
    let mut run = Simulation::new(
        fleet(vec![tracking("cpu", TrackedMetric::CpuUtilization, 70.0)], actions),
        1,
    );
    run.control_loop.suspend("app", SuspendedState::ALL).unwrap();
    run.minutes(8, 250.0);
    assert_eq!(run.log, [""; 0]);
    run.control_loop.suspend("app", SuspendedState::default()).unwrap();
    run.control_loop.set_limits("app", Limits { min: 1, max: 2 }).unwrap();
    run.minutes(5, 250.0);
    assert_eq!(run.desired, 2);
    let seen = run.control_loop.observe("app").unwrap();
    assert_eq!((seen.to_string().as_str(), seen.suspended), ("1–2", false));
    assert_eq!(run.control_loop.suspend("web", SuspendedState::ALL), Err(NotScalable));
    assert_eq!(run.control_loop.observe("web"), None);
}

#[test]
fn an_alarm_of_the_stack_asks_a_step_policy_each_minute() {
    let step = |lower, upper, adjustment| StepAdjustment {
        lower_bound: lower,
        upper_bound: upper,
        adjustment,
    };
    let out = policy(
        "out",
        ScalingPolicyKind::StepScaling(StepScaling {
            adjustment_type: karma_fleet::scaling::AdjustmentType::ChangeInCapacity,
            cooldown: Duration::from_mins(2),
            min_adjustment_magnitude: 0,
            aggregation: Statistic::Maximum,
            steps: vec![step(Some(0.0), Some(20.0), 1), step(Some(20.0), None, 2)],
        }),
    );
    let action = AlarmAction::ScalingPolicy(out.address.clone());
    let mut fleet = fleet(vec![out], Vec::new());
    let value = |text: &str| DimensionValue::Known(text.to_owned());
    let dimensions = [("ClusterName", value("karma")), ("ServiceName", value("karma-app"))];
    let source = MetricSource::Single(MetricStatistic {
        metric: Metric {
            namespace: "AWS/ECS".to_owned(),
            name: "CPUUtilization".to_owned(),
            dimensions: dimensions.map(|(name, value)| (name.to_owned(), value)).into(),
        },
        statistic: Statistic::Average,
        period: Duration::from_mins(1),
    });
    let alarm = MetricAlarm {
        name: "busy".to_owned(),
        description: None,
        source,
        comparison: ComparisonOperator::GreaterOrEqual,
        threshold: 60.0,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        treat_missing_data: TreatMissingData::Missing,
        low_sample_percentiles: LowSamplePercentiles::Evaluate,
        actions: AlarmActions {
            alarm: vec![action],
            ..AlarmActions::default()
        },
        declared_at: span(),
    };
    fleet.metric_alarms = BTreeMap::from([(address("aws_cloudwatch_metric_alarm", "busy"), alarm)]);
    let mut run = Simulation::new(fleet, 1);
    run.minutes(2, 40.0).minutes(8, 250.0);
    let cause = "monitor alarm busy in state ALARM triggered policy out";
    let expected = [format!("  3 1 -> 3: {cause}"), format!("  5 3 -> 5: {cause}")];
    assert_eq!(run.log, expected);
}

#[test]
fn another_definition_keeps_what_has_happened() {
    let mut run = Simulation::new(stack(), 1);
    run.minutes(4, 250.0);
    let before = run.answer();
    run.control_loop.follow(&Arc::new(stack()), run.at());
    assert_eq!(run.answer(), before);
}
