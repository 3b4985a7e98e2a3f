//! How many tasks a service shall have: a pure function of its policies, of what their alarms say, and of the time.
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html>
//!
//! Where the documentation is silent, the choice made here:
//! - a policy that tracks a target wants `ceil(capacity × metric ÷ target)` tasks, for more tasks and for fewer;
//! - for more tasks the metric is its last datapoint, for fewer the highest one that the low alarm has looked at;
//! - a cooldown counts for the whole target, and is that of the policy that began it;
//! - of several that want fewer tasks a step policy does not wait for those that track a target.

use std::time::Duration;

use karma_fleet::scaling::{AdjustmentType, ScaleIn, StepScaling, SuspendedState, TargetTracking};
use karma_ops::AlarmState;

/// Between these the desired count stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

/// A service that may be scaled, as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Capacity {
    /// Its desired count.
    pub(crate) desired: u32,
    pub(crate) limits: Limits,
    pub(crate) suspended: SuspendedState,
    /// A deployment is in progress: no tasks are taken away.
    pub(crate) deploying: bool,
    pub(crate) cooldowns: Cooldowns,
}

/// What the last changes still hold back.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Cooldowns {
    /// Tasks were added.
    pub(crate) out: Option<Cooldown>,
    /// Tasks were taken away.
    pub(crate) scale_in: Option<Cooldown>,
}

/// A change and how long it holds others back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cooldown {
    /// The desired count before.
    pub(crate) from: u32,
    /// The moment of the run at which it is over.
    pub(crate) until: Duration,
}

/// What a policy sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading<'a> {
    Tracking(TrackingReading<'a>),
    Step(StepReading<'a>),
}

/// What a policy that tracks a target sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrackingReading<'a> {
    pub(crate) policy: &'a TargetTracking,
    /// The alarm above the target.
    pub(crate) high: AlarmState,
    /// The alarm below the target.
    pub(crate) low: AlarmState,
    /// The last datapoint.
    pub(crate) last: Option<f64>,
    /// The highest datapoint of those by which the low alarm was judged.
    pub(crate) highest: Option<f64>,
}

/// What a step policy sees while an alarm rings for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepReading<'a> {
    pub(crate) policy: &'a StepScaling,
    pub(crate) threshold: f64,
    /// The alarm's datapoints as one number; `None` where all are missing.
    pub(crate) value: Option<f64>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// The desired count from now on.
    pub(crate) desired: u32,
    /// The position of the reading that wants it.
    pub(crate) by: usize,
    /// What holds for the next change.
    pub(crate) cooldowns: Cooldowns,
}

/// What a policy wants.
#[derive(Debug, Clone, Copy)]
struct Proposal {
    desired: u32,
    by: usize,
}

impl Limits {
    /// The count within the limits that is nearest.
    pub(crate) fn nearest(self, desired: u32) -> u32 {
        desired.min(self.max).max(self.min)
    }
}

/// What the readings ask for; `None` where everything stays. More tasks come before fewer, and the largest count wins.
pub(crate) fn decide_capacity(capacity: &Capacity, readings: &[Reading<'_>], now: Duration) -> Option<Change> {
    scale_out(capacity, readings, now).or_else(|| scale_in(capacity, readings, now))
}

fn scale_out(capacity: &Capacity, readings: &[Reading<'_>], now: Duration) -> Option<Change> {
    if capacity.suspended.dynamic_scaling_out {
        return None;
    }
    let base = capacity.base_for_more(now);
    let wanted = each(readings, |reading| reading.wants_more(base));
    let largest = wanted.max_by_key(|proposal| proposal.desired)?;
    let desired = capacity.limits.nearest(largest.desired);
    let cooldown = Cooldown {
        from: capacity.desired,
        until: now.saturating_add(readings[largest.by].scale_out_cooldown()),
    };
    (desired > capacity.desired).then_some(Change {
        desired,
        by: largest.by,
        // Adding tasks ends what taking some away held back.
        cooldowns: Cooldowns {
            out: Some(cooldown),
            scale_in: None,
        },
    })
}

fn scale_in(capacity: &Capacity, readings: &[Reading<'_>], now: Duration) -> Option<Change> {
    let is_cooling = is_running(capacity.cooldowns.scale_in, now);
    if capacity.suspended.dynamic_scaling_in || capacity.deploying || is_cooling {
        return None;
    }
    let steps = each(readings, |reading| reading.steps_down(capacity.desired));
    let largest = steps
        .chain(track_down(capacity, readings))
        .max_by_key(|proposal| proposal.desired)?;
    let desired = capacity.limits.nearest(largest.desired);
    let cooldown = Cooldown {
        from: capacity.desired,
        until: now.saturating_add(readings[largest.by].scale_in_cooldown()),
    };
    (desired < capacity.desired).then_some(Change {
        desired,
        by: largest.by,
        cooldowns: Cooldowns {
            scale_in: Some(cooldown),
            ..capacity.cooldowns
        },
    })
}

/// What the policies that track targets want together: nothing unless every one of them that may take tasks away is ready to.
fn track_down(capacity: &Capacity, readings: &[Reading<'_>]) -> Option<Proposal> {
    let may = |reading: &&Reading<'_>| matches!(reading, Reading::Tracking(tracking) if tracking.policy.scale_in == ScaleIn::Enabled);
    let wants = |reading: &Reading<'_>| reading.tracks_down(capacity.desired);
    if readings.iter().filter(may).any(|reading| wants(reading).is_none()) {
        return None;
    }
    each(readings, wants).max_by_key(|proposal| proposal.desired)
}

/// The proposals of those readings that have one.
fn each<'r>(
    readings: &'r [Reading<'_>],
    wants: impl Fn(&Reading<'_>) -> Option<u32> + 'r,
) -> impl Iterator<Item = Proposal> + 'r {
    let proposal = move |(by, reading)| wants(reading).map(|desired| Proposal { desired, by });
    readings.iter().enumerate().filter_map(proposal)
}

impl Capacity {
    /// While tasks that were added may not help yet, they count as part of what is wanted next: only a larger want is a new one.
    fn base_for_more(&self, now: Duration) -> u32 {
        let running = self.cooldowns.out.filter(|cooldown| is_running(Some(*cooldown), now));
        running.map_or(self.desired, |cooldown| cooldown.from.min(self.desired))
    }
}

fn is_running(cooldown: Option<Cooldown>, now: Duration) -> bool {
    cooldown.is_some_and(|cooldown| now < cooldown.until)
}

impl Reading<'_> {
    /// More tasks than `base`.
    fn wants_more(&self, base: u32) -> Option<u32> {
        let desired = match self {
            Self::Tracking(tracking) if tracking.high == AlarmState::Alarm => {
                tracking.proportional(base, tracking.last)?
            }
            Self::Tracking(_) => return None,
            Self::Step(step) => step.adjusted(base)?,
        };
        (desired > base).then_some(desired)
    }

    /// Fewer tasks by a step.
    fn steps_down(&self, desired: u32) -> Option<u32> {
        match self {
            Self::Step(step) => step.adjusted(desired).filter(|fewer| *fewer < desired),
            Self::Tracking(_) => None,
        }
    }

    /// Tasks by the low alarm of a tracked target.
    fn tracks_down(&self, desired: u32) -> Option<u32> {
        match self {
            Self::Tracking(tracking)
                if tracking.policy.scale_in == ScaleIn::Enabled && tracking.low == AlarmState::Alarm =>
            {
                tracking
                    .proportional(desired, tracking.highest)
                    .map(|fewer| fewer.min(desired))
            }
            _ => None,
        }
    }

    fn scale_out_cooldown(&self) -> Duration {
        match self {
            Self::Tracking(tracking) => tracking.policy.scale_out_cooldown,
            Self::Step(step) => step.policy.cooldown,
        }
    }

    fn scale_in_cooldown(&self) -> Duration {
        match self {
            Self::Tracking(tracking) => tracking.policy.scale_in_cooldown,
            Self::Step(step) => step.policy.cooldown,
        }
    }
}

impl TrackingReading<'_> {
    fn proportional(&self, base: u32, value: Option<f64>) -> Option<u32> {
        let wanted = (f64::from(base) * value? / self.policy.target_value).ceil();
        Some(whole(wanted))
    }
}

impl StepReading<'_> {
    /// What the step that the value lies in makes of a count.
    fn adjusted(&self, base: u32) -> Option<u32> {
        let above = self.value? - self.threshold;
        let step = self
            .policy
            .steps
            .iter()
            .find(|step| lies_in(above, step.lower_bound, step.upper_bound))?;
        let adjustment = f64::from(step.adjustment);
        let count = f64::from(base);
        Some(whole(match self.policy.adjustment_type {
            AdjustmentType::ExactCapacity => adjustment,
            AdjustmentType::ChangeInCapacity => count + adjustment,
            AdjustmentType::PercentChangeInCapacity => count + self.of_percent(count * adjustment / 100.0),
        }))
    }

    /// A part of a task is one, and of more the whole tasks count.
    fn of_percent(&self, change: f64) -> f64 {
        let least = f64::from(self.policy.min_adjustment_magnitude.max(1));
        if change.abs() > 0.0 {
            change.abs().trunc().max(least).copysign(change)
        } else {
            0.0
        }
    }
}

/// Above the threshold a step has its lower bound, below the threshold its upper one.
fn lies_in(above: f64, lower: Option<f64>, upper: Option<f64>) -> bool {
    let (lower, upper) = (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY));
    if above >= 0.0 {
        lower <= above && above < upper
    } else {
        lower < above && above <= upper
    }
}

/// The count that a number stands for; no count is less than none.
fn whole(number: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number is between both ends of the type, and whole"
    )]
    let count = number.clamp(0.0, f64::from(u32::MAX)) as u32;
    count
}

#[cfg(test)]
mod tests;
