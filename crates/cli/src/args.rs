//! The command line, as it is typed.

use std::path::PathBuf;

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
   1  the answer is no: not running, not healthy
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
    Up(commands::up::Arguments),
    Down(commands::down::Arguments),
    Status(commands::status::Arguments),
    Logs(commands::logs::Arguments),
    Completions(commands::completions::Arguments),
}

/// Which stack, and what it is given: the same for every command that evaluates.
#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(env = "KARMA_DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Set a variable of the stack, as `terraform plan -var` does
    #[arg(long = "var", value_name = "NAME=VALUE", help_heading = "Stack")]
    pub(crate) variables: Vec<String>,

    /// Read variables from a .tfvars file, as `terraform plan -var-file` does
    #[arg(long = "var-file", value_name = "FILE", help_heading = "Stack")]
    pub(crate) variable_files: Vec<PathBuf>,

    /// The AWS account the stack is for: answers `aws_caller_identity`
    #[arg(long, env = "KARMA_ACCOUNT_ID", value_name = "ID", value_parser = account_id, help_heading = "Stack")]
    pub(crate) account_id: Option<String>,

    /// A JSON file with the answers of data sources: `{"data.aws_ami.nat": {"id": "ami-1"}}`
    #[arg(long, env = "KARMA_DATA", value_name = "FILE", help_heading = "Stack")]
    pub(crate) data: Option<PathBuf>,
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an AWS account id has 12 digits".to_owned())
    }
}
