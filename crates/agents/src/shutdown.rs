//! Stopping without losing a request.
//!
//! When ECS stops a task, the load balancer may go on sending to it for a while: deregistering a target and the SIGTERM
//! are not one instant. So a stopping agent answers as ever until it has been quiet for a time (health checks do not
//! count), only then stops accepting, and finishes what it has begun.
//! See <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Someone asked the process to stop; the text says who.
pub type Stop = &'static str;

/// The stops this process is sent, SIGTERM and SIGINT, in their order.
///
/// From now on neither of them ends the process by itself.
pub fn stop_signals() -> io::Result<mpsc::Receiver<Stop>> {
    let (sender, stops) = mpsc::channel(2);
    for (kind, name) in [
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::interrupt(), "SIGINT"),
    ] {
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                // Full means that two stops wait to be seen already.
                let _ = sender.try_send(name);
            }
        });
    }
    Ok(stops)
}

/// What requests are doing: how many are being answered, and when the last one moved.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<Requests>>);

#[derive(Debug)]
struct Requests {
    answering: usize,
    last_moved: Instant,
}

/// A request being answered; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Answering(Activity);

impl Activity {
    /// No request yet.
    pub(crate) fn new() -> Activity {
        Activity(Arc::new(Mutex::new(Requests {
            answering: 0,
            last_moved: Instant::now(),
        })))
    }

    /// A request has come.
    pub(crate) fn begin(&self) -> Answering {
        self.moved(|answering| answering + 1);
        Answering(self.clone())
    }

    /// Waits until no request has come or been answered for `quiet`, but not longer than `at_most`. The silence before
    /// the call does not count.
    pub(crate) async fn quiet_for(&self, quiet: Duration, at_most: Duration) -> Drained {
        let asked = Instant::now();
        loop {
            let quiet_at = self.last_moved().max(asked) + quiet;
            if quiet_at <= Instant::now() {
                return Drained::Quiet;
            }
            if asked + at_most <= Instant::now() {
                return Drained::OutOfTime;
            }
            sleep_until(quiet_at.min(asked + at_most)).await;
        }
    }

    /// The last time a request moved, which is now while one is being answered.
    fn last_moved(&self) -> Instant {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.answering > 0 {
            Instant::now()
        } else {
            requests.last_moved
        }
    }

    fn moved(&self, change: impl FnOnce(usize) -> usize) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.answering = change(requests.answering);
        requests.last_moved = Instant::now();
    }
}

/// How waiting for quiet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Nobody sends any more.
    Quiet,
    /// Someone still sends, but the time is over.
    OutOfTime,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.moved(|answering| answering - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(2);
    const AT_MOST: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn without_requests_it_is_quiet_after_the_quiet_time() {
        let begun = Instant::now();
        assert_eq!(Activity::new().quiet_for(QUIET, AT_MOST).await, Drained::Quiet);
        assert_eq!(begun.elapsed(), QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_begins_the_quiet_time_anew() {
        let activity = Activity::new();
        let requests = activity.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(requests.begin());
            }
        });
        let begun = Instant::now();
        assert_eq!(activity.quiet_for(QUIET, AT_MOST).await, Drained::Quiet);
        assert_eq!(begun.elapsed(), Duration::from_secs(12));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_being_answered_is_not_quiet() {
        let activity = Activity::new();
        let answering = activity.begin();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(9)).await;
            drop(answering);
        });
        let begun = Instant::now();
        assert_eq!(activity.quiet_for(QUIET, AT_MOST).await, Drained::Quiet);
        assert!(begun.elapsed() >= Duration::from_secs(11), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_no_longer_than_told() {
        let activity = Activity::new();
        let _answering = activity.begin();
        let begun = Instant::now();
        assert_eq!(activity.quiet_for(QUIET, AT_MOST).await, Drained::OutOfTime);
        assert_eq!(begun.elapsed(), AT_MOST);
    }
}
