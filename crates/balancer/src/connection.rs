//! A client's connection: its requests one after the other, until it is done, idle for too long, or to be retired.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::forward;
use crate::headers::Origin;
use crate::idle_timer::IdleTimer;
use crate::listener::Front;
use crate::statistics::ListenerCounters;

/// What all requests of a connection share.
pub(crate) struct Visit {
    pub(crate) front: Arc<Front>,
    pub(crate) client: SocketAddr,
    pub(crate) origin: Origin,
    pub(crate) activity: Arc<Activity>,
}

/// Counts the signs of life of a connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    count: AtomicU64,
}

/// A client's socket that notes when bytes move.
struct Socket {
    stream: TcpStream,
    activity: Arc<Activity>,
    counters: Arc<ListenerCounters>,
}

/// Room for the largest head a request may have: 64 KB of headers and 16 KB of request line.
const REQUEST_BUFFER: usize = 80 * 1_024;

/// A request's own timer answers with a 504 or 408; this much later the connection is given up without a word.
const GRACE: Duration = Duration::from_secs(1);

/// Serves a client's connection to its end.
pub(crate) async fn serve(stream: TcpStream, client: SocketAddr, front: Arc<Front>) {
    let _active = front.counters.connected();
    let activity = Arc::<Activity>::default();
    let origin = Origin {
        client: address_value(client),
        port: front.port,
    };
    let visit = Arc::new(Visit {
        front: Arc::clone(&front),
        client,
        origin,
        activity: Arc::clone(&activity),
    });
    let socket = Socket {
        stream,
        activity: Arc::clone(&activity),
        counters: Arc::clone(&front.counters),
    };
    let service = service_fn(move |request| {
        let visit = Arc::clone(&visit);
        async move { Ok::<_, Infallible>(forward::answer(&visit, request).await) }
    });
    let mut builder = Builder::new();
    // Our own timer looks after the silent: it knows the idle timeout, and reading heads is only one case of it.
    builder.max_buf_size(REQUEST_BUFFER).header_read_timeout(None);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let mut retired = pin!(retired(&front));
    let mut is_retired = false;
    let mut idle = pin!(idle(&activity, front.attributes.idle_timeout));
    loop {
        tokio::select! {
            biased;
            // An error here is the client's going away, or a request that has been answered with a 4xx.
            _ = connection.as_mut() => return,
            () = &mut retired, if !is_retired => {
                is_retired = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut idle => return,
        }
    }
}

/// Waits for the time to finish the current request and close: the listener stops, or the connection has lived its
/// time.
async fn retired(front: &Front) {
    tokio::select! {
        () = front.stopping.raised() => {}
        () = sleep(front.attributes.client_keep_alive) => {}
    }
}

/// Waits until nothing has moved for the timeout, and a little longer.
async fn idle(activity: &Activity, timeout: Duration) {
    let mut timer = IdleTimer::new();
    timer.start(timeout + GRACE);
    poll_fn(|context| timer.poll_over(activity.count(), context)).await;
}

fn address_value(client: SocketAddr) -> HeaderValue {
    HeaderValue::try_from(client.ip().to_canonical().to_string()).expect("an address is printed in visible ASCII")
}

impl Activity {
    pub(crate) fn note(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Socket {
    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes @ 1..)) = written {
            self.moved(bytes);
        }
        written
    }

    fn moved(&self, bytes: usize) {
        self.activity.note();
        self.counters.processed_bytes.add(bytes as u64);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.moved(bytes);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
