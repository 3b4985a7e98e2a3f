//! The command line, as it is typed.

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::printer::{ColorChoice, Verbosity};
use crate::settings;

const EXIT_CODES: &str = "\
Exit codes:
   0  yes, done
   1  the answer is no: not running, not healthy, rolled back
   2  could not answer: bad Terraform, a port that is taken, AWS refuses
  64  the command line is wrong";

/// Run an ordinary Terraform ECS stack on this machine
///
/// Karma reads the .tf files of a stack, evaluates them offline and runs what they describe here: tasks as processes, behind the stack's own
/// load balancer; it also prices them. That needs no Docker, no Terraform, no AWS account and no network. AWS is asked by the commands that take
/// --profile, and by those that also have --on only where that says aws; `karma prices refresh` reads AWS's public price lists.
#[derive(Debug, Parser)]
#[command(
    name = "karma",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_long_help = format!("{EXIT_CODES}\n\n{}", settings::VARIABLES)
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
    Image(commands::image::Arguments),
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
    Demo(commands::demo::Arguments),
    Deploy(commands::deploy::Arguments),
    Destroy(commands::destroy::Arguments),
    History(commands::history::Arguments),
    Doctor(commands::doctor::Arguments),
    Secrets(commands::secrets::Arguments),
    Docs(commands::docs::Arguments),
    Completions(commands::completions::Arguments),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;

    fn variables(command: &clap::Command) -> BTreeSet<String> {
        let own = command.get_arguments().filter_map(clap::Arg::get_env);
        let own = own.map(|name| name.to_string_lossy().into_owned());
        own.chain(command.get_subcommands().flat_map(variables)).collect()
    }

    #[test]
    fn every_variable_is_listed_once_and_in_order() {
        let listed = settings::VARIABLES
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let listed: Vec<_> = listed.filter(|word| word.starts_with("KARMA_")).collect();
        let known = variables(&Arguments::command());
        assert_eq!(listed, known.iter().collect::<Vec<_>>());
    }
}
