//! [`Scaler`]: every service that may be scaled, and what autoscaling remembers of it. It takes decisions, and carries none out.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use karma_fleet::alarm::MetricAlarm;
use karma_fleet::metric::Statistic;
use karma_fleet::scaling::{ScalableTarget, ScalingPolicy, ScalingPolicyKind, ScheduledAction, SuspendedState};
use karma_fleet::{Address, Fleet, Service};
use karma_ops::{AutoscalingObservation, ScalingActivity, ScalingActivityStatus};

use super::decide::{Capacity, Change, Cooldowns, Limits, Reading, StepReading, TrackingReading, decide_capacity};
use super::tracking;
use crate::alarms::{AlarmBoard, Point, Rung};

/// Every service that may be scaled.
#[derive(Debug, Default)]
pub(crate) struct Scaler {
    targets: BTreeMap<Address, Target>,
}

/// A service as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceCount {
    /// Its label.
    pub(crate) service: String,
    pub(crate) desired: u32,
    /// A deployment is in progress.
    pub(crate) deploying: bool,
}

/// A service shall have another desired count.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// The service's label.
    pub(crate) service: String,
    pub(crate) desired: u32,
    /// Why, in Application Auto Scaling's words.
    pub(crate) cause: String,
    target: Address,
    /// What holds once it is done; `None` leaves the cooldowns as they are.
    cooldowns: Option<Cooldowns>,
}

/// The service is not scaled by itself: the stack says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotScalable;

#[derive(Debug)]
struct Target {
    definition: ScalableTarget,
    /// The service's label.
    service: String,
    policies: Vec<Policy>,
    limits: Limits,
    suspended: SuspendedState,
    cooldowns: Cooldowns,
    /// The limits are new: the desired count has to be brought within them.
    is_unsettled: bool,
    created: Timestamp,
    /// Scheduled actions up to here are done.
    scheduled_until: Timestamp,
}

/// A policy, and the names of its alarms where it has some.
#[derive(Debug)]
struct Policy {
    definition: ScalingPolicy,
    high: String,
    low: String,
}

impl Scaler {
    /// Takes these targets in place of those it has. One whose limits the stack has not changed keeps those it has now.
    pub(crate) fn define(&mut self, fleet: &Fleet, now: Timestamp) {
        let mut before = std::mem::take(&mut self.targets);
        for (address, definition) in &fleet.scalable_targets {
            if let Some(service) = fleet.services.get(&definition.service) {
                let target = Target::new(fleet, definition, service, now);
                let target = target.following(before.remove(address));
                self.targets.insert(address.clone(), target);
            }
        }
    }

    /// The alarms that the policies have made.
    pub(crate) fn alarms(&self, fleet: &Fleet) -> Vec<MetricAlarm> {
        let targets = self.targets.values();
        targets
            .flat_map(|target| tracking::alarms(fleet, &target.definition))
            .collect()
    }

    /// What is to be done at the end of a minute, and what has changed without an order.
    pub(crate) fn step(
        &mut self,
        services: &[ServiceCount],
        board: &AlarmBoard,
        now: Duration,
        at: Timestamp,
    ) -> (Vec<Order>, Vec<ScalingActivity>) {
        let (mut orders, mut activities) = (Vec::new(), Vec::new());
        for (address, target) in &mut self.targets {
            activities.extend(target.follow_schedule(at));
            if let Some(service) = services.iter().find(|service| service.service == target.service) {
                orders.extend(target.decide(address, service, board, now));
            }
        }
        (orders, activities)
    }

    /// Takes note that an order has been carried out.
    pub(crate) fn done(&mut self, order: &Order) {
        if let Some(target) = self.targets.get_mut(&order.target) {
            target.is_unsettled = false;
            target.cooldowns = order.cooldowns.unwrap_or(target.cooldowns);
        }
    }

    /// Suspends some sorts of scaling of a service, and resumes the others.
    pub(crate) fn suspend(&mut self, service: &str, suspended: SuspendedState) -> Result<(), NotScalable> {
        self.target(service)?.suspended = suspended;
        Ok(())
    }

    /// Gives a service other limits; its desired count is brought within them.
    pub(crate) fn set_limits(&mut self, service: &str, limits: Limits) -> Result<(), NotScalable> {
        let target = self.target(service)?;
        (target.limits, target.is_unsettled) = (limits, true);
        Ok(())
    }

    /// How a service is looked after, by its label; `None` where it is not.
    pub(crate) fn observe(&self, service: &str) -> Option<AutoscalingObservation> {
        let target = self.targets.values().find(|target| target.service == service)?;
        Some(AutoscalingObservation {
            min_capacity: target.limits.min,
            max_capacity: target.limits.max,
            suspended: target.suspended == SuspendedState::ALL,
        })
    }

    fn target(&mut self, service: &str) -> Result<&mut Target, NotScalable> {
        let mut targets = self.targets.values_mut();
        let found = targets.find(|target| target.service == service);
        found.ok_or(NotScalable)
    }
}

impl Target {
    fn new(fleet: &Fleet, definition: &ScalableTarget, service: &Service, now: Timestamp) -> Self {
        let policy = |policy: &ScalingPolicy| Policy {
            high: tracking::high_name(fleet, service, policy),
            low: tracking::low_name(fleet, service, policy),
            definition: policy.clone(),
        };
        Self {
            definition: definition.clone(),
            service: service.label.clone(),
            policies: definition.policies.iter().map(policy).collect(),
            limits: Limits {
                min: definition.min_capacity,
                max: definition.max_capacity,
            },
            suspended: definition.suspended,
            cooldowns: Cooldowns::default(),
            // To register a target brings its count within the limits.
            is_unsettled: true,
            created: now,
            scheduled_until: now,
        }
    }

    fn following(mut self, before: Option<Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        let limits = |target: &Self| (target.definition.min_capacity, target.definition.max_capacity);
        if limits(&self) == limits(&before) {
            (self.limits, self.is_unsettled) = (before.limits, before.is_unsettled);
        }
        if self.definition.suspended == before.definition.suspended {
            self.suspended = before.suspended;
        }
        Self {
            cooldowns: before.cooldowns,
            created: before.created,
            scheduled_until: before.scheduled_until,
            ..self
        }
    }

    /// Does what was due by now, in the order of time. An action that was due several times is done once.
    fn follow_schedule(&mut self, at: Timestamp) -> Vec<ScalingActivity> {
        let since = std::mem::replace(&mut self.scheduled_until, at);
        if self.suspended.scheduled_scaling {
            return Vec::new();
        }
        let created = self.created;
        let mut due: Vec<(Timestamp, &ScheduledAction)> = self
            .definition
            .scheduled_actions
            .iter()
            .filter_map(|action| Some((last_due(action, since, at, created)?, action)))
            .collect();
        due.sort_by_key(|(when, action)| (*when, action.name.clone()));
        let mut limits = self.limits;
        let activities = due
            .into_iter()
            .map(|(when, action)| {
                limits = limits_after(limits, action);
                limits_activity(&self.service, limits, action, when)
            })
            .collect();
        self.is_unsettled |= limits != self.limits;
        self.limits = limits;
        activities
    }

    fn decide(
        &mut self,
        address: &Address,
        service: &ServiceCount,
        board: &AlarmBoard,
        now: Duration,
    ) -> Option<Order> {
        if self.is_unsettled {
            return self.settle(address, service);
        }
        let capacity = Capacity {
            desired: service.desired,
            limits: self.limits,
            suspended: self.suspended,
            deploying: service.deploying,
            cooldowns: self.cooldowns,
        };
        let (readings, asked): (Vec<_>, Vec<_>) = self.readings(board).into_iter().unzip();
        let change = decide_capacity(&capacity, &readings, now)?;
        Some(Order {
            service: self.service.clone(),
            desired: change.desired,
            cause: asked[change.by].cause(&change, service.desired),
            target: address.clone(),
            cooldowns: Some(change.cooldowns),
        })
    }

    /// Brings the desired count within new limits.
    fn settle(&mut self, address: &Address, service: &ServiceCount) -> Option<Order> {
        let desired = self.limits.nearest(service.desired);
        let (which, limit) = if desired > service.desired {
            ("minimum", self.limits.min)
        } else {
            ("maximum", self.limits.max)
        };
        if desired == service.desired {
            self.is_unsettled = false;
            return None;
        }
        Some(Order {
            service: self.service.clone(),
            desired,
            cause: format!("{which} capacity was set to {limit}"),
            target: address.clone(),
            cooldowns: None,
        })
    }

    /// What each policy sees, and who asks it.
    fn readings<'a>(&'a self, board: &'a AlarmBoard) -> Vec<(Reading<'a>, Asked<'a>)> {
        self.policies.iter().flat_map(|policy| policy.readings(board)).collect()
    }
}

impl Policy {
    fn readings<'a>(&'a self, board: &'a AlarmBoard) -> Vec<(Reading<'a>, Asked<'a>)> {
        match &self.definition.kind {
            ScalingPolicyKind::TargetTracking(policy) => {
                let reading = TrackingReading {
                    policy,
                    high: board.state(&self.high),
                    low: board.state(&self.low),
                    last: values(board.points(&self.high)).next_back(),
                    highest: values(board.points(&self.low)).reduce(f64::max),
                };
                vec![(Reading::Tracking(reading), Asked::ByTarget(self))]
            }
            ScalingPolicyKind::StepScaling(policy) => {
                let rung = board.rung().filter(|rung| *rung.policy == self.definition.address);
                rung.map(|rung| {
                    let reading = StepReading {
                        policy,
                        threshold: rung.alarm.threshold,
                        value: aggregate(policy.aggregation, rung.points),
                    };
                    (Reading::Step(reading), Asked::ByAlarm(self, rung))
                })
                .collect()
            }
        }
    }
}

/// Who asks a policy.
enum Asked<'a> {
    /// One of its own alarms.
    ByTarget(&'a Policy),
    /// An alarm of the stack.
    ByAlarm(&'a Policy, Rung<'a>),
}

impl Asked<'_> {
    fn cause(&self, change: &Change, before: u32) -> String {
        let (policy, alarm, state) = match self {
            Self::ByTarget(policy) if change.desired > before => (policy, &policy.high, karma_ops::AlarmState::Alarm),
            Self::ByTarget(policy) => (policy, &policy.low, karma_ops::AlarmState::Alarm),
            Self::ByAlarm(policy, rung) => (policy, &rung.alarm.name, rung.state),
        };
        let policy = &policy.definition.name;
        format!("monitor alarm {alarm} in state {state} triggered policy {policy}")
    }
}

/// When an action was due last after `since` and by `at`.
fn last_due(action: &ScheduledAction, since: Timestamp, at: Timestamp, created: Timestamp) -> Option<Timestamp> {
    let mut last = None;
    let mut after = since;
    while let Some(next) = action.next_after(after, created).filter(|next| *next <= at) {
        (last, after) = (Some(next), next);
    }
    last
}

/// A new limit beyond the other one moves that too: a minimum above the maximum would leave no count at all.
fn limits_after(limits: Limits, action: &ScheduledAction) -> Limits {
    match (action.min_capacity, action.max_capacity) {
        (Some(min), None) => Limits {
            min,
            max: limits.max.max(min),
        },
        (min, Some(max)) => Limits {
            min: min.unwrap_or(limits.min).min(max),
            max,
        },
        (None, None) => limits,
    }
}

fn limits_activity(service: &str, limits: Limits, action: &ScheduledAction, at: Timestamp) -> ScalingActivity {
    let set = format!("min capacity to {} and max capacity to {}", limits.min, limits.max);
    ScalingActivity {
        at,
        service: service.to_owned(),
        description: format!("Setting {set}"),
        cause: format!("scheduled action name {} was triggered", action.name),
        status: ScalingActivityStatus::Successful,
        status_message: format!("Successfully set {set}"),
    }
}

fn aggregate(statistic: Statistic, points: &[Option<Point>]) -> Option<f64> {
    match statistic {
        Statistic::Minimum => values(points).reduce(f64::min),
        Statistic::Maximum => values(points).reduce(f64::max),
        _ => average(points),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an alarm has fewer than 2^52 datapoints")]
fn average(points: &[Option<Point>]) -> Option<f64> {
    let sum = values(points).reduce(|one, other| one + other)?;
    Some(sum / values(points).count() as f64)
}

fn values(points: &[Option<Point>]) -> impl DoubleEndedIterator<Item = f64> {
    points.iter().flatten().map(|point| point.value)
}
