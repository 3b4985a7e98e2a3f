//! `karma image`: the images that tasks on AWS are made of.

mod build;
mod inspect;
mod push;

use clap::{Args, Subcommand};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::stack::Reporter;

/// Build the images that karma.toml describes, without Docker, and push them
#[derive(Debug, Args)]
#[command(after_long_help = "Example: karma image build validator")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    Build(build::Arguments),
    Push(push::Arguments),
    Inspect(inspect::Arguments),
}

pub(crate) fn run(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    match &arguments.command {
        ImageCommand::Build(build) => build::run(build, reporter),
        ImageCommand::Push(push) => push::run(push, reporter),
        ImageCommand::Inspect(inspect) => inspect::run(inspect, reporter),
    }
}
