//! Asking one target: on an idle connection if there is one, on a new one otherwise.

use std::time::Duration;

use http::{Request, Response};
use tokio::time::{Instant, timeout};

use crate::connection::Visit;
use crate::error::Error;
use crate::exchange::{Broken, exchange};
use crate::link::Link;
use crate::request_body::{RequestBody, Upload};
use crate::target::Target;

/// A target has answered.
pub(crate) struct Answered {
    /// The head of its answer.
    pub(crate) answer: Response<()>,
    /// The connection that brings the rest.
    pub(crate) link: Box<Link>,
    /// From the sending of the request to the head of the answer.
    pub(crate) took: Duration,
}

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
    if let Ok(answered) = &answered {
        target.record.counters.answered(answered.answer.status());
        target.record.response_times.record(answered.took);
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
        let sent = Instant::now();
        match exchange(&mut link, request, upload, patience).await {
            Ok(answer) => return Ok(Answered::new(answer, link, sent)),
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
    let sent = Instant::now();
    let answer = exchange(&mut link, request, upload, patience).await?;
    Ok(Answered::new(answer, link, sent))
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

impl Answered {
    fn new(answer: Response<()>, link: Box<Link>, sent: Instant) -> Self {
        let took = sent.elapsed();
        Self { answer, link, took }
    }
}
