//! The way of one request: check, rule, target, connection, answer.

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::answer::{self, AnswerBody};
use crate::connection::Visit;
use crate::error::{Error, Retry};
use crate::exchange::{Broken, ResponseBody, exchange};
use crate::headers;
use crate::pool::Link;
use crate::random;
use crate::request_body::{RequestBody, Upload};
use crate::rule::Action;
use crate::target::{InFlight, Target};
use crate::target_group::TargetGroup;

/// Answers a request, come what may.
pub(crate) async fn answer(visit: &Visit, request: Request<Incoming>) -> Response<AnswerBody> {
    route(visit, request)
        .await
        .unwrap_or_else(|error| answer::failed(&error))
}

async fn route(visit: &Visit, request: Request<Incoming>) -> Result<Response<AnswerBody>, Error> {
    let (mut head, incoming) = request.into_parts();
    let header_bytes = headers::check(&head)?;
    let rules = visit.front.rules();
    let (host, _port) = headers::split_port(headers::host(&head));
    let target = match rules.action_for(head.uri.path(), host) {
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => {
            return Ok(answer::fixed(*status, *content_type, body.clone()));
        }
        Action::Forward(groups) => weighted(groups).and_then(TargetGroup::pick).ok_or(Error::NoTargets)?,
    };
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
    let (mut head, incoming) = answer.into_parts();
    headers::prepare_response(head.status, &mut head.headers)?;
    let body = ResponseBody::new(incoming, link, admitted, upload);
    Ok(Response::from_parts(head, AnswerBody::Streamed(body)))
}

/// Sends a request on an idle connection if there is one, and on a new one if there is none or it turns out stale.
async fn converse(
    visit: &Visit,
    target: &Target,
    mut request: Request<RequestBody>,
    upload: Option<&Upload>,
) -> Result<(Response<Incoming>, Box<Link>), Error> {
    let patience = visit.front.attributes.idle_timeout;
    if let Some(mut link) = target.pool.take(patience) {
        let copy = copy_if_repeatable(&request);
        match exchange(&mut link, request, upload, patience).await {
            Ok(answer) => return Ok((answer, link)),
            Err(broken) => request = what_to_repeat(broken, copy)?,
        }
    }
    let mut link = open(visit, target).await?;
    visit.activity.note();
    let answer = exchange(&mut link, request, upload, patience)
        .await
        .map_err(|broken| broken.error)?;
    Ok((answer, link))
}

async fn open(visit: &Visit, target: &Target) -> Result<Box<Link>, Error> {
    let attributes = &visit.front.attributes;
    let patience = attributes.connect_timeout.min(attributes.idle_timeout);
    let opened = timeout(patience, Link::open(target.address)).await;
    opened
        .map_err(|_elapsed| Error::ConnectTimeout)?
        .map_err(Error::Unreachable)
}

/// A second request like this one, if asking twice does no harm ([RFC 9110 §9.2.2][idempotent]). A body is not
/// copied: what of it is sent is gone.
///
/// [idempotent]: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
fn copy_if_repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let repeatable = request.method().is_idempotent() && matches!(request.body(), RequestBody::Empty);
    repeatable.then(|| {
        let mut copy = Request::new(RequestBody::Empty);
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        copy.headers_mut().clone_from(request.headers());
        copy
    })
}

/// The request to send again after a connection has failed, or the failure if there is none: the target may have
/// acted on what it got.
fn what_to_repeat(broken: Broken, copy: Option<Request<RequestBody>>) -> Result<Request<RequestBody>, Error> {
    let unsent = broken.unsent.map(|request| *request);
    match (broken.error.retry(), unsent.or(copy)) {
        (Retry::IfIdempotent, Some(request)) => Ok(request),
        _ => Err(broken.error),
    }
}
