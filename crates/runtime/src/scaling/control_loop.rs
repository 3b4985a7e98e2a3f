//! [`ControlLoop`]: once a minute metrics become states of alarms, and those become desired counts.
//!
//! Whoever runs it carries the orders out: the loop itself does nothing but decide, remember and tell.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use karma_fleet::Fleet;
use karma_fleet::alarm::MetricAlarm;
use karma_fleet::scaling::SuspendedState;
use karma_ops::{
    AlarmAnswer, AlarmChange, AlarmOrigin, AutoscalingObservation, ScalingActivity, ScalingActivityStatus,
};

use super::decide::Limits;
use super::memory::MemoryFile;
use super::scaler::{NotScalable, Order, Scaler, ServiceCount};
use crate::alarms::{AlarmBoard, points, remember};
use crate::logs::filter::LogFilters;
use crate::metrics::MetricStore;
use crate::schedules::{self, DueUpdate};

/// Alarms, metric filters and autoscaling of a run.
#[derive(Debug)]
pub(crate) struct ControlLoop {
    store: MetricStore,
    file: MemoryFile,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    fleet: Arc<Fleet>,
    board: AlarmBoard,
    filters: LogFilters,
    scaler: Scaler,
    activities: VecDeque<ScalingActivity>,
    /// When the run began.
    began: Timestamp,
    /// The last minute that was looked at ended then.
    looked_at: Timestamp,
}

/// A moment that a minute has ended by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minute {
    /// The moment of the run.
    pub(crate) now: Duration,
    /// The same as date and time.
    pub(crate) at: Timestamp,
}

/// What the end of a minute has brought.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The alarms whose states have changed.
    pub(crate) changes: Vec<AlarmChange>,
    /// What is to be done; each is reported back by [`ControlLoop::done`].
    pub(crate) orders: Vec<Order>,
    /// What schedules ask for.
    pub(crate) updates: Vec<DueUpdate>,
    /// Scheduled actions have changed limits.
    limits_changed: bool,
}

impl ControlLoop {
    /// The loop of a fleet whose run begins `now`. The note tells where it cannot remember the runs before.
    pub(crate) fn open(
        state_directory: &Path,
        fleet: Arc<Fleet>,
        store: MetricStore,
        now: Timestamp,
    ) -> (Self, Option<String>) {
        let (file, remembered, note) = MemoryFile::open(state_directory);
        let mut inner = Inner {
            fleet: Arc::clone(&fleet),
            board: AlarmBoard::new(remembered.history),
            filters: LogFilters::default(),
            scaler: Scaler::default(),
            activities: remembered.activities,
            began: now,
            looked_at: minute_before(now),
        };
        inner.follow(fleet, now);
        let inner = Mutex::new(inner);
        (Self { store, file, inner }, note)
    }

    /// Follows another definition from now on.
    pub(crate) fn follow(&self, fleet: &Arc<Fleet>, now: Timestamp) {
        let mut inner = self.lock();
        if !Arc::ptr_eq(&inner.fleet, fleet) {
            inner.follow(Arc::clone(fleet), now);
        }
    }

    /// Takes note of a line that a container of a service has logged.
    pub(crate) fn note_log(&self, service: &str, container: &str, message: &str, at: Timestamp) {
        self.lock().filters.note(service, container, message, at, &self.store);
    }

    /// Judges and decides, if a minute has ended since the last time. The metrics of that minute must be in the store.
    pub(crate) fn look(&self, minute: Minute, services: &[ServiceCount]) -> Outcome {
        let end = minute_before(minute.at);
        let mut inner = self.lock();
        if end <= inner.looked_at {
            return Outcome::default();
        }
        inner.end_minute(end, minute.now, services, &self.store)
    }

    /// Takes note that an order has been carried out, or why not.
    pub(crate) fn done(&self, order: &Order, result: Result<(), String>, at: Timestamp) -> ScalingActivity {
        let mut inner = self.lock();
        if result.is_ok() {
            inner.scaler.done(order);
        }
        let activity = activity(order, result, at);
        remember(&mut inner.activities, activity.clone());
        activity
    }

    /// Writes down what has happened.
    pub(crate) fn write(&self) -> io::Result<()> {
        let inner = self.lock();
        self.file.write(inner.board.history(), &inner.activities)
    }

    /// Every alarm, and what has happened until now.
    pub(crate) fn answer(&self, now: Timestamp) -> AlarmAnswer {
        let inner = self.lock();
        AlarmAnswer {
            at: now,
            alarms: inner.board.observe(),
            history: inner.board.history().clone(),
            activities: inner.activities.clone(),
            notes: Vec::new(),
        }
    }

    /// Suspends some sorts of scaling of a service, by its label, and resumes the others.
    pub(crate) fn suspend(&self, service: &str, suspended: SuspendedState) -> Result<(), NotScalable> {
        self.lock().scaler.suspend(service, suspended)
    }

    /// Gives a service, by its label, other limits of its desired count.
    pub(crate) fn set_limits(&self, service: &str, limits: Limits) -> Result<(), NotScalable> {
        self.lock().scaler.set_limits(service, limits)
    }

    /// How a service is looked after, by its label; `None` where it is not.
    pub(crate) fn observe(&self, service: &str) -> Option<AutoscalingObservation> {
        self.lock().scaler.observe(service)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn follow(&mut self, fleet: Arc<Fleet>, now: Timestamp) {
        self.scaler.define(&fleet, now);
        let of_stack = fleet.metric_alarms.values().cloned();
        let of_policies = self.scaler.alarms(&fleet);
        let from = |origin| move |alarm: MetricAlarm| (alarm, origin);
        let alarms = of_policies.into_iter().map(from(AlarmOrigin::TargetTracking));
        let alarms = alarms.chain(of_stack.map(from(AlarmOrigin::Stack)));
        self.board.define(alarms, fleet.composite_alarms.values().cloned(), now);
        self.filters = LogFilters::of(&fleet);
        self.fleet = fleet;
    }

    fn end_minute(&mut self, end: Timestamp, now: Duration, services: &[ServiceCount], store: &MetricStore) -> Outcome {
        self.filters.end_minute(self.looked_at, store);
        let fleet = &self.fleet;
        let updates = schedules::due(fleet.service_schedules.values(), self.began, self.looked_at, end);
        self.looked_at = end;
        let changes = self
            .board
            .judge(|source, count| points(fleet, store, source, end, count), end);
        let (orders, activities) = self.scaler.step(services, &self.board, now, end);
        let limits_changed = !activities.is_empty();
        for activity in activities {
            remember(&mut self.activities, activity);
        }
        Outcome {
            changes,
            orders,
            updates,
            limits_changed,
        }
    }
}

impl Outcome {
    /// Whether everything stays as it was.
    pub(crate) fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.orders.is_empty() && !self.limits_changed
    }
}

fn activity(order: &Order, result: Result<(), String>, at: Timestamp) -> ScalingActivity {
    let desired = order.desired;
    let (status, status_message) = match result {
        Ok(()) => (
            ScalingActivityStatus::Successful,
            format!("Successfully set desired count to {desired}. Change successfully fulfilled by ecs."),
        ),
        Err(reason) => (
            ScalingActivityStatus::Failed,
            format!("Failed to set desired count to {desired}: {reason}."),
        ),
    };
    ScalingActivity {
        at,
        service: order.service.clone(),
        description: format!("Setting desired count to {desired}."),
        cause: order.cause.clone(),
        status,
        status_message,
    }
}

/// The last whole minute.
fn minute_before(at: Timestamp) -> Timestamp {
    let second = at.as_second().div_euclid(60) * 60;
    Timestamp::from_second(second).unwrap_or(at)
}

#[cfg(test)]
mod tests;
