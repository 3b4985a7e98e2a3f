//! Leaving a target alone for a while that keeps refusing connections.
//!
//! The numbers are those of [Service Connect][aws], which says that a host with so many failures is avoided for 30 to
//! 300 seconds. That each time is 30 seconds longer than the last is our reading of that, as Envoy does it.
//!
//! [aws]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// When a target is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlierEjection {
    /// So many failed connections are too many,
    pub failures: usize,
    /// if they come within this time.
    pub within: Duration,
    /// How long the target is left alone the first time, and how much longer each further time.
    pub least: Duration,
    /// How long at most. A target that behaves for as long starts anew.
    pub most: Duration,
}

/// The failures of one target.
#[derive(Debug, Default)]
pub(crate) struct Outlier {
    recent: VecDeque<Instant>,
    /// How often it was left alone in a row.
    ejections: u32,
    until: Option<Instant>,
}

impl Default for OutlierEjection {
    fn default() -> Self {
        Self {
            failures: 5,
            within: Duration::from_secs(30),
            least: Duration::from_secs(30),
            most: Duration::from_mins(5),
        }
    }
}

impl Outlier {
    /// Takes note of a failed connection, and says until when the target is to be left alone if this was one too many.
    pub(crate) fn fail(&mut self, policy: &OutlierEjection, now: Instant) -> Option<Instant> {
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|&first| now - first > policy.within) {
            self.recent.pop_front();
        }
        let is_too_much = self.recent.len() >= policy.failures && self.ejected_until(now).is_none();
        is_too_much.then(|| self.eject(policy, now))
    }

    /// Until when the target is to be left alone; none if it is not.
    pub(crate) fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|&until| now < until)
    }

    fn eject(&mut self, policy: &OutlierEjection, now: Instant) -> Instant {
        let has_behaved = self.until.is_some_and(|until| now - until >= policy.most);
        self.ejections = if has_behaved {
            1
        } else {
            self.ejections.saturating_add(1)
        };
        self.recent.clear();
        let until = now + policy.least.saturating_mul(self.ejections).min(policy.most);
        self.until = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a target fail at these seconds, and tells at which it was put aside, and for how many.
    #[track_caller]
    fn check(failures: &[u64], ejections: &[(u64, u64)]) {
        let (start, policy) = (Instant::now(), OutlierEjection::default());
        let mut outlier = Outlier::default();
        let mut seen = Vec::new();
        for &second in failures {
            let now = start + Duration::from_secs(second);
            if let Some(until) = outlier.fail(&policy, now) {
                assert_eq!(
                    (outlier.ejected_until(now), outlier.ejected_until(until)),
                    (Some(until), None)
                );
                seen.push((second, (until - now).as_secs()));
            }
        }
        assert_eq!(seen, ejections);
    }

    #[test]
    fn five_failures_in_half_a_minute_are_too_many() {
        check(&[0, 1, 2, 3], &[]);
        check(&[0, 1, 2, 3, 4], &[(4, 30)]);
        check(&[0, 10, 20, 29, 30], &[(30, 30)]);
        check(&[0, 10, 20, 29, 31], &[]);
        check(&[0, 10, 20, 29, 31, 32], &[(32, 30)]);
    }

    #[test]
    fn each_time_is_longer_than_the_last_up_to_five_minutes() {
        let mut failures = Vec::new();
        let mut ejections = Vec::new();
        let mut second = 0;
        for time in 1..=12 {
            failures.extend([second; 5]);
            let seconds = (30 * time).min(300);
            ejections.push((second, seconds));
            second += seconds;
        }
        check(&failures, &ejections);
    }

    #[test]
    fn who_behaves_for_five_minutes_starts_anew() {
        check(&[&[0; 5][..], &[329; 5]].concat(), &[(0, 30), (329, 60)]);
        check(&[&[0; 5][..], &[330; 5]].concat(), &[(0, 30), (330, 30)]);
    }
}
