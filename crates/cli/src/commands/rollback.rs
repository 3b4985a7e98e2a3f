//! `karma rollback SERVICE`

use clap::Args;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::{Begun, FollowArguments, RunningFleet, finish};
use crate::printer::Printer;
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Deploy an earlier revision of a service
///
/// The tasks start the very programs that the revision had, with its environment. It does not change the .tf files: the next `karma up` deploys what they
/// say. Exits with 1 where it fails.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma rollback validator --to 2")]
pub(crate) struct Arguments {
    /// The service, by map key or ECS name
    service: String,

    /// The revision [default: the last one before this that was completed]
    #[arg(long, value_name = "REVISION")]
    to: Option<u32>,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    directory: DirectoryArgument,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let fleet = RunningFleet::of(wiring::local(&directory).await?).await?;
        let service = fleet.names.resolve(&arguments.service)?;
        let deployment = fleet.orchestrator.rollback(&service, arguments.to).await;
        let deployment = deployment.map_err(|error| wiring::failure(&error))?;
        let begun = vec![Begun::deployment(service, deployment)];
        finish(fleet.orchestrator, begun, &arguments.follow, json, printer).await
    })
}
