//! HTTP/1.1 with a client: one request after the other, until the connection ends or changes its protocol.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{EXPECT, TE};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};

use crate::answer::AnswerBody;
use crate::client::reply::{Manner, Persistence, reply};
use crate::client::wire::{Next, SharedWire};
use crate::connection::{Visit, retired};
use crate::desync::{self, DesyncReason, LastOnItsConnection, Treatment};
use crate::error::Error;
use crate::forward;
use crate::headers;
use crate::http1::framing::{Framing, has_word};
use crate::http1::head;
use crate::request_body::ClientBody;
use crate::upgrade::Tunnel;

/// What comes after a request.
enum After {
    Next,
    End,
    Tunnel(Box<Tunnel>),
}

/// How long a client may take to read the last answer before the connection is closed under it.
const LINGER: Duration = Duration::from_secs(2);

/// Answers one request after the other.
pub(crate) async fn converse(visit: &Visit, wire: SharedWire) {
    let mut retired = pin!(retired(&visit.front));
    let mut is_retired = false;
    loop {
        let after = match next(visit, &wire, retired.as_mut(), &mut is_retired).await {
            Next::Head(bytes) => serve_request(visit, &wire, &bytes, is_retired).await,
            Next::Refused(error) => refuse(visit, &wire, &error).await,
            Next::Closed => return,
        };
        match after {
            After::Next => {}
            After::End => return linger(&wire).await,
            After::Tunnel(tunnel) => return pass_through(*tunnel, wire).await,
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
        let over = deadline.as_mut().poll(context);
        over.map(|()| Next::Refused(Error::HeadTooLate))
    })
    .await
}

/// Reads a request, gets its answer, writes it.
async fn serve_request(visit: &Visit, wire: &SharedWire, bytes: &Bytes, is_retired: bool) -> After {
    let (mut head, framing) = match admit(visit, bytes) {
        Ok(read) => read,
        Err(error) => return refuse(visit, wire, &error).await,
    };
    let manner = manner(&head, is_retired);
    if visit.front.attributes.drop_invalid_header_fields && headers::drop_invalid(&mut head.headers) > 0 {
        visit.front.counters.dropped_invalid_headers_requests.increment();
    }
    let expects_continue = has_word(&head.headers, EXPECT, "100-continue");
    wire.lock().begin_body(framing, expects_continue);
    let body = match framing {
        Framing::None => ClientBody::Empty,
        _ => ClientBody::Http1(wire.clone()),
    };
    match answer_unless_gone(visit, wire, Request::from_parts(head, body)).await {
        Some(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => switch(wire, answer, manner).await,
        Some(answer) => After::of(reply(wire, answer, manner).await),
        None => After::End,
    }
}

/// Reads a head, and marks it if nothing may follow it on its connections.
fn admit(visit: &Visit, bytes: &Bytes) -> Result<(Parts, Framing), Error> {
    let reason = desync::examine(bytes);
    let treatment = visit.front.attributes.desync_mitigation_mode.treatment(reason.class());
    if reason != DesyncReason::Compliant {
        visit.front.counters.desync_non_compliant_requests.increment();
    }
    // What cannot be read has an error of its own, which says more.
    let (mut head, framing) = head::request(bytes)?;
    match treatment {
        Treatment::Pass => {}
        Treatment::PassAndClose => drop(head.extensions.insert(LastOnItsConnection)),
        Treatment::Refuse => return Err(Error::Malformed("it could be read in more than one way")),
    }
    if reason != DesyncReason::Compliant {
        head.extensions.insert(reason);
    }
    Ok((head, framing))
}

fn manner(head: &Parts, is_retired: bool) -> Manner {
    let is_last = head.extensions.get::<LastOnItsConnection>().is_some();
    let is_kept = !is_retired && !is_last && head::is_kept_alive(head.version, &head.headers);
    Manner {
        version: head.version,
        is_head: head.method == Method::HEAD,
        wants_trailers: has_word(&head.headers, TE, "trailers"),
        persistence: if is_kept { Persistence::Keep } else { Persistence::Close },
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
async fn refuse(visit: &Visit, wire: &SharedWire, error: &Error) -> After {
    After::of(reply(wire, forward::refuse(visit, error), Manner::LAST).await)
}

/// Tells the client that the protocol changes from here on.
async fn switch(wire: &SharedWire, mut answer: Response<AnswerBody>, mut manner: Manner) -> After {
    let tunnel = answer.body_mut().take_tunnel();
    manner.persistence = Persistence::Keep;
    match (reply(wire, answer, manner).await, tunnel) {
        (Persistence::Keep, Some(tunnel)) => After::Tunnel(Box::new(tunnel)),
        _ => After::End,
    }
}

/// Goes on in another protocol.
async fn pass_through(tunnel: Tunnel, wire: SharedWire) {
    // Nobody else has it: the request is over, and it had no body.
    if let Some(wire) = wire.into_inner() {
        tunnel.run(wire).await;
    }
}

/// Ends the connection so that the client can read what was written last: to close at once, with something unread,
/// would make its system throw that away.
async fn linger(wire: &SharedWire) {
    let is_settled = wire.lock().is_settled();
    let ending = async {
        let _ = poll_fn(|context| Pin::new(wire.lock().stream()).poll_shutdown(context)).await;
        if !is_settled {
            poll_fn(|context| wire.lock().poll_drain(context)).await;
        }
    };
    let _ = tokio::time::timeout(LINGER, ending).await;
}

impl After {
    fn of(persistence: Persistence) -> Self {
        match persistence {
            Persistence::Keep => Self::Next,
            Persistence::Close => Self::End,
        }
    }
}
