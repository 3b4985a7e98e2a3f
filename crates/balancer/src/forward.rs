//! The way of one request: check, rule, target, answer.

use std::time::SystemTime;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use crate::answer::{self, AnswerBody};
use crate::attempt::{Answered, attempt};
use crate::connection::Visit;
use crate::error::Error;
use crate::exchange::ResponseBody;
use crate::headers;
use crate::protocol;
use crate::request_body::{ClientBody, RequestBody, Upload};
use crate::request_view::RequestView;
use crate::rule::Action;
use crate::statistics::ListenerCounters;
use crate::stickiness::{self, Session};
use crate::target::InFlight;
use crate::target_group::TargetGroup;

/// Sees to it that each request is counted once. One that is dropped unsettled was left by its client.
struct Account<'a> {
    counters: &'a ListenerCounters,
    is_settled: bool,
}

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

/// What ALB writes down of a client that closed its connection before it got an answer; nobody ever receives it.
const CLIENT_CLOSED: u16 = 460;

/// Answers a request, come what may.
pub(crate) async fn answer(visit: &Visit, request: Request<ClientBody>) -> Response<AnswerBody> {
    let account = Account::open(&visit.front.counters);
    let answer = handle(visit, request)
        .await
        .unwrap_or_else(|error| answer::failed(&error));
    account.settle(&answer);
    answer
}

async fn handle(visit: &Visit, request: Request<ClientBody>) -> Result<Response<AnswerBody>, Error> {
    let (mut head, body) = request.into_parts();
    let header_bytes = headers::check(&head)?;
    match decide(visit, &mut head)? {
        Way::Back(answer) => Ok(answer),
        Way::To(destination) => forward(visit, &destination, head, header_bytes, body).await,
    }
}

/// Asks the rules what to do, and rewrites the request if they say so.
fn decide(visit: &Visit, head: &mut Parts) -> Result<Way, Error> {
    let counters = &visit.front.counters;
    let rules = visit.front.rules();
    let view = RequestView::new(head, visit.client.ip());
    let decision = rules.decide(&view);
    counters.rule_evaluations.add(decision.evaluated);
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
            let answer = answer::redirected(redirect.permanence, location)?;
            counters.redirects.increment();
            Ok(Way::Back(answer))
        }
        Action::Forward(forward) => {
            let group = forward.choose(&head.headers).ok_or(Error::NoTargets)?;
            if let Some(transforms) = decision.transforms {
                transforms.apply(head)?;
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
) -> Result<Response<AnswerBody>, Error> {
    let group = &destination.group;
    let session = group.session(&head.headers);
    group.protocol_version().check(&head)?;
    if protocol::is_grpc(&head) {
        visit.front.counters.grpc_requests.increment();
    }
    let admitted = admit(visit, group, session.as_ref())?;
    headers::prepare_request(&mut head, &visit.origin, admitted.target().address, header_bytes);
    let (body, upload) = RequestBody::new(body);
    let deadline = visit.front.attributes.request_timeout.map(|time| Instant::now() + time);
    let asked = ask(
        visit,
        group,
        admitted,
        Request::from_parts(head, body),
        upload.as_deref(),
    );
    let ((answer, link), admitted) = match deadline {
        Some(deadline) => timeout_at(deadline, asked)
            .await
            .map_err(|_elapsed| Error::TargetStalled)??,
        None => asked.await?,
    };
    let (mut head, ()) = answer.into_parts();
    headers::prepare_response(head.status, &mut head.headers)?;
    set_cookies(&mut head.headers, destination, session.as_ref(), &admitted);
    let body = ResponseBody::new(link, admitted, upload);
    Ok(Response::from_parts(head, AnswerBody::streamed(body, deadline)))
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
fn set_cookies(
    headers: &mut http::HeaderMap,
    destination: &Destination,
    session: Option<&Session<'_>>,
    admitted: &InFlight,
) {
    if let Some(session) = session {
        session.remember(admitted.target().address, headers, SystemTime::now());
    }
    if destination.is_remembered {
        stickiness::remember_group(destination.group.name(), headers, SystemTime::now());
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
