//! Target groups: who may get requests, and who gets the next one.
//!
//! The authority is [target groups][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html

mod candidates;
pub(crate) mod settings;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::drain::drain;
use crate::health::{HealthState, TargetHealth};
use crate::probe;
use crate::protocol::ProtocolVersion;
use crate::random;
use crate::selection::Algorithm;
use crate::slow_start::Standing;
use crate::statistics::{TargetGroupRecord, TargetGroupStatistics};
use crate::stickiness::Session;
use crate::target::{InFlight, NO_PANIC, Target};
use crate::target_group::candidates::{Candidates, Route};
use crate::target_group::settings::TargetGroupSettings;

/// A set of targets that serve the same requests. Clones are handles to one and the same group.
///
/// Health checks run on Tokio tasks, so [`Self::register`] and [`Self::deregister`] must be called inside a runtime.
/// The checks end when a target is deregistered or the last handle is dropped.
#[derive(Clone)]
pub struct TargetGroup {
    shared: Arc<Shared>,
}

/// A target as its group sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDescription {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it stands, and why.
    pub health: TargetHealth,
    /// Requests sent to it whose answers are not complete.
    pub in_flight: usize,
}

pub(crate) struct Shared {
    pub(crate) settings: TargetGroupSettings,
    /// All targets in the order of their registration; those that drain stay until they are done.
    members: Mutex<Vec<Arc<Target>>>,
    /// Who gets requests now, worked out at each change so that a request only reads it.
    candidates: RwLock<Arc<Candidates>>,
    record: Arc<TargetGroupRecord>,
    turn: AtomicUsize,
    changes: watch::Sender<u64>,
}

impl TargetGroup {
    /// A group without targets.
    pub fn new(settings: TargetGroupSettings) -> Self {
        let shared = Shared {
            settings,
            members: Mutex::default(),
            candidates: RwLock::default(),
            record: Arc::default(),
            turn: AtomicUsize::new(0),
            changes: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The protocol its targets speak.
    pub(crate) fn protocol_version(&self) -> ProtocolVersion {
        self.shared.settings.protocol_version
    }

    /// The name from the settings.
    pub fn name(&self) -> &str {
        &self.shared.settings.name
    }

    /// Adds a target. Its first check starts at once, and one success makes it healthy. A target that is already
    /// registered stays as it is; one that drains is registered anew beside its old self, which drains on.
    pub fn register(&self, address: SocketAddr) {
        let check = self.shared.settings.health_check.as_ref();
        let health = if check.is_some() {
            TargetHealth::initial()
        } else {
            TargetHealth::healthy()
        };
        let target = Arc::new(Target::new(
            address,
            health,
            self.shared.settings.protocol_version,
            Arc::clone(&self.shared.record),
        ));
        if self.shared.add(&target) {
            if check.is_some() {
                let task = tokio::spawn(probe::watch(Arc::downgrade(&self.shared), Arc::clone(&target)));
                target.checked_by(task.abort_handle());
            }
            self.shared.refresh();
        }
    }

    /// Takes a target out: it gets no new request from now on. The future resolves when the target has nothing in
    /// flight any more, or when the deregistration delay is over; what is in flight then is cut, and its client
    /// gets a 502. The draining goes on even if nobody waits for it. An unknown address resolves at once.
    pub fn deregister(&self, address: SocketAddr) -> impl Future<Output = ()> + Send + 'static + use<> {
        let leaving = self.shared.member(address);
        if let Some(target) = &leaving {
            target.leave();
            self.shared.refresh();
        }
        let shared = Arc::clone(&self.shared);
        let draining = leaving.map(|target| tokio::spawn(async move { shared.see_off(&target).await }));
        async move {
            if let Some(draining) = draining {
                // It fails only when the runtime shuts down, and then nothing is in flight either.
                let _ = draining.await;
            }
        }
    }

    /// All targets, those that drain included, in the order of their registration.
    pub fn targets(&self) -> Vec<TargetDescription> {
        let members = self.shared.members.lock().expect(NO_PANIC);
        members.iter().map(|target| TargetDescription::of(target)).collect()
    }

    /// The health of one target; an address that is not registered is `unused`.
    pub fn health(&self, address: SocketAddr) -> TargetHealth {
        let targets = self.targets();
        let registered = targets.into_iter().rev().find(|target| target.address == address);
        registered.map_or_else(TargetHealth::not_registered, |target| target.health)
    }

    /// What it has counted since it was made, and how many of its targets are healthy and unhealthy now.
    pub fn statistics(&self) -> TargetGroupStatistics {
        let members = self.shared.members.lock().expect(NO_PANIC);
        let standing = |state| members.iter().filter(|target| target.state() == state).count() as u64;
        let (healthy, unhealthy) = (standing(HealthState::Healthy), standing(HealthState::Unhealthy));
        drop(members);
        self.shared.record.snapshot(healthy, unhealthy)
    }

    /// A number that grows whenever a target comes, goes, or changes its health.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// What the client's cookies say of its target; none if the group is not sticky.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Session<'_>> {
        let stickiness = self.shared.settings.stickiness.as_ref()?;
        Some(stickiness.session(self.name(), headers, SystemTime::now()))
    }

    /// Chooses the target for a request; none if the group has no targets.
    pub(crate) fn pick(&self) -> Option<InFlight> {
        self.pick_other_than(None)
    }

    /// As [`Self::pick`], and another target than this one if there is another.
    pub(crate) fn pick_other_than(&self, avoided: Option<&Target>) -> Option<InFlight> {
        loop {
            let candidates = self.shared.candidates();
            let turn = self.shared.next_turn();
            let target = candidates.pick(self.shared.settings.algorithm, turn, avoided)?;
            // Refused only by a target that left since: it is not in the next list.
            if let Some(admitted) = target.admit() {
                self.shared.count(candidates.route);
                return Some(admitted);
            }
        }
    }

    /// The target that a client belongs to; none if it does not get requests any more.
    pub(crate) fn pick_again(&self, session: &Session<'_>) -> Option<InFlight> {
        let candidates = self.shared.candidates();
        let admitted = candidates.find(|target| session.is_with(target.address))?.admit()?;
        self.shared.count(candidates.route);
        Some(admitted)
    }

    /// Takes note of a connection to a target that could not be made, or was lost before it brought an answer.
    pub(crate) fn note_failure(&self, target: &Target) {
        let policy = self.shared.settings.outlier_ejection.as_ref();
        if policy.is_some_and(|policy| target.fail(policy, Instant::now())) {
            self.shared.work_out();
        }
    }
}

impl fmt::Debug for TargetGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TargetGroup")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl TargetDescription {
    fn of(target: &Target) -> Self {
        Self {
            address: target.address,
            health: target.health(),
            in_flight: target.in_flight(),
        }
    }
}

impl Shared {
    /// Works out anew who gets requests, and tells the subscribers.
    pub(crate) fn refresh(&self) {
        self.work_out();
        self.changes.send_modify(|version| *version += 1);
    }

    fn work_out(&self) {
        let members = self.members.lock().expect(NO_PANIC);
        let now = Instant::now();
        set_standings(&members, self.settings.slow_start, now);
        *self.candidates.write().expect(NO_PANIC) = Arc::new(Candidates::among(&members, &self.settings, now));
    }

    fn candidates(&self) -> Arc<Candidates> {
        let candidates = Arc::clone(&self.candidates.read().expect(NO_PANIC));
        if candidates.is_due() {
            self.work_out();
            return Arc::clone(&self.candidates.read().expect(NO_PANIC));
        }
        candidates
    }

    /// Adds a target unless its address is taken, and says whether it did.
    fn add(&self, target: &Arc<Target>) -> bool {
        let mut members = self.members.lock().expect(NO_PANIC);
        let is_new = !members
            .iter()
            .any(|member| member.address == target.address && !member.is_leaving());
        if is_new {
            members.push(Arc::clone(target));
        }
        is_new
    }

    fn member(&self, address: SocketAddr) -> Option<Arc<Target>> {
        let members = self.members.lock().expect(NO_PANIC);
        members
            .iter()
            .find(|member| member.address == address && !member.is_leaving())
            .cloned()
    }

    async fn see_off(&self, target: &Arc<Target>) {
        drain(target, self.settings.deregistration_delay).await;
        self.members
            .lock()
            .expect(NO_PANIC)
            .retain(|member| !Arc::ptr_eq(member, target));
        self.refresh();
    }

    /// Counts a request for which a target was chosen.
    fn count(&self, route: Route) {
        self.record.counters.requests.increment();
        if route == Route::FailOpen {
            self.record.counters.unhealthy_routing_requests.increment();
        }
    }

    fn next_turn(&self) -> usize {
        match self.settings.algorithm {
            Algorithm::WeightedRandom => usize::try_from(random::next() >> 32).unwrap_or_default(),
            Algorithm::RoundRobin | Algorithm::LeastOutstandingRequests => self.turn.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for target in self.members.get_mut().expect(NO_PANIC) {
            target.stop_checks();
        }
    }
}

/// Gives those who have become healthy their place, and takes it from those who are healthy no more.
fn set_standings(members: &[Arc<Target>], slow_start: Duration, now: Instant) {
    for target in members {
        if target.state() != HealthState::Healthy {
            target.set_standing(None);
        } else if target.standing().is_none() {
            let others = members.iter().filter_map(|other| other.standing());
            target.set_standing(Some(Standing::new(others, slow_start, now)));
        }
    }
}

#[cfg(test)]
mod tests;
