//! [`RoundTrip`]: after how long a message that nobody has acknowledged is sent again.
//!
//! [RFC 6298](https://www.rfc-editor.org/rfc/rfc6298), with the numbers of AWS's own client:
//! <https://github.com/aws/session-manager-plugin/blob/mainline/src/config/config.go>

use std::time::Duration;

/// Where nothing was measured yet.
const FIRST_TIMEOUT: Duration = Duration::from_millis(200);
/// So long at most.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(1);
/// No clock is finer.
const GRANULARITY: Duration = Duration::from_millis(10);

/// How long messages take to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    smoothed: Duration,
    variation: Duration,
    timeout: Duration,
}

impl Default for RoundTrip {
    fn default() -> Self {
        Self {
            smoothed: Duration::from_millis(100),
            variation: Duration::ZERO,
            timeout: FIRST_TIMEOUT,
        }
    }
}

impl RoundTrip {
    /// A message is to be sent again after so long.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The same after another measurement.
    #[must_use]
    pub(crate) fn measured(self, took: Duration) -> Self {
        let took = took.min(LONGEST_TIMEOUT);
        let variation = (self.variation * 3 + self.smoothed.abs_diff(took)) / 4;
        let smoothed = (self.smoothed * 7 + took) / 8;
        Self {
            smoothed,
            variation,
            timeout: (smoothed + GRANULARITY.max(variation * 4)).min(LONGEST_TIMEOUT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_measurement_counts_by_the_formula() {
        let measured = RoundTrip::default().measured(20 * MILLISECOND);
        assert_eq!(measured.variation, 20 * MILLISECOND);
        assert_eq!(measured.smoothed, 90 * MILLISECOND);
        assert_eq!(measured.timeout(), 170 * MILLISECOND);
    }

    proptest::proptest! {
        #[test]
        fn a_timeout_is_never_shorter_than_the_clock_nor_longer_than_a_second(
            took in proptest::collection::vec(0_u64..100_000, 1..50)
        ) {
            let mut round_trip = RoundTrip::default();
            for took in took {
                round_trip = round_trip.measured(Duration::from_millis(took));
                proptest::prop_assert!((GRANULARITY..=LONGEST_TIMEOUT).contains(&round_trip.timeout()));
            }
        }
    }
}
