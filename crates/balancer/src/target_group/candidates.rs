//! Who gets requests: worked out at each change, so that a request only has to pick.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::health::HealthState;
use crate::random;
use crate::selection::Algorithm;
use crate::slow_start::Standing;
use crate::target::Target;
use crate::target_group::settings::TargetGroupSettings;

/// The targets that get requests.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    targets: Vec<Candidate>,
    pub(crate) route: Route,
    slow_start: Duration,
    /// Until then the targets do not all have the same share.
    uneven_until: Option<Instant>,
    /// When somebody is to be looked at again who is left alone for now.
    review_at: Option<Instant>,
}

/// Why these targets get requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Route {
    /// They are healthy.
    #[default]
    Healthy,
    /// Too few are healthy, so that all that are registered serve ("fail open").
    FailOpen,
}

#[derive(Debug)]
struct Candidate {
    target: Arc<Target>,
    standing: Standing,
}

impl Candidates {
    /// The healthy targets; if they are too few, all that are registered. That new targets, not judged yet, are among
    /// those is our choice: AWS is silent, and users report it so.
    ///
    /// Who is left alone for his failures is not among them, unless that are all.
    pub(crate) fn among(members: &[Arc<Target>], settings: &TargetGroupSettings, now: Instant) -> Self {
        let registered: Vec<_> = members.iter().filter(|target| !target.is_leaving()).collect();
        let is_healthy = |target: &&&Arc<Target>| target.state() == HealthState::Healthy;
        let healthy = registered.iter().filter(is_healthy).count();
        let route = if settings.minimum_healthy.is_met(healthy, registered.len()) {
            Route::Healthy
        } else {
            Route::FailOpen
        };
        let serves = |target: &&&Arc<Target>| route == Route::FailOpen || is_healthy(target);
        let serving: Vec<_> = registered.iter().filter(serves).copied().collect();
        let review_at = serving.iter().filter_map(|target| target.ejected_until(now)).min();
        let (ejected, accepted): (Vec<_>, Vec<_>) = serving
            .into_iter()
            .partition(|target| target.ejected_until(now).is_some());
        let chosen = if accepted.is_empty() { ejected } else { accepted };
        Self::new(chosen, route, settings.slow_start, review_at)
    }

    fn new(chosen: Vec<&Arc<Target>>, route: Route, slow_start: Duration, review_at: Option<Instant>) -> Self {
        let targets: Vec<_> = chosen.into_iter().map(Candidate::new).collect();
        let growing = targets.iter().filter_map(|candidate| candidate.standing.grows_since);
        Self {
            uneven_until: growing.max().map(|since| since + slow_start),
            targets,
            route,
            slow_start,
            review_at,
        }
    }

    /// Whether it is time to work them out anew.
    pub(crate) fn is_due(&self) -> bool {
        self.review_at.is_some_and(|at| at <= Instant::now())
    }

    /// One of them; none if there are none. `turn` is as [`Algorithm::pick`] has it.
    pub(crate) fn pick(&self, algorithm: Algorithm, turn: usize, avoid: Option<&Target>) -> Option<&Arc<Target>> {
        let in_flight = |candidate: &Candidate| candidate.target.in_flight();
        if avoid.is_none() && self.uneven_until.is_none() {
            return algorithm
                .pick(&self.targets, turn, in_flight)
                .map(|found| &found.target);
        }
        let now = Instant::now();
        let others =
            |candidate: &&Candidate| avoid.is_none_or(|avoid| !std::ptr::eq(&raw const *candidate.target, avoid));
        let drawn: Vec<_> = self
            .targets
            .iter()
            .filter(others)
            .filter(|candidate| random::chance() < candidate.standing.share(self.slow_start, now))
            .collect();
        let picked = algorithm.pick(&drawn, turn, |candidate| in_flight(candidate)).copied();
        // Nobody was drawn, or there is nobody else: better than nothing is any.
        let picked = picked
            .or_else(|| self.targets.iter().find(others))
            .or(self.targets.first());
        picked.map(|candidate| &candidate.target)
    }

    /// The first that fits.
    pub(crate) fn find(&self, fits: impl Fn(&Target) -> bool) -> Option<&Arc<Target>> {
        let mut targets = self.targets.iter().map(|candidate| &candidate.target);
        targets.find(|target| fits(target))
    }
}

impl Candidate {
    fn new(target: &Arc<Target>) -> Self {
        Self {
            target: Arc::clone(target),
            standing: target.standing().unwrap_or(Standing { grows_since: None }),
        }
    }
}
