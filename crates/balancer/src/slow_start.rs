//! Letting a target that has become healthy grow into its share of the requests.
//!
//! The authority is [slow start mode][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#slow-start-mode

use std::time::Duration;

use tokio::time::Instant;

/// A target's place among the healthy ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// When its slow start began; none if it had its whole share at once.
    pub(crate) grows_since: Option<Instant>,
}

impl Standing {
    /// The place of a target that has become healthy just now. It starts slowly only beside another that takes its
    /// whole share already: somebody has to serve.
    pub(crate) fn new(others: impl IntoIterator<Item = Self>, slow_start: Duration, now: Instant) -> Self {
        let mut others = others.into_iter();
        let is_slow = others.any(|other| other.share(slow_start, now) >= 1.0);
        Self {
            grows_since: is_slow.then_some(now),
        }
    }

    /// How much of its share the target gets: from 0 to 1, in a straight line over the time of the slow start.
    pub(crate) fn share(self, slow_start: Duration, now: Instant) -> f64 {
        match self.grows_since {
            Some(since) if !slow_start.is_zero() => {
                (now.saturating_duration_since(since).as_secs_f64() / slow_start.as_secs_f64()).min(1.0)
            }
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(100);
    const FULL: Standing = Standing { grows_since: None };

    #[tokio::test(start_paused = true)]
    async fn the_share_grows_in_a_straight_line() {
        let start = Instant::now();
        let standing = Standing::new([FULL], TIME, start);
        for (seconds, share) in [(0, 0.0), (25, 0.25), (50, 0.5), (100, 1.0), (500, 1.0)] {
            let seen = standing.share(TIME, start + Duration::from_secs(seconds));
            assert!((seen - share).abs() < 1e-9, "{seconds}: {seen}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_has_to_serve() {
        let start = Instant::now();
        let first = Standing::new([], TIME, start);
        assert_eq!(first, FULL);
        let second = Standing::new([first], TIME, start);
        assert_eq!(second.grows_since, Some(start));
        // The first has gone: the second alone is no reason for a third to wait, until it is through.
        let later = start + TIME / 2;
        assert_eq!(Standing::new([second], TIME, later), FULL);
        assert_eq!(
            Standing::new([second], TIME, start + TIME).grows_since,
            Some(start + TIME)
        );
    }
}
