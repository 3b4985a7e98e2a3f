//! A changed stack for a fleet that runs already: `karma up` again, and `karma up --watch`.

use std::time::Duration;

use karma_ops::Until;
use karma_runtime::{Applied, ServiceChange};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::{Begun, wait_for};
use crate::printer::Printer;
use crate::progress;
use crate::settings::StackDirectory;
use crate::stack::Given;
use crate::wiring;

/// A deployment that has not ended after so long is shown as it is.
const PATIENCE: Duration = Duration::from_mins(10);

/// Hands the change to the process that runs the fleet, and follows what it begins to its end.
pub(crate) async fn bring(
    directory: &StackDirectory,
    given: &Given,
    json: bool,
    printer: Printer,
) -> Result<ExitStatus, Failure> {
    let applied = wiring::apply(directory, given).await?;
    for service in &applied {
        if let Some(what) = news(&service.change) {
            progress::line(&service.service, &what, printer);
        }
    }
    let begun: Vec<Begun> = applied.iter().filter_map(begun).collect();
    if begun.is_empty() && !json {
        let removed = applied.iter().any(|service| service.change == ServiceChange::Removed);
        printer.talk(if removed {
            "nothing else has changed"
        } else {
            "nothing has changed"
        });
        return Ok(ExitStatus::Yes);
    }
    let on = wiring::local(directory).await?;
    wait_for(on, begun, PATIENCE, json, printer).await
}

/// What becomes of a service, if anything does.
fn news(change: &ServiceChange) -> Option<String> {
    match change {
        ServiceChange::Started { task_definition } => Some(format!("is new: starting {task_definition}")),
        ServiceChange::Deploying { task_definition, .. } => Some(format!("deploying {task_definition}")),
        ServiceChange::Updated => Some("changes without a deployment".to_owned()),
        ServiceChange::Removed => Some("is gone: its tasks drain and end".to_owned()),
        ServiceChange::Unchanged => None,
    }
}

/// What there is to follow.
fn begun(applied: &Applied) -> Option<Begun> {
    let until = match &applied.change {
        ServiceChange::Started { .. } => Until::stable(),
        ServiceChange::Deploying { deployment, .. } => Until::Stable {
            deployment: Some(deployment.clone()),
        },
        ServiceChange::Updated => Until::Healthy,
        ServiceChange::Removed | ServiceChange::Unchanged => return None,
    };
    let service = applied.service.clone();
    Some(Begun { service, until })
}
