//! `karma secrets set|list|check`

mod list;
mod set;

use clap::{Args, Subcommand};
use karma_aws::Session;
use karma_fleet::Fleet;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::AwsArguments;
use crate::printer::Printer;
use crate::secrets::StackSecrets;
use crate::settings::DirectoryArgument;
use crate::stack::{self, Reporter};
use crate::variables::VariableArguments;

/// Give the stack's secrets their values, and see what is missing
///
/// Asks AWS Secrets Manager. Values go there and nowhere else: not through Terraform and its state, not into an argument, a file or a line of output.
/// Secrets themselves are Terraform's: what it has not made yet has no value.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma secrets set validator.OPENAI_API_KEY"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Set(set::Arguments),
    List(list::ListArguments),
    Check(list::CheckArguments),
}

/// Which stack, and how AWS is asked.
#[derive(Debug, Args)]
struct StackOnAws {
    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    variables: VariableArguments,

    #[command(flatten)]
    aws: AwsArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let reporter = Reporter { json, printer };
    match &arguments.verb {
        Verb::Set(set) => set::run(set, reporter),
        Verb::List(list) => list::run(list, reporter),
        Verb::Check(check) => list::check(check, reporter),
    }
}

impl StackOnAws {
    /// What the stack declares and reads, and the region that it is for.
    fn secrets(&self, reporter: Reporter) -> Result<(StackSecrets, Option<String>), Failure> {
        let loaded = stack::load_with(&self.directory, &self.variables, reporter)?;
        let (fleet, _) = Fleet::from_stack(&loaded.stack);
        Ok((StackSecrets::of(&fleet), loaded.region()))
    }

    async fn session(&self, region: Option<String>, printer: Printer) -> Result<Session, Failure> {
        self.aws.session(region, printer).await
    }
}
