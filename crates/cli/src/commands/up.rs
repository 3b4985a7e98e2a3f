//! `karma up [DIR]`

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use karma_runtime::{FleetHealth, LocalOrchestrator, MissingSecrets, Programs, RunnerKind, Urgency};

use crate::chain::{self, Variables};
use crate::change;
use crate::commands::status;
use crate::detach;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::fidelity;
use crate::karma_toml;
use crate::local_environment;
use crate::printer::{Printer, Style};
use crate::programs;
use crate::progress;
use crate::settings::StackDirectory;
use crate::stack::{self, Given, Reporter, StackArguments};
use crate::watch::Watch;
use crate::wiring::{self, Interrupts, Prepared};

/// A fleet that is not healthy after so long is shown as it is.
const PATIENCE: Duration = Duration::from_mins(1);

/// Run the fleet of a stack on this machine
///
/// Evaluates the .tf files, builds the programs that karma.toml names, starts the tasks of every service and puts the stack's load
/// balancer in front. Ctrl-C drains and stops all; a second Ctrl-C stops at once. It never touches AWS, and gives tasks no AWS credentials.
///
/// Where the fleet runs already, it is brought what has changed: new services start, changed ones are deployed and followed to their end, those
/// that are gone drain. Exits with 1 where a deployment fails or is rolled back.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma up --port 8080")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
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

    /// Bring every change of the stack, of karma.toml and of what its programs are built from to the fleet, as `karma up` again does
    #[arg(short, long, env = "KARMA_WATCH", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with = "fidelity")]
    watch: bool,

    /// Start a chain of this machine's own, with anvil, on which the tasks pay each other
    ///
    /// What makes it ready is the command below [chain] in karma.toml. It ends with the fleet; its accounts and keys are made anew each time. One account
    /// is yours: its settings are in .karma/chain.env.
    #[arg(long, env = "KARMA_CHAIN", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with = "fidelity")]
    chain: bool,

    /// Let the time of waits, intervals, cooldowns and periods pass so many times as fast
    ///
    /// What is given to a program to do its work, such as time-outs and grace periods, stays as long as the stack says.
    #[arg(long, env = "KARMA_SPEED", value_name = "TIMES", default_value = "1")]
    speed: NonZeroU32,

    /// What tasks are made of
    #[arg(long, env = "KARMA_RUNNER", value_enum, value_name = "RUNNER", default_value_t = Runner::Process)]
    runner: Runner,
}

/// What tasks are made of.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Runner {
    /// Programs of this machine, as karma.toml says
    Process,
    /// The images themselves, run by Docker or Podman
    Container,
}

pub(crate) fn run(arguments: Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.stack.dir.as_deref())?;
    let reporter = Reporter { json, printer };
    if arguments.fidelity {
        return print_fidelity(&arguments, reporter);
    }
    if wiring::block_on(async { Ok(wiring::is_running(&directory).await) })? {
        if arguments.chain {
            return Err(
                Failure::unable("the fleet runs already, and a chain is started with it")
                    .hint("`karma up` brings it what has changed; `karma down` stops it"),
            );
        }
        return again(arguments, &directory, reporter);
    }
    if arguments.detach && !detach::is_background() {
        return detached(&directory, json, printer);
    }
    if arguments.chain && matches!(arguments.runner, Runner::Container) {
        return Err(
            Failure::unable("a chain on this machine is out of reach for containers")
                .hint("leave out --runner container, or --chain"),
        );
    }
    let mut prepared = arguments.prepare(&directory, reporter)?;
    let chain = arguments
        .chain
        .then(|| chain::start(&directory, &prepared.fleet, printer));
    // The chain ends after the fleet: it is held here.
    let _chain = match chain.transpose()? {
        Some((chain, variables)) => {
            prepared.variables = variables;
            Some(chain)
        }
        None => None,
    };
    wiring::block_on(up(Arc::new(arguments), &directory, prepared, reporter))
}

impl Arguments {
    /// Evaluates the stack and builds its programs.
    fn prepare(&self, directory: &StackDirectory, reporter: Reporter) -> Result<Prepared, Failure> {
        let loaded = stack::load(&self.stack, reporter)?;
        let mut fleet = stack::fleet(&loaded, reporter)?;
        if self.strict {
            fidelity::refuse_ignored(&karma_fleet::fidelity(&loaded.stack))?;
        }
        let (runner, programs) = match self.runner {
            Runner::Process => {
                let programs = programs::prepare(directory.path(), &mut fleet, reporter.printer)?;
                (RunnerKind::Process, programs)
            }
            Runner::Container => (RunnerKind::Container, Programs::new()),
        };
        Ok(Prepared {
            runner,
            programs,
            fleet,
            port: self.port,
            speed: self.speed,
            region: loaded.region(),
            variables: Variables::new(),
            missing_secrets: if self.strict {
                MissingSecrets::Refuse
            } else {
                MissingSecrets::Note
            },
        })
    }
}

fn print_fidelity(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let loaded = stack::load(&arguments.stack, reporter)?;
    let mechanisms = wiring::block_on(fidelity::mechanisms())?;
    fidelity::print(&karma_fleet::fidelity(&loaded.stack), mechanisms, reporter)?;
    let mut fleet = stack::fleet(&loaded, reporter)?;
    let images = karma_toml::read(StackDirectory::resolve(arguments.stack.dir.as_deref())?.path())?;
    for line in local_environment::put_into(&mut fleet, &images.environment) {
        reporter.printer.talk(&line);
    }
    Ok(ExitStatus::Yes)
}

/// Where the fleet runs already: brings it the change.
fn again(arguments: Arguments, directory: &StackDirectory, reporter: Reporter) -> Result<ExitStatus, Failure> {
    reporter.printer.talk("running already: it is brought what has changed");
    let arguments = Arc::new(arguments);
    wiring::block_on(async {
        let outcome = refresh(&arguments, directory, reporter).await;
        if !arguments.watch {
            return outcome;
        }
        if let Err(failure) = outcome {
            reporter.printer.error(&failure.render());
        }
        watch(arguments, directory.clone(), reporter).await;
        Ok(ExitStatus::Yes)
    })
}

/// Brings every change to the fleet while it runs. What is wrong with one is said, and the next is waited for; one that is still being followed is
/// followed no longer when the next one comes.
async fn watch(arguments: Arc<Arguments>, directory: StackDirectory, reporter: Reporter) {
    let files = arguments.stack.variables.files().map(Path::to_owned).collect();
    let mut files = Watch::new(directory.clone(), files);
    let mut changed = files.changed().await;
    while wiring::is_running(&directory).await {
        reporter.printer.talk(&format!("changed: {}", changed.display()));
        changed = tokio::select! {
            outcome = refresh(&arguments, &directory, reporter) => {
                if let Err(failure) = outcome {
                    reporter.printer.error(&failure.render());
                }
                files.changed().await
            }
            another = files.changed() => another,
        };
    }
}

/// Evaluates and builds here, so that what is wrong is said here, and has the fleet read the same files.
async fn refresh(arguments: &Arguments, directory: &StackDirectory, reporter: Reporter) -> Result<ExitStatus, Failure> {
    tokio::task::block_in_place(|| arguments.prepare(directory, reporter))?;
    let given = Given::of(&arguments.stack)?;
    change::bring(directory, &given, reporter.json, reporter.printer).await
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
    arguments: Arc<Arguments>,
    directory: &StackDirectory,
    prepared: Prepared,
    reporter: Reporter,
) -> Result<ExitStatus, Failure> {
    let Reporter { json, printer } = reporter;
    let mut interrupts = Interrupts::listen()?;
    let orchestrator = wiring::start(directory, prepared).await?;
    tokio::spawn(progress::show(orchestrator.events(), printer));
    if arguments.watch {
        tokio::spawn(watch(arguments, directory.clone(), reporter));
    }
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
