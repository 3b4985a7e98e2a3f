//! Letting a target go: no new requests, time to finish the open ones, then a cut.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay>

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::target::Target;

/// Waits until nothing is in flight at a target that is leaving, at most for `delay`; then cuts what is left.
pub(crate) async fn drain(target: &Target, delay: Duration) {
    target.pool.close();
    if tokio::time::timeout(delay, target.quiet()).await.is_err() {
        target.cut.raise();
    }
}

/// Something that happens once, and that any number of tasks may wait for.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    raised: AtomicBool,
    waiting: Notify,
}

impl Signal {
    /// Lets all go that wait now or will.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.waiting.notify_waiters();
    }

    /// Waits until the signal is raised.
    pub(crate) async fn raised(&self) {
        // Made before the look at the flag: a signal raised in between then wakes it.
        let woken = self.waiting.notified();
        if !self.raised.load(Ordering::SeqCst) {
            woken.await;
        }
    }

    /// As [`Self::raised`], for those who cannot borrow.
    pub(crate) async fn raised_for(self: Arc<Self>) {
        self.raised().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::health::TargetHealth;
    use crate::link::Link;
    use crate::protocol::ProtocolVersion;

    #[tokio::test]
    async fn idle_connections_go_while_a_request_stays() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let target = Arc::new(Target::new(
            address,
            TargetHealth::healthy(),
            ProtocolVersion::Http1,
            Arc::default(),
        ));
        let request = target.admit();
        target.pool.put(
            Link::open(address, ProtocolVersion::Http1).await.unwrap(),
            Duration::MAX,
        );
        target.leave();
        let draining = tokio::spawn({
            let target = Arc::clone(&target);
            async move { drain(&target, Duration::from_mins(5)).await }
        });
        tokio::task::yield_now().await;
        assert!(target.pool.take(Duration::MAX).is_none());
        assert!(!draining.is_finished());
        drop(request);
        draining.await.unwrap();
    }

    #[tokio::test]
    async fn a_signal_reaches_who_waits_and_who_comes_late() {
        let signal = Arc::new(Signal::default());
        let waiting = tokio::spawn(Arc::clone(&signal).raised_for());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        signal.raise();
        waiting.await.unwrap();
        signal.raised().await;
    }
}
