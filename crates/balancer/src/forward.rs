//! The way of one request: check, rule, target, answer.

use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, Request, Response};
use tokio::time::{Instant, timeout_at};

use crate::access_log::entry::Transformed;
use crate::account::Account;
use crate::answer::{self, AnswerBody};
use crate::attempt::{Answered, attempt};
use crate::connection::Visit;
use crate::error::Error;
use crate::exchange::ResponseBody;
use crate::headers;
use crate::protocol;
use crate::request_body::{ClientBody, RequestBody, Upload};
use crate::rule::Action;
use crate::rule::transform::Transforms;
use crate::rule::view::RequestView;
use crate::stickiness::{self, Session};
use crate::target::InFlight;
use crate::target_group::TargetGroup;
use crate::trace_id;

/// Where a request goes by the rules.
enum Way {
    /// Back, with this answer.
    Back(Response<AnswerBody>),
    To(Destination),
}

/// The group that a request goes to.
struct Destination {
    group: TargetGroup,
    /// Whether the client is told, so that it comes back to this group.
    is_remembered: bool,
}

/// Answers a request, come what may.
pub(crate) async fn answer(visit: &Visit, request: Request<ClientBody>) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let mut account = Account::open(visit, &head);
    let answer = handle(visit, head, body, &mut account)
        .await
        .unwrap_or_else(|error| answer::failed(&error));
    account.settle(answer)
}

/// The answer to a request that could not be read.
pub(crate) fn refuse(visit: &Visit, error: &Error) -> Response<AnswerBody> {
    Account::open_unreadable(visit).settle(answer::failed(error))
}

async fn handle(
    visit: &Visit,
    mut head: Parts,
    body: ClientBody,
    account: &mut Account<'_>,
) -> Result<Response<AnswerBody>, Error> {
    let header_bytes = headers::check(&head)?;
    match decide(visit, &mut head, account)? {
        Way::Back(answer) => Ok(answer),
        Way::To(destination) => forward(visit, &destination, head, header_bytes, body, account).await,
    }
}

/// Asks the rules what to do, and rewrites the request if they say so.
fn decide(visit: &Visit, head: &mut Parts, account: &mut Account<'_>) -> Result<Way, Error> {
    let counters = &visit.front.counters;
    let rules = visit.front.rules();
    let view = RequestView::new(head, visit.client.ip());
    let decision = rules.decide(&view);
    counters.rule_evaluations.add(decision.evaluated);
    account.note(|entry| {
        entry.rule_priority = Some(decision.priority);
        entry.action = Some(decision.action.name());
    });
    match decision.action {
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => {
            counters.fixed_responses.increment();
            Ok(Way::Back(answer::fixed(*status, *content_type, body.clone())))
        }
        Action::Redirect(redirect) => {
            let location = redirect.location(&view, visit.front.entrance());
            account.note(|entry| entry.redirect_url = Some(location.clone()));
            let answer = answer::redirected(redirect.permanence, location)?;
            counters.redirects.increment();
            Ok(Way::Back(answer))
        }
        Action::Forward(forward) => {
            let group = forward.choose(&head.headers).ok_or(Error::NoTargets)?;
            if let Some(transforms) = decision.transforms {
                let transformed = transforms.apply(head);
                account.note(|entry| entry.transformed = transformed_of(head, transforms, &transformed));
                transformed?;
            }
            Ok(Way::To(Destination {
                group: group.clone(),
                is_remembered: forward.stickiness.is_some(),
            }))
        }
    }
}

/// Gets the answer of one of a group's targets.
async fn forward(
    visit: &Visit,
    destination: &Destination,
    mut head: Parts,
    header_bytes: usize,
    body: ClientBody,
    account: &mut Account<'_>,
) -> Result<Response<AnswerBody>, Error> {
    let group = &destination.group;
    account.note(|entry| entry.target_group = Some(group.name().to_owned()));
    let session = group.session(&head.headers);
    group.protocol_version().check(&head)?;
    if protocol::is_grpc(&head) {
        visit.front.counters.grpc_requests.increment();
    }
    let admitted = admit(visit, group, session.as_ref())?;
    headers::prepare_request(&mut head, &visit.origin, admitted.target().address, header_bytes);
    let (body, upload) = RequestBody::new(body);
    account.note(|entry| {
        entry.target = Some(admitted.target().address);
        entry.trace_id = trace_id::of(&head.headers);
    });
    account.note_upload(upload.as_ref());
    let deadline = visit.front.attributes.request_timeout.map(|time| Instant::now() + time);
    let asked = ask(
        visit,
        group,
        admitted,
        Request::from_parts(head, body),
        upload.as_deref(),
    );
    let (answered, admitted) = match deadline {
        Some(deadline) => timeout_at(deadline, asked)
            .await
            .map_err(|_elapsed| Error::TargetStalled)??,
        None => asked.await?,
    };
    account.note(|entry| {
        entry.target = Some(admitted.target().address);
        entry.target_status = Some(answered.answer.status().as_u16());
    });
    account.note_times(answered.took);
    let (mut head, ()) = answered.answer.into_parts();
    headers::prepare_response(head.status, &mut head.headers)?;
    set_cookies(&mut head.headers, destination, session.as_ref(), &admitted);
    let body = ResponseBody::new(answered.link, admitted, upload);
    Ok(Response::from_parts(head, AnswerBody::streamed(body, deadline)))
}

/// What transforms made of a request, for the access log; none if there are none.
fn transformed_of(head: &Parts, transforms: &Transforms, result: &Result<(), Error>) -> Option<Transformed> {
    let host = transforms.host_header.as_ref().map(|_| headers::host(head).to_owned());
    let uri = transforms.url.as_ref().map(|_| head.uri.to_string());
    let status = match result {
        Ok(()) => "TransformSuccess",
        Err(_) if uri.is_some() => "TransformInvalidPath",
        Err(_) => "TransformInvalidHost",
    };
    (host.is_some() || uri.is_some()).then_some(Transformed { host, uri, status })
}

/// Chooses the first target to ask: the one the client belongs to, if there is such a thing.
fn admit(visit: &Visit, group: &TargetGroup, session: Option<&Session<'_>>) -> Result<InFlight, Error> {
    let known = session.and_then(|session| group.pick_again(session));
    if session.is_some() && known.is_none() {
        visit.front.counters.non_sticky_requests.increment();
    }
    let admitted = known.or_else(|| group.pick()).ok_or(Error::NoTargets)?;
    visit.front.counters.requests.increment();
    Ok(admitted)
}

/// Asks one target, and others after it as far as the listener's attributes let it.
async fn ask(
    visit: &Visit,
    group: &TargetGroup,
    mut admitted: InFlight,
    mut request: Request<RequestBody>,
    upload: Option<&Upload>,
) -> Result<(Answered, InFlight), Error> {
    let mut retries = visit.front.attributes.retries;
    loop {
        let broken = match attempt(visit, admitted.target(), request, upload).await {
            Ok(answered) => return Ok((answered, admitted)),
            Err(broken) => broken,
        };
        if broken.error.is_failed_connection() {
            group.note_failure(admitted.target());
        }
        request = match broken.again {
            Some(again) if retries > 0 && !broken.error.is_sent() => *again,
            _ => return Err(broken.error),
        };
        retries -= 1;
        let other = group.pick_other_than(Some(admitted.target()));
        admitted = other.ok_or(Error::NoTargets)?;
    }
}

/// Tells the client where to come back to.
fn set_cookies(headers: &mut HeaderMap, destination: &Destination, session: Option<&Session<'_>>, admitted: &InFlight) {
    if let Some(session) = session {
        session.remember(admitted.target().address, headers, SystemTime::now());
    }
    if destination.is_remembered {
        stickiness::remember_group(destination.group.name(), headers, SystemTime::now());
    }
}
