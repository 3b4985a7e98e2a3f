//! What happens in a fleet, a line each, for who watches `karma up` and `karma down`.

use karma_runtime::{Progress, TargetsHealth, TaskStatus};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::printer::{Printer, Style};

/// Prints progress until there is no more of it.
pub(crate) async fn show(mut events: Receiver<Progress>, printer: Printer) {
    loop {
        match events.recv().await {
            Ok(progress) => print(&progress, printer),
            Err(RecvError::Lagged(missed)) => printer.talk(&format!("… {missed} lines more than could be shown …")),
            Err(RecvError::Closed) => return,
        }
    }
}

/// One line of it, or none.
pub(crate) fn print(progress: &Progress, printer: Printer) {
    match progress {
        Progress::Status {
            service,
            task,
            status,
            reason,
        } if is_news(*status) => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            line(service, &format!("task {} {status}{reason}", task.short()), printer);
        }
        Progress::Targets {
            service,
            task,
            targets: TargetsHealth::Healthy,
        } => {
            line(
                service,
                &format!("task {} is healthy behind the load balancer", task.short()),
                printer,
            );
        }
        Progress::Event { service, message } if printer.is_verbose() => line(service, message, printer),
        Progress::Note { message } => printer.talk(&printer.paint_talk(Style::Dim, &format!("note: {message}"))),
        Progress::Status { .. }
        | Progress::Targets { .. }
        | Progress::Event { .. }
        | Progress::Health { .. }
        | Progress::Log { .. } => {}
    }
}

/// The steps between are only worth a line when something is wrong.
fn is_news(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Running | TaskStatus::Stopped)
}

/// A line about a service.
pub(crate) fn line(service: &str, what: &str, printer: Printer) {
    printer.talk(&format!(
        "{} {what}",
        printer.paint_talk(Style::Bold, &format!("{service:<16}"))
    ));
}
