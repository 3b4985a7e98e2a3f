use karma_fleet::metric::Statistic;
use karma_fleet::scaling::{StepAdjustment, TrackedMetric};
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn tracking(scale_in: ScaleIn) -> TargetTracking {
    TargetTracking {
        target_value: 50.0,
        metric: TrackedMetric::CpuUtilization,
        scale_in_cooldown: 5 * MINUTE,
        scale_out_cooldown: MINUTE,
        scale_in,
    }
}

/// The policy's alarms as they would be where a metric has been at a value for long.
fn reading(policy: &TargetTracking, value: Option<f64>) -> Reading<'_> {
    let state = |rings: Option<bool>| match rings {
        Some(true) => AlarmState::Alarm,
        Some(false) => AlarmState::Ok,
        None => AlarmState::InsufficientData,
    };
    Reading::Tracking(TrackingReading {
        policy,
        high: state(value.map(|value| value > policy.target_value)),
        low: state(value.map(|value| value < 0.9 * policy.target_value)),
        last: value,
        highest: value,
    })
}

fn capacity(desired: u32) -> Capacity {
    Capacity {
        desired,
        limits: Limits { min: 1, max: 10 },
        suspended: SuspendedState::default(),
        deploying: false,
        cooldowns: Cooldowns::default(),
    }
}

fn decided(capacity: &Capacity, readings: &[Reading<'_>], now: Duration) -> Option<u32> {
    decide_capacity(capacity, readings, now).map(|change| change.desired)
}

#[test]
fn a_tracked_target_asks_for_tasks_in_proportion() {
    let policy = tracking(ScaleIn::Enabled);
    let check = |desired, value, expected| {
        let decided = decided(&capacity(desired), &[reading(&policy, Some(value))], MINUTE);
        assert_eq!(decided, expected, "{desired} at {value}");
    };
    check(2, 75.0, Some(3));
    check(2, 51.0, Some(3));
    check(4, 100.0, Some(8));
    check(8, 100.0, Some(10));
    check(10, 100.0, None);
    check(2, 50.0, None);
    check(4, 46.0, None);
    check(4, 25.0, Some(2));
    check(4, 1.0, Some(1));
    check(4, 0.0, Some(1));
    check(2, 44.0, None);
    check(0, 90.0, None);
}

#[test]
fn a_busy_minute_is_remembered_before_tasks_are_taken_away() {
    let policy = tracking(ScaleIn::Enabled);
    let quiet_now = Reading::Tracking(TrackingReading {
        policy: &policy,
        high: AlarmState::Ok,
        low: AlarmState::Alarm,
        last: Some(1.0),
        highest: Some(30.0),
    });
    assert_eq!(decided(&capacity(4), &[quiet_now], MINUTE), Some(3));
}

#[test]
fn any_policy_adds_tasks_and_only_all_take_them_away() {
    let (one, other) = (tracking(ScaleIn::Enabled), tracking(ScaleIn::Enabled));
    let disabled = tracking(ScaleIn::Disabled);
    let check = |readings: &[Reading<'_>], expected| {
        assert_eq!(decided(&capacity(4), readings, MINUTE), expected);
    };
    check(&[reading(&one, Some(75.0)), reading(&other, Some(10.0))], Some(6));
    check(&[reading(&one, Some(75.0)), reading(&other, Some(100.0))], Some(8));
    check(&[reading(&one, Some(75.0)), reading(&other, None)], Some(6));
    check(&[reading(&one, Some(10.0)), reading(&other, Some(25.0))], Some(2));
    check(&[reading(&one, Some(10.0)), reading(&other, Some(48.0))], None);
    check(&[reading(&one, Some(10.0)), reading(&other, None)], None);
    check(&[reading(&one, Some(10.0)), reading(&disabled, Some(48.0))], Some(1));
    check(&[reading(&disabled, Some(10.0))], None);
    check(&[], None);
}

#[test]
fn tasks_that_were_just_added_count_toward_what_is_wanted_next() {
    let policy = tracking(ScaleIn::Enabled);
    let readings = |value| [reading(&policy, Some(value))];
    let first = decide_capacity(&capacity(2), &readings(75.0), MINUTE).unwrap();
    assert_eq!(first.desired, 3);
    let after = Capacity {
        cooldowns: first.cooldowns,
        ..capacity(3)
    };
    let half_a_minute_later = MINUTE + MINUTE / 2;
    assert_eq!(decided(&after, &readings(75.0), half_a_minute_later), None);
    assert_eq!(decided(&after, &readings(100.0), half_a_minute_later), Some(4));
    assert_eq!(decided(&after, &readings(75.0), 2 * MINUTE), Some(5));
}

#[test]
fn taking_tasks_away_waits_for_the_last_time_and_adding_some_ends_the_wait() {
    let policy = tracking(ScaleIn::Enabled);
    let first = decide_capacity(&capacity(8), &[reading(&policy, Some(25.0))], MINUTE).unwrap();
    assert_eq!(first.desired, 4);
    let after = Capacity {
        cooldowns: first.cooldowns,
        ..capacity(4)
    };
    assert_eq!(decided(&after, &[reading(&policy, Some(25.0))], 5 * MINUTE), None);
    assert_eq!(decided(&after, &[reading(&policy, Some(25.0))], 6 * MINUTE), Some(2));
    let out = decide_capacity(&after, &[reading(&policy, Some(75.0))], 2 * MINUTE).unwrap();
    assert_eq!((out.desired, out.cooldowns.scale_in), (6, None));
}

#[test]
fn a_deployment_holds_back_taking_away_only() {
    let policy = tracking(ScaleIn::Enabled);
    let deploying = Capacity {
        deploying: true,
        ..capacity(4)
    };
    assert_eq!(decided(&deploying, &[reading(&policy, Some(10.0))], MINUTE), None);
    assert_eq!(decided(&deploying, &[reading(&policy, Some(75.0))], MINUTE), Some(6));
}

#[test]
fn what_is_suspended_does_not_happen() {
    let policy = tracking(ScaleIn::Enabled);
    let check = |dynamic_scaling_in, dynamic_scaling_out, value, expected| {
        let suspended = SuspendedState {
            dynamic_scaling_in,
            dynamic_scaling_out,
            scheduled_scaling: false,
        };
        let capacity = Capacity {
            suspended,
            ..capacity(4)
        };
        assert_eq!(decided(&capacity, &[reading(&policy, Some(value))], MINUTE), expected);
    };
    check(true, false, 10.0, None);
    check(true, false, 75.0, Some(6));
    check(false, true, 75.0, None);
    check(false, true, 25.0, Some(2));
}

fn steps(adjustment_type: AdjustmentType, steps: &[(Option<f64>, Option<f64>, i32)]) -> StepScaling {
    let step = |(lower_bound, upper_bound, adjustment): &(Option<f64>, Option<f64>, i32)| StepAdjustment {
        lower_bound: *lower_bound,
        upper_bound: *upper_bound,
        adjustment: *adjustment,
    };
    StepScaling {
        adjustment_type,
        cooldown: MINUTE,
        min_adjustment_magnitude: 0,
        aggregation: Statistic::Average,
        steps: steps.iter().map(step).collect(),
    }
}

#[test]
fn a_step_is_chosen_by_how_far_the_threshold_is_passed() {
    let up = steps(
        AdjustmentType::ChangeInCapacity,
        &[
            (Some(0.0), Some(10.0), 1),
            (Some(10.0), Some(20.0), 2),
            (Some(20.0), None, 4),
        ],
    );
    let down = steps(
        AdjustmentType::ChangeInCapacity,
        &[(None, Some(-10.0), -2), (Some(-10.0), Some(0.0), -1)],
    );
    let check = |policy: &StepScaling, value, expected| {
        let step = StepReading {
            policy,
            threshold: 60.0,
            value,
        };
        assert_eq!(
            decided(&capacity(4), &[Reading::Step(step)], MINUTE),
            expected,
            "{value:?}"
        );
    };
    check(&up, Some(60.0), Some(5));
    check(&up, Some(69.9), Some(5));
    check(&up, Some(70.0), Some(6));
    check(&up, Some(500.0), Some(8));
    check(&up, Some(59.0), None);
    check(&up, None, None);
    check(&down, Some(59.0), Some(3));
    check(&down, Some(50.0), Some(2));
    check(&down, Some(10.0), Some(2));
}

#[test]
fn adjustments_are_counts_or_percents() {
    let check = |adjustment_type, adjustment, magnitude, expected| {
        let policy = StepScaling {
            min_adjustment_magnitude: magnitude,
            ..steps(adjustment_type, &[(None, None, adjustment)])
        };
        let step = StepReading {
            policy: &policy,
            threshold: 0.0,
            value: Some(1.0),
        };
        let decided = decided(&capacity(5), &[Reading::Step(step)], MINUTE);
        assert_eq!(decided, expected, "{adjustment_type:?} {adjustment}");
    };
    check(AdjustmentType::ExactCapacity, 7, 0, Some(7));
    check(AdjustmentType::ExactCapacity, 99, 0, Some(10));
    check(AdjustmentType::ChangeInCapacity, -9, 0, Some(1));
    check(AdjustmentType::PercentChangeInCapacity, 50, 0, Some(7));
    check(AdjustmentType::PercentChangeInCapacity, 10, 0, Some(6));
    check(AdjustmentType::PercentChangeInCapacity, 10, 3, Some(8));
    check(AdjustmentType::PercentChangeInCapacity, -50, 0, Some(3));
    check(AdjustmentType::PercentChangeInCapacity, -10, 0, Some(4));
    check(AdjustmentType::PercentChangeInCapacity, 0, 3, None);
}

/// So many tasks carry this load, minute after minute.
fn run(mut capacity: Capacity, load: f64, minutes: u32, mut check: impl FnMut(u32)) -> Vec<u32> {
    let policy = tracking(ScaleIn::Enabled);
    let mut counts = vec![capacity.desired];
    for minute in 0..minutes {
        let value = (load / f64::from(capacity.desired)).min(100.0);
        let change = decide_capacity(&capacity, &[reading(&policy, Some(value))], minute * MINUTE);
        if let Some(change) = change {
            (capacity.desired, capacity.cooldowns) = (change.desired, change.cooldowns);
            counts.push(change.desired);
        }
        check(capacity.desired);
    }
    counts
}

proptest! {
    #[test]
    fn nothing_is_ever_decided_outside_the_limits(
        (min, desired, max) in (0u32..20, 0u32..20, 0u32..20).prop_map(|(a, b, c)| {
            let mut all = [a, b, c];
            all.sort_unstable();
            (all[0], all[1], all[2])
        }),
        value in proptest::option::of(0.0f64..10_000.0),
        adjustment in -200i32..200,
    ) {
        let policy = tracking(ScaleIn::Enabled);
        let exact = steps(AdjustmentType::PercentChangeInCapacity, &[(None, None, adjustment)]);
        let step = Reading::Step(StepReading { policy: &exact, threshold: 50.0, value });
        let capacity = Capacity { limits: Limits { min, max }, ..capacity(desired) };
        for readings in [vec![reading(&policy, value)], vec![step.clone()], vec![reading(&policy, value), step]] {
            if let Some(change) = decide_capacity(&capacity, &readings, MINUTE) {
                prop_assert!((min..=max).contains(&change.desired));
                prop_assert_ne!(change.desired, desired);
            }
        }
    }

    #[test]
    fn a_constant_load_goes_one_way_and_comes_to_rest(desired in 1u32..=10, load in 0.0f64..1000.0) {
        let counts = run(capacity(desired), load, 60, |count| assert!((1..=10).contains(&count)));
        let rises = counts.windows(2).all(|pair| pair[0] < pair[1]);
        let falls = counts.windows(2).all(|pair| pair[0] > pair[1]);
        prop_assert!(rises || falls, "{:?}", counts);
        let last = *counts.last().unwrap();
        prop_assert_eq!(run(capacity(last), load, 60, |_| {}), vec![last]);
    }

    #[test]
    fn what_has_been_done_is_not_done_again(desired in 1u32..=10, value in 0.0f64..200.0) {
        let policy = tracking(ScaleIn::Enabled);
        let readings = [reading(&policy, Some(value))];
        if let Some(change) = decide_capacity(&capacity(desired), &readings, MINUTE) {
            let after = Capacity { cooldowns: change.cooldowns, ..capacity(change.desired) };
            prop_assert_eq!(decide_capacity(&after, &readings, MINUTE), None);
        }
    }
}
