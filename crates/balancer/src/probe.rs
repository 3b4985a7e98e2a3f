//! Asking targets how they are.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::error::Error;
use crate::exchange::{Broken, exchange};
use crate::health::{CheckFailure, HealthCheck, Judge};
use crate::link::Link;
use crate::protocol::ProtocolVersion;
use crate::request_body::RequestBody;
use crate::target::Target;
use crate::target_group::Shared;

/// A message without fields, not compressed: a flag and a length of four bytes, all zero.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// How a gRPC call has ended.
const GRPC_STATUS: &str = "grpc-status";

/// Checks a target again and again, the first time at once, until its group is gone or the task is ended.
pub(crate) async fn watch(group: Weak<Shared>, target: Arc<Target>) {
    let Some(check) = group.upgrade().and_then(|group| group.settings.health_check.clone()) else {
        return;
    };
    let mut judge = Judge::new(&check);
    // AWS: at least five seconds. A zero would never let anything else run.
    let mut ticks = interval(check.interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let result = probe(&check, &target).await;
        let Some(group) = group.upgrade() else { return };
        if judge.hear(result).is_some_and(|health| target.set_health(health)) {
            group.refresh();
        }
    }
}

/// One check: asks, and compares the answer's status.
async fn probe(check: &HealthCheck, target: &Target) -> Result<(), CheckFailure> {
    let address = target.address;
    let address = SocketAddr::new(address.ip(), check.port.unwrap_or(address.port()));
    let request = request(check, address, target.protocol_version)?;
    let asked = ask(address, target.protocol_version, request, check.timeout);
    let code = timeout(check.timeout, asked)
        .await
        .map_err(|_elapsed| CheckFailure::Timeout)??;
    if check.matcher.matches(code) {
        Ok(())
    } else {
        Err(CheckFailure::Mismatch(code))
    }
}

/// The request AWS's checkers send; each check has a connection of its own. With gRPC it is a call with an empty message.
fn request(
    check: &HealthCheck,
    address: SocketAddr,
    protocol_version: ProtocolVersion,
) -> Result<Request<RequestBody>, CheckFailure> {
    let request = Request::builder()
        .uri(&check.path)
        .header(header::HOST, address.to_string())
        .header(header::USER_AGENT, "ELB-HealthChecker/2.0");
    let request = match protocol_version {
        ProtocolVersion::Http1 => request.header(header::CONNECTION, "close").body(RequestBody::Empty),
        ProtocolVersion::Http2 => request.body(RequestBody::Empty),
        ProtocolVersion::Grpc => {
            let call = request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, "application/grpc");
            call.body(RequestBody::Whole(Bytes::from_static(EMPTY_MESSAGE)))
        }
    };
    request.map_err(|_invalid_path| CheckFailure::NotPossible)
}

/// The status of the answer.
async fn ask(
    address: SocketAddr,
    protocol_version: ProtocolVersion,
    request: Request<RequestBody>,
    patience: Duration,
) -> Result<u16, CheckFailure> {
    let opened = Link::open(address, protocol_version).await;
    let mut link = opened.map_err(|_io| CheckFailure::Broken)?;
    let answer = match exchange(&mut link, request, None, patience).await {
        Ok(answer) => answer,
        Err(Broken {
            error: Error::TargetStalled,
            ..
        }) => return Err(CheckFailure::Timeout),
        Err(_) => return Err(CheckFailure::Broken),
    };
    match protocol_version {
        ProtocolVersion::Grpc => grpc_status(answer.headers(), &mut link).await,
        ProtocolVersion::Http1 | ProtocolVersion::Http2 => Ok(answer.status().as_u16()),
    }
}

/// The status of a call: in the head if that is all there is, else [behind the answer][grpc].
///
/// [grpc]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
async fn grpc_status(head: &HeaderMap, link: &mut Link) -> Result<u16, CheckFailure> {
    let status = |headers: &HeaderMap| headers.get(GRPC_STATUS)?.to_str().ok()?.parse().ok();
    if let Some(status) = status(head) {
        return Ok(status);
    }
    while let Some(frame) = poll_fn(|context| link.wire.poll_frame(context)).await {
        let frame = frame.map_err(|_broken| CheckFailure::Broken)?;
        if let Some(status) = frame.trailers_ref().and_then(status) {
            return Ok(status);
        }
    }
    Err(CheckFailure::Broken)
}
