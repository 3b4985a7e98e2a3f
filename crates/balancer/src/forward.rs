//! The way of one request: check, rule, target, connection, answer.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout};

use crate::answer::{self, AnswerBody};
use crate::connection::Visit;
use crate::error::Error;
use crate::exchange::{ResponseBody, exchange};
use crate::headers;
use crate::pool::Link;
use crate::random;
use crate::request_body::{ClientBody, RequestBody, Upload};
use crate::request_view::RequestView;
use crate::rule::Action;
use crate::statistics::ListenerCounters;
use crate::target::{InFlight, Target};
use crate::target_group::TargetGroup;

/// Sees to it that each request is counted once. One that is dropped unsettled was left by its client.
struct Account<'a> {
    counters: &'a ListenerCounters,
    is_settled: bool,
}

/// What ALB writes down of a client that closed its connection before it got an answer; nobody ever receives it.
const CLIENT_CLOSED: u16 = 460;

/// Answers a request, come what may.
pub(crate) async fn answer(visit: &Visit, request: Request<ClientBody>) -> Response<AnswerBody> {
    let account = Account::open(&visit.front.counters);
    let answer = route(visit, request)
        .await
        .unwrap_or_else(|error| answer::failed(&error));
    account.settle(&answer);
    answer
}

async fn route(visit: &Visit, request: Request<ClientBody>) -> Result<Response<AnswerBody>, Error> {
    let (mut head, incoming) = request.into_parts();
    let header_bytes = headers::check(&head)?;
    let counters = &visit.front.counters;
    let rules = visit.front.rules();
    let view = RequestView::new(&head, visit.client.ip());
    let decision = rules.decide(&view);
    counters.rule_evaluations.add(decision.evaluated);
    let target = match decision.action {
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => {
            counters.fixed_responses.increment();
            return Ok(answer::fixed(*status, *content_type, body.clone()));
        }
        Action::Redirect(redirect) => {
            let location = redirect.location(&view, visit.front.entrance());
            let answer = answer::redirected(redirect.permanence, location)?;
            counters.redirects.increment();
            return Ok(answer);
        }
        Action::Forward(forward) => {
            let group = weighted(&forward.groups);
            group.and_then(TargetGroup::pick).ok_or(Error::NoTargets)?
        }
    };
    counters.requests.increment();
    if let Some(transforms) = decision.transforms {
        transforms.apply(&mut head)?;
    }
    drop(rules);
    headers::prepare_request(&mut head, &visit.origin, target.target().address, header_bytes);
    let (body, upload) = RequestBody::new(incoming);
    ask(visit, target, Request::from_parts(head, body), upload).await
}

/// One of the groups, each as often as its weight says.
fn weighted(groups: &[(TargetGroup, u32)]) -> Option<&TargetGroup> {
    if let [(only, 1..)] = groups {
        return Some(only);
    }
    let mut left = random::below(groups.iter().map(|(_, weight)| u64::from(*weight)).sum());
    let chosen = groups.iter().find(|(_, weight)| {
        let hit = left < u64::from(*weight);
        left = left.saturating_sub(u64::from(*weight));
        hit
    });
    chosen.map(|(group, _)| group)
}

/// Gets the answer of a target, unless the target has to go first.
async fn ask(
    visit: &Visit,
    admitted: InFlight,
    request: Request<RequestBody>,
    upload: Option<Arc<Upload>>,
) -> Result<Response<AnswerBody>, Error> {
    let target = admitted.target();
    let (answer, link) = tokio::select! {
        biased;
        answered = converse(visit, target, request, upload.as_deref()) => answered?,
        () = target.cut.raised() => return Err(Error::Cut),
    };
    let (mut head, ()) = answer.into_parts();
    target.record.counters.answered(head.status);
    headers::prepare_response(head.status, &mut head.headers)?;
    let body = ResponseBody::new(link, admitted, upload);
    Ok(Response::from_parts(head, AnswerBody::Streamed(body)))
}

/// Sends a request on an idle connection if there is one, and on a new one if there is none or it turns out stale.
async fn converse(
    visit: &Visit,
    target: &Target,
    mut request: Request<RequestBody>,
    upload: Option<&Upload>,
) -> Result<(Response<()>, Box<Link>), Error> {
    let patience = visit.front.attributes.idle_timeout;
    if let Some(mut link) = target.pool.take(patience) {
        match timed(target, exchange(&mut link, request, upload, patience)).await {
            Ok(answer) => return Ok((answer, link)),
            Err(broken) => request = *broken.again.ok_or(broken.error)?,
        }
    }
    let mut link = open(visit, target).await?;
    visit.activity.note();
    let answer = timed(target, exchange(&mut link, request, upload, patience))
        .await
        .map_err(|broken| broken.error)?;
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
    let opened = timeout(patience, Link::open(target.address)).await;
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

impl<'a> Account<'a> {
    fn open(counters: &'a ListenerCounters) -> Self {
        Self {
            counters,
            is_settled: false,
        }
    }

    /// Counts an answer if it is our own; those of targets are counted with their group.
    fn settle(mut self, answer: &Response<AnswerBody>) {
        self.is_settled = true;
        if answer.body().is_ours() {
            self.counters.answered(answer.status());
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            let status = StatusCode::from_u16(CLIENT_CLOSED).expect("460 is within the range of status codes");
            self.counters.answered(status);
        }
    }
}
