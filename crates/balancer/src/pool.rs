//! Connections to a target: one that carries requests, and the idle ones kept for later.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::idle_timer::IdleTimer;
use crate::request_body::RequestBody;
use crate::statistics::ActiveConnection;
use crate::target::NO_PANIC;

/// A connection to a target.
///
/// No task of its own drives it: whoever uses it polls it, in the same task that serves the client. A request thus
/// passes the balancer without a hand-over between threads, and when the client goes away the connection to the
/// target is dropped with everything else.
pub(crate) struct Link {
    pub(crate) sender: SendRequest<RequestBody>,
    /// `None` when it has ended.
    connection: Option<Connection<TokioIo<TcpStream>, RequestBody>>,
    /// Runs while a request is under way.
    pub(crate) timer: IdleTimer,
    idle_since: Instant,
    /// Counts it with the listener it was opened for; a health check's counts nowhere.
    counted: Option<ActiveConnection>,
}

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

/// Room for a response head. The limit on headers is 32 KB, the status line comes on top.
const RESPONSE_BUFFER: usize = 64 * 1_024;

impl Link {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Box<Self>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut builder = Builder::new();
        builder.max_buf_size(RESPONSE_BUFFER);
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let idle_since = Instant::now();
        Ok(Box::new(Self {
            sender,
            connection: Some(connection),
            timer: IdleTimer::new(),
            idle_since,
            counted: None,
        }))
    }

    /// Counts the connection as active until it is closed.
    pub(crate) fn count_as(&mut self, active: ActiveConnection) {
        self.counted = Some(active);
    }

    /// Lets the connection do what it can: write, read, notice its end.
    pub(crate) fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            // Its error, if any, reaches whoever waits for the answer or reads the body.
            self.connection = None;
        }
    }

    /// Whether the connection is open and ready for a request; this also lets it settle after the last one.
    fn is_usable(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }
}

impl Pool {
    /// The connection that was used last, unless it has been idle for `patience`. The target may have closed it
    /// meanwhile; then nothing of the next request is sent on it.
    pub(crate) fn take(&self, patience: Duration) -> Option<Box<Link>> {
        let link = self.idle.lock().expect(NO_PANIC).links.pop_back()?;
        (link.idle_since.elapsed() < patience).then_some(link)
    }

    /// Keeps a connection for later, if it is good for another request. Those idle for `patience` go.
    pub(crate) fn put(&self, mut link: Box<Link>, patience: Duration) {
        if !link.is_usable() {
            return;
        }
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
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    async fn target() -> (TcpListener, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[tokio::test]
    async fn the_connection_used_last_is_used_next() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        for _ in 0..2 {
            pool.put(Link::open(address).await.unwrap(), LONG);
        }
        let (last, first) = (pool.take(LONG).unwrap(), pool.take(LONG).unwrap());
        assert!(last.idle_since > first.idle_since);
        assert!(pool.take(LONG).is_none());
    }

    #[tokio::test]
    async fn old_connections_are_not_used_and_not_kept() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        pool.put(Link::open(address).await.unwrap(), LONG);
        assert!(pool.take(Duration::ZERO).is_none());
        pool.put(Link::open(address).await.unwrap(), LONG);
        pool.put(Link::open(address).await.unwrap(), Duration::ZERO);
        assert_eq!(pool.idle.lock().unwrap().links.len(), 1);
    }

    #[tokio::test]
    async fn a_closed_pool_keeps_nothing() {
        let (_socket, address) = target().await;
        let pool = Pool::default();
        pool.put(Link::open(address).await.unwrap(), LONG);
        pool.close();
        pool.put(Link::open(address).await.unwrap(), LONG);
        assert!(pool.take(LONG).is_none());
    }

    #[tokio::test]
    async fn a_connection_the_target_closed_is_not_kept() {
        let (socket, address) = target().await;
        let mut link = Link::open(address).await.unwrap();
        drop(socket.accept().await.unwrap());
        poll_fn(|context| {
            link.drive(context);
            if link.connection.is_none() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let pool = Pool::default();
        pool.put(link, LONG);
        assert!(pool.take(LONG).is_none());
    }
}
