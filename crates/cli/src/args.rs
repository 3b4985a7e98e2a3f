//! The command line, as it is typed.

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::printer::{ColorChoice, Verbosity};

/// Run an ordinary Terraform ECS stack on this machine
///
/// Karma reads the .tf files of a stack, evaluates them offline and runs what they describe here: tasks as processes, behind the stack's own
/// load balancer. It needs no Docker, no Terraform, no AWS account and no network, and it never touches AWS.
#[derive(Debug, Parser)]
#[command(
    name = "karma",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_long_help = "\
Exit codes:
   0  yes, done
   1  the answer is no: not running, not healthy, rolled back
   2  could not answer: bad Terraform, a port that is taken
  64  the command line is wrong"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub(crate) struct GlobalArguments {
    /// Print the answer as JSON
    #[arg(long, global = true, env = "KARMA_JSON", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Output")]
    pub(crate) json: bool,

    /// Say nothing but the answer and errors
    #[arg(short, long, global = true, env = "KARMA_QUIET", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,

    /// Say more
    #[arg(short, long, global = true, env = "KARMA_VERBOSE", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Output")]
    verbose: bool,

    /// Colour the output; `NO_COLOR` is respected
    #[arg(long, global = true, env = "KARMA_COLOR", value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: ColorChoice,
}

impl GlobalArguments {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        }
    }
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Plan(commands::plan::Arguments),
    Cost(commands::cost::Arguments),
    Prices(commands::prices::Arguments),
    Up(commands::up::Arguments),
    Down(commands::down::Arguments),
    Status(commands::status::Arguments),
    Tasks(commands::tasks::Arguments),
    Logs(commands::logs::Arguments),
    Exec(commands::exec::Arguments),
    Wait(commands::wait::Arguments),
    Scale(commands::scale::Arguments),
    Restart(commands::restart::Arguments),
    Rollback(commands::rollback::Arguments),
    Drill(commands::drill::Arguments),
    Metrics(commands::metrics::Arguments),
    Alarms(commands::alarms::Arguments),
    Traces(commands::traces::Arguments),
    Docs(commands::docs::Arguments),
    Completions(commands::completions::Arguments),
}
