//! `karma up [DIR]`

use std::time::Duration;

use clap::Args;
use karma_runtime::{FleetHealth, LocalOrchestrator, MissingSecrets, Urgency};

use crate::commands::status;
use crate::detach;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::fidelity;
use crate::printer::{Printer, Style};
use crate::programs;
use crate::progress;
use crate::settings::StackDirectory;
use crate::stack::{self, Loaded, Reporter, StackArguments};
use crate::wiring::{self, Interrupts, Prepared};

/// A fleet that is not healthy after so long is shown as it is.
const PATIENCE: Duration = Duration::from_mins(1);

/// Run the fleet of a stack on this machine
///
/// Evaluates the .tf files, builds the programs that karma.toml names, starts the tasks of every service and puts the stack's load
/// balancer in front. Ctrl-C drains and stops all; a second Ctrl-C stops at once. It never touches AWS, and gives tasks no AWS credentials.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma up --port 8080")]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    /// The port of the first HTTP listener; further ones take the next free ports
    #[arg(long, env = "KARMA_PORT", default_value_t = 8080, value_name = "PORT")]
    port: u16,

    /// Come back once the fleet is healthy, and leave it running until `karma down`
    #[arg(short, long, env = "KARMA_DETACH", value_parser = clap::builder::FalseyValueParser::new())]
    detach: bool,

    /// Refuse to start where a secret has no value on this machine, as AWS would, and where the stack sets what has no effect here
    #[arg(long, env = "KARMA_STRICT", value_parser = clap::builder::FalseyValueParser::new())]
    strict: bool,

    /// Start nothing; say of each attribute that the stack sets whether it is enforced, simulated or ignored here
    #[arg(long, conflicts_with = "detach")]
    fidelity: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.stack.dir.as_deref())?;
    if arguments.detach && !detach::is_background() {
        return detached(&directory, json, printer);
    }
    let reporter = Reporter { json, printer };
    let loaded = stack::load(&arguments.stack, reporter)?;
    if arguments.fidelity {
        return print_fidelity(&loaded, json, printer);
    }
    let fleet = stack::fleet(&loaded, reporter)?;
    if arguments.strict {
        fidelity::refuse_ignored(&karma_fleet::fidelity(&loaded.stack))?;
    }
    let programs = programs::prepare(directory.path(), &fleet, printer)?;
    let prepared = Prepared {
        fleet,
        programs,
        port: arguments.port,
        region: loaded.region(),
        missing_secrets: if arguments.strict {
            MissingSecrets::Refuse
        } else {
            MissingSecrets::Note
        },
    };
    wiring::block_on(up(&directory, prepared, json, printer))
}

fn print_fidelity(loaded: &Loaded, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let mechanisms = wiring::block_on(fidelity::mechanisms())?;
    fidelity::print(&karma_fleet::fidelity(&loaded.stack), mechanisms, json, printer)?;
    Ok(ExitStatus::Yes)
}

/// Starts this very command again in the background and waits until its fleet is there.
fn detached(directory: &StackDirectory, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let log = match detach::start(&directory.state(), printer)? {
        Ok(log) => log,
        Err(status) => return Ok(status),
    };
    let observation = wiring::observe(directory)?;
    status::print(&observation, json, printer)?;
    printer.talk(&format!(
        "running in the background, with its own log in {}",
        log.display()
    ));
    printer.talk("stop it with `karma down`");
    Ok(if observation.is_steady() {
        ExitStatus::Yes
    } else {
        ExitStatus::No
    })
}

async fn up(
    directory: &StackDirectory,
    prepared: Prepared,
    json: bool,
    printer: Printer,
) -> Result<ExitStatus, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let orchestrator = wiring::start(directory, prepared).await?;
    tokio::spawn(progress::show(orchestrator.events(), printer));
    tokio::select! {
        () = until_stopped(&orchestrator, json, printer) => {}
        () = interrupts.next() => stop(&orchestrator, interrupts, printer).await,
    }
    printer.talk("all down");
    Ok(ExitStatus::Yes)
}

/// Shows the fleet once it has settled, and then waits until somebody else stops it: `karma down`.
async fn until_stopped(orchestrator: &LocalOrchestrator, json: bool, printer: Printer) {
    tokio::select! {
        health = orchestrator.wait_until_steady(PATIENCE) => settled(orchestrator, health, json, printer).await,
        () = orchestrator.stopped() => {}
    }
    orchestrator.stopped().await;
}

async fn settled(orchestrator: &LocalOrchestrator, health: FleetHealth, json: bool, printer: Printer) {
    if detach::is_background() {
        return detach::say_ready();
    }
    // Whoever read the table may be gone; the fleet goes on.
    let _ = status::print(&orchestrator.observe().await, json, printer);
    if health == FleetHealth::Starting {
        printer.talk(&format!("not all of it is healthy after {} s", PATIENCE.as_secs()));
    }
    printer.talk(&printer.paint_talk(
        Style::Dim,
        "Ctrl-C drains and stops all; `karma logs -f` shows what they write",
    ));
}

/// Drains and stops; one more signal stops at once.
async fn stop(orchestrator: &LocalOrchestrator, mut interrupts: Interrupts, printer: Printer) {
    printer.talk("draining; Ctrl-C again stops at once");
    tokio::select! {
        () = orchestrator.stop(Urgency::Graceful) => {}
        () = interrupts.next() => orchestrator.stop(Urgency::AtOnce).await,
    }
}
