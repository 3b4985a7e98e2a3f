//! `karma status [DIR]`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use karma_ops::{AlarmAnswer, AlarmObservation, Observation, RolloutState, ServiceHealth, ServiceObservation};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::printer::{Printer, Style};
use crate::settings::StackDirectory;
use crate::stopped;
use crate::table::{Cell, Table};
use crate::wiring;

/// Show what runs, and why what does not run does not
///
/// Asks the `karma up` of this stack, or with --on aws ECS for the services that the stack declares. It changes nothing. Exits with 1 where nothing
/// runs or a service is not healthy; for alarms, which it shows too, ask `karma alarms`.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma status --json")]
pub(crate) struct Arguments {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(env = "KARMA_DIR")]
    dir: Option<PathBuf>,

    #[command(flatten)]
    on: OnArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let asked = wiring::ask(&directory, &arguments.on, printer)?;
    let observation = asked.observe()?;
    print(&observation, json, printer)?;
    if !json {
        print_alarms(asked.alarms(), printer)?;
    }
    Ok(if observation.is_steady() {
        ExitStatus::Yes
    } else {
        ExitStatus::No
    })
}

/// Prints an observation as JSON or as a table with what is wrong below it.
pub(crate) fn print(observation: &Observation, json: bool, printer: Printer) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(observation).expect("an observation is plain data");
        printer.line(&text)?;
        return Ok(());
    }
    printer.data(&table(observation).render(printer))?;
    if let [_, _, ..] = observation.listeners[..] {
        printer.data(&format!("\n{}", listeners(observation).render(printer)))?;
    }
    for service in &observation.services {
        if let Some(line) = rollout(service, printer) {
            printer.data(&format!("\n{line}"))?;
        }
    }
    for service in troubled(observation) {
        printer.data(&format!("\n{}", why(observation, service, printer)))?;
    }
    for note in &observation.notes {
        printer.talk(&printer.paint_talk(Style::Dim, &format!("note: {note}")));
    }
    Ok(())
}

fn table(observation: &Observation) -> Table {
    let mut table = Table::new(["SERVICE", "HEALTH", "TASKS", "URL"]);
    for service in &observation.services {
        table.row([
            Cell::from(&service.label),
            health(service.health),
            Cell::from(tasks(service)),
            Cell::from(service.url.as_deref().unwrap_or("-")),
        ]);
    }
    table
}

/// `2/2`, and the limits where autoscaling may change that: `2/2 (1–6)`.
fn tasks(service: &ServiceObservation) -> String {
    let counts = format!("{}/{}", service.running_count, service.desired_count);
    match service.autoscaling {
        None => counts,
        Some(limits) if limits.suspended => format!("{counts} ({limits}, suspended)"),
        Some(limits) => format!("{counts} ({limits})"),
    }
}

/// The services are the answer; that the alarms cannot be asked for does not take it back.
fn print_alarms(answer: Result<AlarmAnswer, Failure>, printer: Printer) -> Result<(), Failure> {
    match answer {
        Ok(answer) => printer.data(&ringing(&answer, printer))?,
        Err(failure) => {
            let note = format!("note: alarms are not shown: {}", failure.into_parts().0);
            printer.talk(&printer.paint_talk(Style::Dim, &note));
        }
    }
    Ok(())
}

/// The alarms of the stack that ring, a line each.
fn ringing(answer: &AlarmAnswer, printer: Printer) -> String {
    let line = |alarm: &AlarmObservation| {
        let (name, state) = (
            printer.paint(Style::Bold, &alarm.name),
            printer.paint(Style::Red, alarm.state.as_str()),
        );
        format!("\n{name} {state}: {}\n", alarm.reason)
    };
    answer.alarms.iter().filter(|alarm| alarm.rings()).map(line).collect()
}

/// A deployment that has not ended well, or not yet.
fn rollout(service: &ServiceObservation, printer: Printer) -> Option<String> {
    let deployment = service.primary_deployment()?;
    let style = match deployment.rollout_state {
        RolloutState::Completed => return None,
        RolloutState::InProgress => Style::Yellow,
        RolloutState::Failed => Style::Red,
    };
    Some(format!(
        "{} deployment of {} {} {}/{}: {}\n",
        printer.paint(Style::Bold, &service.label),
        deployment.task_definition,
        printer.paint(style, deployment.rollout_state.as_str()),
        deployment.running_count,
        deployment.desired_count,
        deployment.rollout_state_reason,
    ))
}

/// Where there is more than one, the services' own lines do not tell them all.
fn listeners(observation: &Observation) -> Table {
    let mut table = Table::new(["LOAD BALANCER", "PROTOCOL", "URL"]);
    for listener in &observation.listeners {
        table.row([
            Cell::from(&listener.name),
            Cell::from(&listener.protocol),
            Cell::from(&listener.url),
        ]);
    }
    table
}

fn health(health: ServiceHealth) -> Cell {
    match health {
        ServiceHealth::Healthy => Cell::styled("healthy", Style::Green),
        ServiceHealth::Starting => Cell::styled("starting", Style::Yellow),
        ServiceHealth::Failing => Cell::styled("failing", Style::Red),
    }
}

/// The services that are not healthy although they have had a task that stopped.
fn troubled(observation: &Observation) -> impl Iterator<Item = &ServiceObservation> {
    observation
        .services
        .iter()
        .filter(|service| service.health != ServiceHealth::Healthy)
        .filter(|service| service.tasks.iter().any(|task| task.stopped_at.is_some()))
}

/// What the service's last event says, and the last lines of the task that stopped last.
fn why(observation: &Observation, service: &ServiceObservation, printer: Printer) -> String {
    let mut text = format!("{} is not healthy\n", printer.paint(Style::Bold, &service.label));
    if let Some(event) = service.events.back() {
        let _ = writeln!(text, "  {}", event.message);
    }
    let ended = service.tasks.iter().filter(|task| task.stopped_at.is_some());
    if let Some(task) = ended.max_by_key(|task| task.stopped_at) {
        text.push_str(&stopped::account(task));
        // Only a fleet on this machine has an orchestrator that is a process here.
        let place = if observation.pid.is_some() { "" } else { " --on aws" };
        let _ = writeln!(text, "  all of it: karma logs -p {}{place}", service.label);
    }
    text
}
