//! [`Clock`]: the time of a run, which may pass faster than this machine's.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The time of a run. It begins with the orchestrator and passes `speed` times as fast as this machine's.
///
/// The control loops live by it: waits, intervals, cooldowns, periods and delays. What is given to a program to do its work is real time:
/// time-outs, grace periods and `stopTimeout` stay as long as the stack says, which [`Clock::stretched`] is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Timestamp,
    started: Instant,
    speed: NonZeroU32,
}

impl Clock {
    /// One that begins now.
    pub(crate) fn start(began: Timestamp, speed: NonZeroU32) -> Self {
        Self {
            began,
            started: Instant::now(),
            speed,
        }
    }

    /// So much time of the run has passed.
    pub(crate) fn now(&self) -> Duration {
        self.stretched(self.started.elapsed())
    }

    /// When the run began.
    pub(crate) fn began(&self) -> Timestamp {
        self.began
    }

    /// The date and time of a moment of the run.
    pub(crate) fn at(&self, moment: Duration) -> Timestamp {
        self.began.saturating_add(moment).unwrap_or(self.began)
    }

    /// When a moment of the run comes, by this machine's time.
    pub(crate) fn instant(&self, moment: Duration) -> Instant {
        self.started + self.compressed(moment)
    }

    /// How long a wait of the run takes here.
    pub(crate) fn compressed(&self, wait: Duration) -> Duration {
        wait / self.speed.get()
    }

    /// How much of the run's time an allowance of real time is.
    pub(crate) fn stretched(&self, allowance: Duration) -> Duration {
        allowance.saturating_mul(self.speed.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_run_may_be_faster_than_the_clock_on_the_wall() {
        let clock = Clock::start(Timestamp::UNIX_EPOCH, NonZeroU32::new(60).unwrap());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), Duration::from_mins(2));
        assert_eq!(clock.at(clock.now()).to_string(), "1970-01-01T00:02:00Z");
        assert_eq!(clock.compressed(Duration::from_mins(1)), Duration::from_secs(1));
        assert_eq!(
            clock.instant(Duration::from_mins(3)) - Instant::now(),
            Duration::from_secs(1)
        );
    }
}
