//! `karma tasks [SERVICE]…`

use clap::Args;
use jiff::Timestamp;
use karma_ops::{Observation, ServiceObservation, TaskObservation};
use serde::Serialize;

use crate::age;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::operation::RunningFleet;
use crate::printer::{Printer, Style};
use crate::settings::DirectoryArgument;
use crate::stopped;
use crate::table::{Cell, Table};
use crate::wiring;

/// List the tasks that run, or those that have stopped
///
/// Of the fleet that runs here, or with --on aws of the one on ECS. With --stopped the last few of each service that have stopped, why, and with -v
/// the last lines that they wrote; ECS forgets a stopped task after an hour.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma tasks validator --stopped -v"
)]
pub(crate) struct Arguments {
    /// Only of these services, by map key or ECS name
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// Those that have stopped, and why
    #[arg(long)]
    stopped: bool,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    on: OnArguments,
}

/// A task and whose it is.
#[derive(Debug, Clone, Copy, Serialize)]
struct Row<'a> {
    service: &'a str,
    #[serde(flatten)]
    task: &'a TaskObservation,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    let fleet = wiring::block_on(RunningFleet::find(&directory, &arguments.on, printer))?;
    let labels = fleet.names.resolve_all(&arguments.services)?;
    let mut rows = rows(&fleet.observation, &labels);
    rows.retain(|row| row.task.stopped_at.is_some() == arguments.stopped);
    if json {
        let text = serde_json::to_string_pretty(&rows).expect("an observation is plain data");
        printer.line(&text)?;
    } else if arguments.stopped {
        printer.data(&stopped_table(&rows, Timestamp::now(), printer))?;
    } else {
        printer.data(&live_table(&rows, Timestamp::now()).render(printer))?;
    }
    Ok(ExitStatus::Yes)
}

/// The tasks of these services, in the order of the stack, newest first.
fn rows<'a>(observation: &'a Observation, labels: &[String]) -> Vec<Row<'a>> {
    let wanted = |service: &&ServiceObservation| labels.contains(&service.label);
    let services = observation.services.iter().filter(wanted);
    let of_service = |service: &'a ServiceObservation| {
        let service_label = service.label.as_str();
        service.tasks.iter().map(move |task| Row {
            service: service_label,
            task,
        })
    };
    services.flat_map(of_service).collect()
}

fn live_table(rows: &[Row<'_>], now: Timestamp) -> Table {
    let mut table = Table::new([
        "TASK", "SERVICE", "REVISION", "STATUS", "HEALTH", "PROVIDER", "ZONE", "ADDRESS", "SINCE",
    ]);
    for Row { service, task } in rows {
        table.row([
            Cell::from(task.task_id.short()),
            Cell::from(*service),
            Cell::from(&task.task_definition),
            Cell::from(task.last_status.as_str()),
            health(task),
            Cell::from(task.capacity_provider.as_deref().unwrap_or("-")),
            Cell::from(task.availability_zone.as_deref().unwrap_or("-")),
            Cell::from(
                task.address
                    .map_or_else(|| "-".to_owned(), |address| address.to_string()),
            ),
            Cell::from(age::since(task.started_at, now)),
        ]);
    }
    table
}

/// What the load balancer says where there is one, else the container health checks.
fn health(task: &TaskObservation) -> Cell {
    use karma_ops::{HealthStatus, TargetsHealth};
    match (&task.target_health, task.health_status) {
        (_, HealthStatus::Unhealthy) | (Some(TargetsHealth::Unhealthy { .. }), _) => {
            Cell::styled("unhealthy", Style::Red)
        }
        (Some(TargetsHealth::Initial), _) => Cell::styled("initial", Style::Yellow),
        (Some(TargetsHealth::Healthy), _) | (None, HealthStatus::Healthy) => Cell::styled("healthy", Style::Green),
        (None, HealthStatus::Unknown) => Cell::from("-"),
    }
}

fn stopped_table(rows: &[Row<'_>], now: Timestamp, printer: Printer) -> String {
    let mut table = Table::new(["TASK", "SERVICE", "REVISION", "STOPPED", "EXIT", "REASON"]);
    for Row { service, task } in rows {
        table.row([
            Cell::from(task.task_id.short()),
            Cell::from(*service),
            Cell::from(&task.task_definition),
            Cell::from(age::since(task.stopped_at, now)),
            Cell::from(task.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string())),
            Cell::from(task.stopped_reason.as_deref().unwrap_or("-")),
        ]);
    }
    let mut text = table.render(printer);
    if printer.is_verbose() {
        for Row { task, .. } in rows.iter().filter(|row| !row.task.last_lines.is_empty()) {
            text.push_str(&format!("\n{}", stopped::account(task)));
        }
    }
    text
}
