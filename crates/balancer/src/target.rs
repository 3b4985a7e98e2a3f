//! One registered target: its health, the requests in flight at it, and its idle connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::drain::Signal;
use crate::health::{HealthState, TargetHealth};
use crate::outlier::{Outlier, OutlierEjection};
use crate::pool::Pool;
use crate::protocol::ProtocolVersion;
use crate::slow_start::Standing;
use crate::statistics::TargetGroupRecord;

/// A registered target. Registering the same address again makes another one.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) protocol_version: ProtocolVersion,
    pub(crate) pool: Pool,
    /// Raised when the deregistration delay is over: whatever is still in flight ends there.
    pub(crate) cut: Arc<Signal>,
    /// What its group counts.
    pub(crate) record: Arc<TargetGroupRecord>,
    health: Mutex<TargetHealth>,
    /// None while it is not healthy.
    standing: Mutex<Option<Standing>>,
    outlier: Mutex<Outlier>,
    in_flight: AtomicUsize,
    leaving: AtomicBool,
    emptied: Notify,
    checks: OnceLock<AbortHandle>,
}

/// A request on its way through a target, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    target: Arc<Target>,
}

impl Target {
    pub(crate) fn new(
        address: SocketAddr,
        health: TargetHealth,
        protocol_version: ProtocolVersion,
        record: Arc<TargetGroupRecord>,
    ) -> Self {
        Self {
            address,
            protocol_version,
            pool: Pool::default(),
            cut: Arc::default(),
            record,
            health: Mutex::new(health),
            standing: Mutex::default(),
            outlier: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
            emptied: Notify::new(),
            checks: OnceLock::new(),
        }
    }

    pub(crate) fn health(&self) -> TargetHealth {
        self.health.lock().expect(NO_PANIC).clone()
    }

    pub(crate) fn state(&self) -> HealthState {
        self.health.lock().expect(NO_PANIC).state
    }

    /// Takes the judgement of a health check, and says whether it is news. A target that leaves is judged no more.
    pub(crate) fn set_health(&self, health: TargetHealth) -> bool {
        let mut current = self.health.lock().expect(NO_PANIC);
        if self.is_leaving() || *current == health {
            return false;
        }
        *current = health;
        true
    }

    /// Its place among the healthy, as its group has last set it.
    pub(crate) fn standing(&self) -> Option<Standing> {
        *self.standing.lock().expect(NO_PANIC)
    }

    pub(crate) fn set_standing(&self, standing: Option<Standing>) {
        *self.standing.lock().expect(NO_PANIC) = standing;
    }

    /// Takes note of a failed connection, and says whether the target is to be left alone from now on.
    pub(crate) fn fail(&self, policy: &OutlierEjection, now: Instant) -> bool {
        self.outlier.lock().expect(NO_PANIC).fail(policy, now).is_some()
    }

    /// Until when it is left alone; none if it is not.
    pub(crate) fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.outlier.lock().expect(NO_PANIC).ejected_until(now)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Counts a request in, unless the target is leaving.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<InFlight> {
        // Counted first and looked up after, while `leave` does it the other way round: so one of the two sees the
        // other, and no request slips in behind a drain that has already ended.
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let admitted = InFlight {
            target: Arc::clone(self),
        };
        (!self.is_leaving()).then_some(admitted)
    }

    /// Stops checks and new requests.
    pub(crate) fn leave(&self) {
        let mut health = self.health.lock().expect(NO_PANIC);
        *health = TargetHealth::draining();
        self.leaving.store(true, Ordering::SeqCst);
        drop(health);
        self.stop_checks();
    }

    /// Waits until nothing is in flight; meant for a target that is leaving.
    pub(crate) async fn quiet(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.in_flight() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Keeps the handle of the task that checks this target.
    pub(crate) fn checked_by(&self, task: AbortHandle) {
        self.checks
            .set(task)
            .expect("a target gets its checks once, when it is registered");
    }

    pub(crate) fn stop_checks(&self) {
        if let Some(task) = self.checks.get() {
            task.abort();
        }
    }
}

impl InFlight {
    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.target
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let was_last = self.target.in_flight.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.target.is_leaving() {
            self.target.emptied.notify_waiters();
        }
    }
}

/// Why the locks of this crate are never poisoned.
pub(crate) const NO_PANIC: &str = "nothing panics while it holds this lock";

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Arc<Target> {
        Arc::new(Target::new(
            SocketAddr::from(([127, 0, 0, 1], 1)),
            TargetHealth::healthy(),
            ProtocolVersion::Http1,
            Arc::default(),
        ))
    }

    #[tokio::test]
    async fn quiet_waits_for_the_last_request() {
        let target = target();
        let request = target.admit().unwrap();
        target.leave();
        let waiting = tokio::spawn({
            let target = Arc::clone(&target);
            async move { target.quiet().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(request);
        waiting.await.unwrap();
    }

    #[test]
    fn who_leaves_admits_nobody_and_is_judged_no_more() {
        let target = target();
        target.leave();
        assert!(target.admit().is_none());
        assert_eq!(target.in_flight(), 0);
        assert!(!target.set_health(TargetHealth::healthy()));
        assert_eq!(target.state(), HealthState::Draining);
    }

    #[test]
    fn health_is_news_only_when_it_differs() {
        let target = target();
        assert!(!target.set_health(TargetHealth::healthy()));
        assert!(target.set_health(TargetHealth::initial()));
    }
}
