//! [`ChangeArguments`] and [`Tools`]: what every command that changes a stack on AWS is told, and works with.

use clap::Args;
use karma_aws::Session;
use karma_fleet::Fleet;

use super::journal::Journal;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::AwsArguments;
use crate::question::YesArgument;
use crate::settings::StackDirectory;
use crate::stack::{self, Loaded, Reporter, StackArguments};
use crate::terraform::{Terraform, TerraformArguments};
use crate::variables::VariableArguments;
use crate::wiring;

/// Which stack is changed, in whose account, and whether without a question.
#[derive(Debug, Args)]
pub(crate) struct ChangeArguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,

    #[command(flatten)]
    pub(crate) yes: YesArgument,

    #[command(flatten)]
    pub(crate) aws: AwsArguments,

    #[command(flatten)]
    terraform: TerraformArguments,
}

/// Whom to ask, and who makes things.
pub(crate) struct Tools {
    pub(crate) session: Session,
    pub(crate) terraform: Terraform,
}

impl ChangeArguments {
    /// Reads the stack, and tells what is done to it as a story of these steps.
    pub(crate) fn run(
        &self,
        command: &'static str,
        steps: &'static [&'static str],
        reporter: Reporter,
        work: impl AsyncFnOnce(Loaded, &Fleet, &Journal) -> Result<ExitStatus, Failure>,
    ) -> Result<ExitStatus, Failure> {
        let loaded = stack::load(&self.stack, reporter)?;
        let fleet = stack::fleet(&loaded, reporter)?;
        let journal = Journal::begin(command, steps, &loaded.directory, reporter.json, reporter.printer)?;
        journal.close(wiring::block_on(work(loaded, &fleet, &journal)))
    }

    pub(crate) async fn tools(&self, loaded: &Loaded, journal: &Journal) -> Result<Tools, Failure> {
        let (directory, region) = (&loaded.directory, loaded.region());
        Tools::open(
            directory,
            region,
            &self.aws,
            &self.terraform,
            &self.stack.variables,
            journal,
        )
        .await
    }
}

impl Tools {
    pub(crate) async fn open(
        directory: &StackDirectory,
        region: Option<String>,
        aws: &AwsArguments,
        terraform: &TerraformArguments,
        variables: &VariableArguments,
        journal: &Journal,
    ) -> Result<Self, Failure> {
        let session = aws.session(region, journal.printer).await?;
        let terraform = Terraform::new(directory, terraform, variables, aws.environment(), journal.printer)?;
        Ok(Self { session, terraform })
    }

    /// The step that makes Terraform ready.
    pub(crate) async fn init(&self, journal: &Journal) -> Result<(), Failure> {
        let ready = "the providers and the state are there".to_owned();
        journal
            .long_step(async { Ok((self.terraform.init().await?, ready)) })
            .await
    }
}
