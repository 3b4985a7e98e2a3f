//! Asking one target: on an idle connection if there is one, on a new one otherwise.

use http::{Request, Response};
use tokio::time::{Instant, timeout};

use crate::connection::Visit;
use crate::error::Error;
use crate::exchange::{Broken, exchange};
use crate::link::Link;
use crate::request_body::{RequestBody, Upload};
use crate::target::Target;

/// The head of a target's answer, and the connection that brings the rest.
pub(crate) type Answered = (Response<()>, Box<Link>);

/// Asks a target, unless the target has to go first.
pub(crate) async fn attempt(
    visit: &Visit,
    target: &Target,
    request: Request<RequestBody>,
    upload: Option<&Upload>,
) -> Result<Answered, Broken> {
    let answered = tokio::select! {
        biased;
        answered = converse(visit, target, request, upload) => answered,
        () = target.cut.raised() => Err(Broken { error: Error::Cut, again: None }),
    };
    if let Ok((answer, _)) = &answered {
        target.record.counters.answered(answer.status());
    }
    answered
}

/// Sends a request on an idle connection, and on a new one if there is none or it turns out stale.
async fn converse(
    visit: &Visit,
    target: &Target,
    mut request: Request<RequestBody>,
    upload: Option<&Upload>,
) -> Result<Answered, Broken> {
    let patience = visit.front.attributes.idle_timeout;
    if let Some(mut link) = target.pool.take(patience) {
        match timed(target, exchange(&mut link, request, upload, patience)).await {
            Ok(answer) => return Ok((answer, link)),
            Err(Broken { again: Some(again), .. }) => request = *again,
            Err(broken) => return Err(broken),
        }
    }
    let mut link = match open(visit, target).await {
        Ok(link) => link,
        Err(error) => {
            let again = Some(Box::new(request));
            return Err(Broken { error, again });
        }
    };
    visit.activity.note();
    let answer = timed(target, exchange(&mut link, request, upload, patience)).await?;
    Ok((answer, link))
}

/// Waits for an answer, and notes how long it took.
async fn timed<A, E>(target: &Target, exchange: impl Future<Output = Result<A, E>>) -> Result<A, E> {
    let sent = Instant::now();
    let answered = exchange.await;
    if answered.is_ok() {
        target.record.response_times.record(sent.elapsed());
    }
    answered
}

async fn open(visit: &Visit, target: &Target) -> Result<Box<Link>, Error> {
    let attributes = &visit.front.attributes;
    let patience = attributes.connect_timeout.min(attributes.idle_timeout);
    let opened = timeout(patience, Link::open(target.address, target.protocol_version)).await;
    let opened = opened
        .map_err(|_elapsed| Error::ConnectTimeout)
        .and_then(|opened| opened.map_err(Error::Unreachable));
    match opened {
        Ok(mut link) => {
            link.count_as(visit.front.counters.connected());
            Ok(link)
        }
        Err(error) => {
            target.record.counters.target_connection_errors.increment();
            Err(error)
        }
    }
}
