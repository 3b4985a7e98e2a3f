//! What a target group is made with.
//!
//! The authority is [target group attributes][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html

use std::time::Duration;

use crate::health::HealthCheck;
use crate::outlier::OutlierEjection;
use crate::protocol::ProtocolVersion;
use crate::selection::Algorithm;
use crate::stickiness::Stickiness;

/// What a target group is made with.
#[derive(Debug, Clone)]
pub struct TargetGroupSettings {
    /// Name for people, and what the cookies of clients are tied to.
    pub name: String,
    /// What targets speak, and so which requests they can take.
    pub protocol_version: ProtocolVersion,
    /// How targets are checked; without, a target is healthy as soon as it is registered.
    pub health_check: Option<HealthCheck>,
    /// How long a target that is deregistered may go on with its open requests.
    pub deregistration_delay: Duration,
    /// How requests are spread.
    pub algorithm: Algorithm,
    /// How clients stay with their target; without, each request goes where the algorithm says.
    pub stickiness: Option<Stickiness>,
    /// How long the share of a target that has become healthy grows from nothing to its whole; zero gives it at once.
    pub slow_start: Duration,
    /// With fewer healthy targets than this, all get requests.
    pub minimum_healthy: MinimumHealthy,
    /// When a target that refuses connections is left alone for a while. Load balancers have no such thing, the
    /// proxies of a service mesh do.
    pub outlier_ejection: Option<OutlierEjection>,
}

/// How many targets have to be healthy for the unhealthy ones to be left alone; below either number requests go to all
/// that are registered, in the hope that one serves.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumHealthy {
    /// So many of them; at least one.
    pub count: u32,
    /// So many percent of all that are registered.
    pub percentage: Option<u8>,
}

impl TargetGroupSettings {
    /// What AWS has where nothing is said, but for the health check: there is none.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            protocol_version: ProtocolVersion::default(),
            health_check: None,
            deregistration_delay: Duration::from_mins(5),
            algorithm: Algorithm::default(),
            stickiness: None,
            slow_start: Duration::ZERO,
            minimum_healthy: MinimumHealthy::default(),
            outlier_ejection: None,
        }
    }
}

impl Default for MinimumHealthy {
    fn default() -> Self {
        Self {
            count: 1,
            percentage: None,
        }
    }
}

impl MinimumHealthy {
    /// Whether so many healthy ones of so many registered ones can do without the others.
    pub(crate) fn is_met(self, healthy: usize, registered: usize) -> bool {
        let share = healthy * 100;
        let wanted = registered * usize::from(self.percentage.unwrap_or(0));
        healthy >= self.count.max(1) as usize && share >= wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: u32, percentage: Option<u8>, met: &[(usize, usize)], missed: &[(usize, usize)]) {
        let minimum = MinimumHealthy { count, percentage };
        let is_met = |&(healthy, registered): &(usize, usize)| minimum.is_met(healthy, registered);
        assert!(met.iter().all(is_met), "{minimum:?}");
        assert!(!missed.iter().any(is_met), "{minimum:?}");
    }

    #[test]
    fn both_numbers_have_to_be_met() {
        check(1, None, &[(1, 1), (1, 100)], &[(0, 0), (0, 5)]);
        check(0, None, &[(1, 1)], &[(0, 1)]);
        check(3, None, &[(3, 9)], &[(2, 2)]);
        check(1, Some(50), &[(1, 2), (5, 10)], &[(4, 10), (1, 3), (0, 0)]);
        check(2, Some(10), &[(2, 20)], &[(1, 10), (2, 21)]);
    }
}
