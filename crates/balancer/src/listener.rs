//! Listeners: a socket, the rules for what comes in, and how it all stops.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::access_log::AccessLog;
use crate::client::stream::Transport;
use crate::connection::serve;
use crate::desync::DesyncMitigationMode;
use crate::drain::Signal;
use crate::header_modes::{ForwardedFor, HostHeader};
use crate::rule::Rules;
use crate::rule::redirect::Entrance;
use crate::statistics::{ListenerCounters, ListenerMeter, ListenerStatistics};
use crate::target::NO_PANIC;
use crate::tls::{InvalidIdentity, Offer, Tls, TlsIdentity};

/// A running listener for HTTP, or for HTTPS. Dropping it stops it at once, open requests included.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    front: Arc<Front>,
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
}

/// The times a listener keeps.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
#[derive(Debug, Clone)]
pub struct Attributes {
    /// How long a connection, to a client or to a target, may be silent in both directions.
    pub idle_timeout: Duration,
    /// How long a client's connection may be used for further requests.
    pub client_keep_alive: Duration,
    /// How long a target may take to accept a connection, at most the idle timeout; fixed on AWS.
    pub connect_timeout: Duration,
    /// How long a request may take, from its choice of a target to the last byte of the answer; `None` is for ever, as
    /// on a load balancer. It is for the proxies of a service mesh.
    pub request_timeout: Option<Duration>,
    /// How many other targets are tried, one after the other, if no connection to the one before can be made. A request
    /// that went out is not repeated. Load balancers try no other target, the proxies of a service mesh do.
    pub retries: u32,
    /// Where each request is written down; `None` is nowhere.
    pub access_log: Option<AccessLog>,
    /// How targets see what a request was for.
    pub host_header: HostHeader,
    /// How targets see where a request came from.
    pub forwarded_for: ForwardedFor,
    /// How strictly requests are taken that could be read in more than one way.
    pub desync_mitigation_mode: DesyncMitigationMode,
    /// Whether headers are taken out of requests whose names have other signs than letters, digits and hyphens. Names
    /// with signs that no header may have make a request malformed in any case.
    pub drop_invalid_header_fields: bool,
    /// Whether clients of an HTTPS listener may speak HTTP/2.
    pub http2: bool,
}

/// What all connections of a listener share.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) attributes: Attributes,
    pub(crate) port: u16,
    /// For HTTPS.
    tls: Option<Tls>,
    /// Raised when the connections are to end after the request they are at.
    pub(crate) stopping: Signal,
    pub(crate) counters: Arc<ListenerCounters>,
    rules: RwLock<Arc<Rules>>,
}

/// Connections that wait to be accepted. The system may have a lower limit,
/// [`somaxconn`](https://man7.org/linux/man-pages/man2/listen.2.html), and then that counts.
const QUEUE: u32 = 4_096;

/// A pause after a failed accept: most failures are a want of file descriptors, and haste does not help there.
const PAUSE: Duration = Duration::from_millis(50);

impl Default for Attributes {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(1),
            client_keep_alive: Duration::from_hours(1),
            connect_timeout: Duration::from_secs(10),
            request_timeout: None,
            retries: 0,
            access_log: None,
            host_header: HostHeader::default(),
            forwarded_for: ForwardedFor::default(),
            desync_mitigation_mode: DesyncMitigationMode::default(),
            drop_invalid_header_fields: false,
            http2: true,
        }
    }
}

/// A socket that listens, with a queue for the connections that come all at once. The usual one is soon full, and then
/// clients wait a second before they try again.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

impl Listener {
    /// Starts to serve on a socket that listens already. It runs on Tokio tasks, so this needs a runtime.
    pub fn start(socket: TcpListener, rules: Rules, attributes: Attributes) -> Self {
        Self::serve(socket, None, rules, attributes)
    }

    /// As [`Self::start`], for HTTPS. The first certificate is the default one: for clients that ask for no name, or
    /// for one that no certificate has.
    pub fn start_tls(
        socket: TcpListener,
        identities: &[TlsIdentity],
        rules: Rules,
        attributes: Attributes,
    ) -> Result<Self, InvalidIdentity> {
        let offer = if attributes.http2 {
            Offer::Http2AndHttp1
        } else {
            Offer::Http1
        };
        let tls = Tls::new(identities, offer)?;
        Ok(Self::serve(socket, Some(tls), rules, attributes))
    }

    fn serve(socket: TcpListener, tls: Option<Tls>, rules: Rules, attributes: Attributes) -> Self {
        let address = socket.local_addr().expect("a socket that listens has an address");
        let front = Arc::new(Front {
            attributes,
            port: address.port(),
            tls,
            stopping: Signal::default(),
            counters: Arc::default(),
            rules: RwLock::new(Arc::new(rules.in_order())),
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(socket, Arc::clone(&front), stopped));
        Self {
            address,
            front,
            stop,
            task,
        }
    }

    /// Replaces the rules. Requests that are under way keep those they began with.
    pub fn set_rules(&self, rules: Rules) {
        *self.front.rules.write().expect(NO_PANIC) = Arc::new(rules.in_order());
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What it has counted since its start.
    pub fn statistics(&self) -> ListenerStatistics {
        self.front.counters.snapshot()
    }

    /// Tells what it counts, also to those who do not own it.
    pub fn meter(&self) -> ListenerMeter {
        ListenerMeter(Arc::clone(&self.front.counters))
    }

    /// Accepts no more, lets open requests end, and cuts what is left after `patience`.
    pub async fn stop(self, patience: Duration) {
        // Both fail only when the runtime is going down and has stopped the listener for us.
        let _ = self.stop.send(patience);
        let _ = self.task.await;
    }
}

impl Front {
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance {
            scheme: if self.tls.is_some() { "https" } else { "http" },
            port: self.port,
        }
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().expect(NO_PANIC))
    }
}

/// Serves until told to stop, and then for the patience that comes with it.
async fn run(socket: TcpListener, front: Arc<Front>, mut stopped: oneshot::Receiver<Duration>) {
    let mut visits = JoinSet::new();
    let patience = loop {
        tokio::select! {
            patience = &mut stopped => break patience.unwrap_or_default(),
            accepted = socket.accept() => if let Ok((stream, client)) = accepted {
                welcome(&mut visits, stream, client, &front);
            } else {
                front.counters.rejected_connections.increment();
                sleep(PAUSE).await;
            },
            Some(_) = visits.join_next() => {}
        }
    };
    drop(socket);
    front.stopping.raise();
    // What is not done in time is cut with the set that holds it.
    let _ = timeout(patience, async { while visits.join_next().await.is_some() {} }).await;
}

fn welcome(visits: &mut JoinSet<()>, stream: TcpStream, client: SocketAddr, front: &Arc<Front>) {
    // Fails only on a connection that is gone already, which the first read will tell.
    let _ = stream.set_nodelay(true);
    let front = Arc::clone(front);
    visits.spawn(async move {
        if let Some(transport) = shake_hands(stream, &front).await {
            serve(transport, client, front).await;
        }
    });
}

/// What HTTP is spoken over, unless the client and we do not come to terms.
async fn shake_hands(stream: TcpStream, front: &Front) -> Option<Transport> {
    let Some(tls) = &front.tls else {
        return Some(Transport::Plain(stream));
    };
    let shaken = Box::pin(tls.accept(stream)).await;
    if shaken.is_err() {
        front.counters.client_tls_negotiation_errors.increment();
    }
    shaken.ok().map(|stream| Transport::Tls(Box::new(stream)))
}
