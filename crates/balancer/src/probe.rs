//! Asking targets how they are.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Request, StatusCode, header};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::error::Error;
use crate::exchange::{Broken, exchange};
use crate::health::{CheckFailure, HealthCheck, Judge};
use crate::pool::Link;
use crate::request_body::RequestBody;
use crate::target::Target;
use crate::target_group::Shared;

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
        let result = probe(&check, target.address).await;
        let Some(group) = group.upgrade() else { return };
        if judge.hear(result).is_some_and(|health| target.set_health(health)) {
            group.refresh();
        }
    }
}

/// One check: asks, and compares the answer's status.
async fn probe(check: &HealthCheck, target: SocketAddr) -> Result<(), CheckFailure> {
    let address = SocketAddr::new(target.ip(), check.port.unwrap_or(target.port()));
    let request = request(check, address)?;
    let asked = timeout(check.timeout, ask(address, request, check.timeout)).await;
    let status = asked.map_err(|_elapsed| CheckFailure::Timeout)??;
    if check.matcher.matches(status) {
        Ok(())
    } else {
        Err(CheckFailure::Mismatch(status))
    }
}

/// The request AWS's checkers send; each check has a connection of its own.
fn request(check: &HealthCheck, address: SocketAddr) -> Result<Request<RequestBody>, CheckFailure> {
    Request::get(&check.path)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "ELB-HealthChecker/2.0")
        .body(RequestBody::Empty)
        .map_err(|_invalid_path| CheckFailure::NotPossible)
}

async fn ask(
    address: SocketAddr,
    request: Request<RequestBody>,
    patience: Duration,
) -> Result<StatusCode, CheckFailure> {
    let mut link = Link::open(address).await.map_err(|_io| CheckFailure::Broken)?;
    match exchange(&mut link, request, None, patience).await {
        Ok(answer) => Ok(answer.status()),
        Err(Broken {
            error: Error::TargetStalled,
            ..
        }) => Err(CheckFailure::Timeout),
        Err(_) => Err(CheckFailure::Broken),
    }
}
