//! A client's connection: its requests one after the other, until it is done, idle for too long, or to be retired.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{EXPECT, TE};
use http::{HeaderValue, Request, Response};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::answer::{self, AnswerBody};
use crate::client_stream::ClientStream;
use crate::client_wire::{Next, SharedWire};
use crate::error::Error;
use crate::forward;
use crate::headers::Origin;
use crate::http1::framing::has_word;
use crate::http1::head;
use crate::idle_timer::IdleTimer;
use crate::listener::Front;
use crate::reply::{Manner, Persistence, reply};
use crate::request_body::ClientBody;

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

/// A request's own timer answers with a 504 or 408; this much later the connection is given up without a word.
const GRACE: Duration = Duration::from_secs(1);

/// How long a client may take to read the last answer before the connection is closed under it.
const LINGER: Duration = Duration::from_secs(2);

/// Serves a client's connection to its end.
pub(crate) async fn serve(stream: TcpStream, client: SocketAddr, front: Arc<Front>) {
    let _active = front.counters.connected();
    let activity = Arc::<Activity>::default();
    let idle_timeout = front.attributes.idle_timeout;
    let wire = SharedWire::new(
        ClientStream::Plain(stream),
        Arc::clone(&activity),
        Arc::clone(&front.counters),
    );
    let origin = Origin {
        client: address_value(client),
        port: front.port,
        port_value: HeaderValue::from(front.port),
    };
    let visit = Visit {
        front,
        client,
        origin,
        activity: Arc::clone(&activity),
    };
    tokio::select! {
        biased;
        () = converse(&visit, &wire) => {}
        () = idle(&activity, idle_timeout) => {}
    }
}

/// Answers one request after the other.
async fn converse(visit: &Visit, wire: &SharedWire) {
    let mut retired = pin!(retired(&visit.front));
    let mut is_retired = false;
    loop {
        let next = match next(visit, wire, retired.as_mut(), &mut is_retired).await {
            Next::Head(bytes) => serve_request(visit, wire, &bytes, is_retired).await,
            Next::Refused(error) => refuse(visit, wire, &error).await,
            Next::Closed => return,
        };
        match next {
            Persistence::Keep => {}
            Persistence::Close => return linger(wire).await,
        }
    }
}

/// The next request's head, all of it within the idle timeout; a slow one is as good as none.
async fn next(
    visit: &Visit,
    wire: &SharedWire,
    mut retired: Pin<&mut impl Future<Output = ()>>,
    is_retired: &mut bool,
) -> Next {
    let mut deadline: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        let mut wire = wire.lock();
        if let Poll::Ready(next) = wire.poll_head(context) {
            return Poll::Ready(next);
        }
        *is_retired = *is_retired || retired.as_mut().poll(context).is_ready();
        if !wire.is_within_head() {
            return if *is_retired {
                Poll::Ready(Next::Closed)
            } else {
                Poll::Pending
            };
        }
        let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(visit.front.attributes.idle_timeout)));
        deadline
            .as_mut()
            .poll(context)
            .map(|()| Next::Refused(Error::HeadTooLate))
    })
    .await
}

/// Reads a request, gets its answer, writes it.
async fn serve_request(visit: &Visit, wire: &SharedWire, bytes: &Bytes, is_retired: bool) -> Persistence {
    let (head, framing) = match head::request(bytes) {
        Ok(read) => read,
        Err(error) => return refuse(visit, wire, &error).await,
    };
    let mut manner = Manner {
        version: head.version,
        is_head: head.method == http::Method::HEAD,
        wants_trailers: has_word(head.headers.get_all(TE), "trailers"),
        persistence: Persistence::Keep,
    };
    if is_retired || !head::is_kept_alive(head.version, &head.headers) {
        manner.persistence = Persistence::Close;
    }
    wire.lock()
        .begin_body(framing, has_word(head.headers.get_all(EXPECT), "100-continue"));
    let body = match framing {
        crate::http1::framing::Framing::None => ClientBody::Empty,
        _ => ClientBody::Http1(wire.clone()),
    };
    match answer_unless_gone(visit, wire, Request::from_parts(head, body)).await {
        Some(answer) => reply(wire, answer, manner).await,
        None => Persistence::Close,
    }
}

/// Waits for the answer, unless the client goes away before it comes.
async fn answer_unless_gone(
    visit: &Visit,
    wire: &SharedWire,
    request: Request<ClientBody>,
) -> Option<Response<AnswerBody>> {
    let mut answer = pin!(forward::answer(visit, request));
    poll_fn(|context| match answer.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => wire.lock().poll_gone(context).map(|()| None),
    })
    .await
}

/// Tells a client what is wrong with what it sent, and that this is the end.
async fn refuse(visit: &Visit, wire: &SharedWire, error: &Error) -> Persistence {
    visit.front.counters.answered(error.status());
    reply(wire, answer::failed(error), Manner::LAST).await
}

/// Lets the client read what was written last: to close at once, with something unread, would make its system throw
/// that away.
async fn linger(wire: &SharedWire) {
    if wire.lock().is_settled() {
        return;
    }
    let drained = async {
        let _ = poll_fn(|context| Pin::new(wire.lock().stream()).poll_shutdown(context)).await;
        poll_fn(|context| wire.lock().poll_drain(context)).await;
    };
    let _ = tokio::time::timeout(LINGER, drained).await;
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
    poll_fn(|context: &mut Context<'_>| timer.poll_over(activity.count(), context)).await;
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
