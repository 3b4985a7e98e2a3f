//! A client's connection: what all its requests share, and how long it may be silent.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::sleep;

use crate::access_log::entry::TlsFacts;
use crate::client::conversation::converse;
use crate::client::http2;
use crate::client::stream::{ClientStream, Transport};
use crate::client::wire::SharedWire;
use crate::header_modes::ForwardedFor;
use crate::headers::Origin;
use crate::idle_timer::IdleTimer;
use crate::listener::Front;
use crate::random;

/// What all requests of a connection share.
pub(crate) struct Visit {
    pub(crate) front: Arc<Front>,
    pub(crate) client: SocketAddr,
    pub(crate) origin: Origin,
    pub(crate) activity: Arc<Activity>,
    /// What access logs call the connection.
    pub(crate) number: u64,
    pub(crate) tls: Option<Arc<TlsFacts>>,
}

/// Counts the signs of life of a connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    count: AtomicU64,
}

/// A request's own timer answers with a 504 or 408; this much later the connection is given up without a word.
const GRACE: Duration = Duration::from_secs(1);

/// Serves a client's connection to its end.
pub(crate) async fn serve(transport: Transport, client: SocketAddr, front: Arc<Front>) {
    let _active = front.counters.connected();
    let activity = Arc::<Activity>::default();
    let idle_timeout = front.attributes.idle_timeout;
    let is_http2 = transport.is_http2();
    let is_logged = front.attributes.access_log.is_some();
    let tls = is_logged.then(|| transport.tls_facts()).flatten();
    let stream = ClientStream::new(transport, Arc::clone(&activity), Arc::clone(&front.counters));
    let origin = Origin {
        client: address_value(client, front.attributes.forwarded_for),
        scheme: HeaderValue::from_static(front.entrance().scheme),
        port: front.port,
        port_value: HeaderValue::from(front.port),
        host_header: front.attributes.host_header,
        forwarded_for: front.attributes.forwarded_for,
    };
    let visit = Visit {
        front,
        client,
        origin,
        activity: Arc::clone(&activity),
        number: if is_logged { random::next() } else { 0 },
        tls: tls.map(Arc::new),
    };
    let conversation = async {
        if is_http2 {
            // In a box of its own, since it is large, and most connections have no use for it.
            Box::pin(http2::converse(Arc::new(visit), stream)).await;
        } else {
            converse(&visit, SharedWire::new(stream)).await;
        }
    };
    tokio::select! {
        biased;
        () = conversation => {}
        () = idle(&activity, idle_timeout) => {}
    }
}

/// Waits for the time to finish the current request and close: the listener stops, or the connection has lived its
/// time.
pub(crate) async fn retired(front: &Front) {
    tokio::select! {
        () = front.stopping.raised() => {}
        () = sleep(front.attributes.client_keep_alive) => {}
    }
}

/// Waits until nothing has moved for the timeout, and a little longer.
async fn idle(activity: &Activity, timeout: Duration) {
    let mut timer = IdleTimer::new();
    timer.start(timeout + GRACE);
    poll_fn(|context: &mut Context<'_>| timer.poll_over(activity.count(), context)).await;
}

/// An IPv6 address stands in brackets where a port follows it.
fn address_value(client: SocketAddr, mode: ForwardedFor) -> HeaderValue {
    let address = client.ip().to_canonical();
    let text = match mode {
        ForwardedFor::AppendWithPort => SocketAddr::new(address, client.port()).to_string(),
        _ => address.to_string(),
    };
    HeaderValue::try_from(text).expect("an address is printed in visible ASCII")
}

impl Activity {
    pub(crate) fn note(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_with_their_port_or_without() {
        let value = |text: &str, mode| address_value(text.parse().unwrap(), mode);
        assert_eq!(value("192.0.2.1:1234", ForwardedFor::Append), "192.0.2.1");
        assert_eq!(value("192.0.2.1:1234", ForwardedFor::AppendWithPort), "192.0.2.1:1234");
        assert_eq!(
            value("[::ffff:192.0.2.1]:1234", ForwardedFor::AppendWithPort),
            "192.0.2.1:1234"
        );
        assert_eq!(value("[2001:db8::1]:1234", ForwardedFor::Append), "2001:db8::1");
        assert_eq!(
            value("[2001:db8::1]:1234", ForwardedFor::AppendWithPort),
            "[2001:db8::1]:1234"
        );
    }
}
