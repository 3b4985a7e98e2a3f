//! A timer for "nothing has moved for so long".

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Runs out when a count of progress has stood still for the timeout.
///
/// Progress only moves a deadline in memory; the timer below it is set again when it goes off too early. So a busy
/// connection pays for the clock, and for the runtime's timers once per timeout at most.
#[derive(Debug)]
pub(crate) struct IdleTimer {
    sleep: Pin<Box<Sleep>>,
    timeout: Duration,
    deadline: Instant,
    progress: u64,
}

impl IdleTimer {
    /// A timer that has to be started.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            sleep: Box::pin(sleep_until(now)),
            timeout: Duration::ZERO,
            deadline: now,
            progress: 0,
        }
    }

    /// Starts over, with no progress yet.
    pub(crate) fn start(&mut self, timeout: Duration) {
        self.timeout = timeout;
        self.progress = 0;
        self.deadline = Instant::now() + timeout;
        if self.sleep.deadline() > self.deadline {
            self.sleep.as_mut().reset(self.deadline);
        }
    }

    /// How long the timer runs.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Ready when `progress` has been the same for the whole timeout.
    pub(crate) fn poll_over(&mut self, progress: u64, context: &mut Context<'_>) -> Poll<()> {
        if progress != self.progress {
            self.progress = progress;
            self.deadline = Instant::now() + self.timeout;
        }
        loop {
            ready!(self.sleep.as_mut().poll(context));
            if self.sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const TIMEOUT: Duration = Duration::from_mins(1);

    async fn seconds_until_over(timer: &mut IdleTimer, progress: u64) -> u64 {
        let start = Instant::now();
        poll_fn(|context| timer.poll_over(progress, context)).await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn runs_out_without_progress() {
        let mut timer = IdleTimer::new();
        timer.start(TIMEOUT);
        assert_eq!(seconds_until_over(&mut timer, 0).await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_gives_the_whole_timeout_again() {
        let mut timer = IdleTimer::new();
        timer.start(TIMEOUT);
        advance(Duration::from_secs(50)).await;
        assert_eq!(seconds_until_over(&mut timer, 1).await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn starts_again_with_a_shorter_or_a_longer_timeout() {
        let mut timer = IdleTimer::new();
        for seconds in [60, 5, 90] {
            timer.start(Duration::from_secs(seconds));
            assert_eq!(seconds_until_over(&mut timer, 0).await, seconds);
        }
    }
}
