//! Target groups: who may get requests, and who gets the next one.
//!
//! The authority is [target groups][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::drain::drain;
use crate::health::{HealthCheck, HealthState, TargetHealth};
use crate::probe;
use crate::random;
use crate::selection::Algorithm;
use crate::statistics::{TargetGroupRecord, TargetGroupStatistics};
use crate::target::{InFlight, NO_PANIC, Target};

/// A set of targets that serve the same requests. Clones are handles to one and the same group.
///
/// Health checks run on Tokio tasks, so [`Self::register`] and [`Self::deregister`] must be called inside a runtime.
/// The checks end when a target is deregistered or the last handle is dropped.
#[derive(Clone)]
pub struct TargetGroup {
    shared: Arc<Shared>,
}

/// What a target group is made with.
#[derive(Debug, Clone)]
pub struct TargetGroupSettings {
    /// Name for people.
    pub name: String,
    /// How targets are checked; without, a target is healthy as soon as it is registered.
    pub health_check: Option<HealthCheck>,
    /// How long a target that is deregistered may go on with its open requests.
    pub deregistration_delay: Duration,
    /// How requests are spread.
    pub algorithm: Algorithm,
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

/// Who gets requests.
#[derive(Debug, Default)]
struct Candidates {
    targets: Vec<Arc<Target>>,
    route: Route,
}

/// Why these targets get requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Route {
    /// They are healthy.
    #[default]
    Healthy,
    /// Too few are healthy, so that all that are registered serve.
    FailOpen,
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
        let target = Arc::new(Target::new(address, health, Arc::clone(&self.shared.record)));
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

    /// Chooses the target for a request; none if the group has no targets.
    pub(crate) fn pick(&self) -> Option<InFlight> {
        loop {
            let candidates = Arc::clone(&self.shared.candidates.read().expect(NO_PANIC));
            let turn = self.shared.next_turn();
            let target = self
                .shared
                .settings
                .algorithm
                .pick(&candidates.targets, turn, |target| target.in_flight())?;
            // Refused only by a target that left since: it is not in the next list.
            if let Some(admitted) = target.admit() {
                self.shared.count(candidates.route);
                return Some(admitted);
            }
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
        let members = self.members.lock().expect(NO_PANIC);
        *self.candidates.write().expect(NO_PANIC) = Arc::new(candidates(&members));
        drop(members);
        self.changes.send_modify(|version| *version += 1);
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

/// The healthy targets; if there are none, all that are registered, in the hope that one serves ("fail open"). That
/// new targets, not judged yet, are among those is our choice: AWS is silent, and users report it so.
fn candidates(members: &[Arc<Target>]) -> Candidates {
    let those = |fits: fn(&Target) -> bool| members.iter().filter(|target| fits(target)).cloned().collect();
    let healthy: Vec<_> = those(|target| target.state() == HealthState::Healthy);
    if healthy.is_empty() {
        Candidates {
            targets: those(|target| !target.is_leaving()),
            route: Route::FailOpen,
        }
    } else {
        Candidates {
            targets: healthy,
            route: Route::Healthy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn group(algorithm: Algorithm) -> TargetGroup {
        TargetGroup::new(TargetGroupSettings {
            name: "test".to_owned(),
            health_check: None,
            deregistration_delay: Duration::from_mins(5),
            algorithm,
        })
    }

    fn picked(group: &TargetGroup) -> Option<u16> {
        group.pick().map(|request| request.target().address.port())
    }

    #[tokio::test]
    async fn round_robin_goes_round() {
        let group = group(Algorithm::RoundRobin);
        (1..=3).for_each(|port| group.register(address(port)));
        let served: Vec<_> = (0..6).filter_map(|_| picked(&group)).collect();
        assert_eq!(served, [1, 2, 3, 1, 2, 3]);
    }

    #[tokio::test]
    async fn least_outstanding_avoids_the_busy() {
        let group = group(Algorithm::LeastOutstandingRequests);
        (1..=2).for_each(|port| group.register(address(port)));
        let busy = group.pick().unwrap();
        for _ in 0..3 {
            assert_ne!(picked(&group), Some(busy.target().address.port()));
        }
    }

    #[tokio::test]
    async fn the_healthy_are_preferred_and_without_them_all_serve() {
        let group = group(Algorithm::RoundRobin);
        (1..=2).for_each(|port| group.register(address(port)));
        let first = group.shared.member(address(1)).unwrap();
        first.set_health(TargetHealth::initial());
        group.shared.refresh();
        assert_eq!([picked(&group), picked(&group)], [Some(2), Some(2)]);
        group
            .shared
            .member(address(2))
            .unwrap()
            .set_health(TargetHealth::initial());
        group.shared.refresh();
        let mut both = [picked(&group), picked(&group)];
        both.sort_unstable();
        assert_eq!(both, [Some(1), Some(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn deregistering_waits_for_what_is_in_flight() {
        let group = group(Algorithm::RoundRobin);
        group.register(address(1));
        let request = group.pick().unwrap();
        let mut changes = group.subscribe();
        let done = tokio::spawn(group.deregister(address(1)));
        assert_eq!(group.pick().map(|_| ()), None);
        assert_eq!(group.targets()[0].health.state, HealthState::Draining);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        drop(request);
        done.await.unwrap();
        assert_eq!(group.targets(), []);
        assert_eq!(group.health(address(1)).state, HealthState::Unused);
        assert!(changes.has_changed().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn deregistering_cuts_when_the_delay_is_over() {
        let group = group(Algorithm::RoundRobin);
        group.register(address(1));
        let request = group.pick().unwrap();
        let start = tokio::time::Instant::now();
        group.deregister(address(1)).await;
        assert_eq!(start.elapsed().as_secs(), 300);
        request.target().cut.raised().await;
    }

    #[tokio::test]
    async fn draining_goes_on_when_nobody_waits() {
        let group = group(Algorithm::RoundRobin);
        group.register(address(1));
        let mut changes = group.subscribe();
        drop(group.deregister(address(1)));
        while !group.targets().is_empty() {
            changes.changed().await.unwrap();
        }
    }

    #[tokio::test]
    async fn registering_twice_changes_nothing() {
        let group = group(Algorithm::RoundRobin);
        group.register(address(1));
        group.register(address(1));
        assert_eq!(group.targets().len(), 1);
        group.deregister(address(9)).await;
        assert_eq!(group.targets().len(), 1);
    }
}
