//! Connections to a target that are kept for later.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::link::Link;
use crate::target::NO_PANIC;

/// The idle connections of one target.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The longest idle in front.
    links: VecDeque<Box<Link>>,
    closed: bool,
}

/// More idle connections than this are not kept: they would only be work for the target.
const MOST_IDLE: usize = 1_024;

impl Pool {
    /// The connection that was used last and is still open, unless it has been idle for `patience`. The target may be
    /// closing it at this very moment; then nothing of the next request is sent on it.
    pub(crate) fn take(&self, patience: Duration) -> Option<Box<Link>> {
        let mut idle = self.idle.lock().expect(NO_PANIC);
        while let Some(link) = idle.links.pop_back() {
            if link.idle_since.elapsed() >= patience {
                // Those before it have been idle for even longer.
                idle.links.clear();
            } else if link.wire.is_reusable() {
                return Some(link);
            }
        }
        None
    }

    /// Keeps a connection for later, if it is good for another request. Those idle for `patience` go.
    pub(crate) fn put(&self, mut link: Box<Link>, patience: Duration) {
        if !link.wire.is_reusable() {
            return;
        }
        link.wire.rest();
        link.idle_since = Instant::now();
        let mut idle = self.idle.lock().expect(NO_PANIC);
        if idle.closed {
            return;
        }
        while idle.links.len() >= MOST_IDLE || idle.links.front().is_some_and(|l| l.idle_since.elapsed() >= patience) {
            idle.links.pop_front();
        }
        idle.links.push_back(link);
    }

    /// Closes the idle connections, and keeps none from now on.
    pub(crate) fn close(&self) {
        let mut idle = self.idle.lock().expect(NO_PANIC);
        idle.closed = true;
        idle.links.clear();
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Idle")
            .field("links", &self.links.len())
            .field("closed", &self.closed)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;

    use super::*;
    use crate::protocol::ProtocolVersion;

    const LONG: Duration = Duration::from_mins(1);

    async fn target() -> (TcpListener, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    async fn open(address: SocketAddr) -> std::io::Result<Box<Link>> {
        Link::open(address, ProtocolVersion::Http1).await
    }

    #[tokio::test]
    async fn the_connection_used_last_is_used_next() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        for _ in 0..2 {
            pool.put(open(address).await.unwrap(), LONG);
        }
        let (last, first) = (pool.take(LONG).unwrap(), pool.take(LONG).unwrap());
        assert!(last.idle_since > first.idle_since);
        assert!(pool.take(LONG).is_none());
    }

    #[tokio::test]
    async fn old_connections_are_not_used_and_not_kept() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        pool.put(open(address).await.unwrap(), LONG);
        assert!(pool.take(Duration::ZERO).is_none());
        pool.put(open(address).await.unwrap(), LONG);
        pool.put(open(address).await.unwrap(), Duration::ZERO);
        assert_eq!(pool.idle.lock().unwrap().links.len(), 1);
    }

    #[tokio::test]
    async fn a_closed_pool_keeps_nothing() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        pool.put(open(address).await.unwrap(), LONG);
        pool.close();
        pool.put(open(address).await.unwrap(), LONG);
        assert!(pool.take(LONG).is_none());
    }

    #[tokio::test]
    async fn a_connection_the_target_closed_is_neither_kept_nor_used() {
        let (socket, address) = target().await;
        let (leaving, left) = (open(address).await.unwrap(), open(address).await.unwrap());
        let pool = Pool::default();
        pool.put(left, LONG);
        for _ in 0..2 {
            drop(socket.accept().await.unwrap());
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while leaving.wire.is_reusable() {
            assert!(Instant::now() < deadline, "the end of a connection should be seen");
            tokio::task::yield_now().await;
        }
        pool.put(leaving, LONG);
        assert_eq!(pool.idle.lock().unwrap().links.len(), 1);
        while let Some(link) = pool.take(LONG) {
            pool.put(link, LONG);
            tokio::task::yield_now().await;
        }
    }
}
