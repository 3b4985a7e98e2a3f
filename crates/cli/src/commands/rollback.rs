//! `karma rollback SERVICE…`

mod aws;

use clap::Args;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::{OnArguments, Place};
use crate::operation::{Begun, FollowArguments, RunningFleet, finish};
use crate::printer::Printer;
use crate::question::YesArgument;
use crate::settings::DirectoryArgument;
use crate::terraform::TerraformArguments;
use crate::wiring;

/// Deploy an earlier revision of services
///
/// Here, the tasks start the very programs that the revision had, with its environment. It does not change the .tf files: the next `karma up` deploys what
/// they say.
///
/// With `--on aws` Terraform does it, as the one owner of the task definition: the digests of an earlier revision's images go into images.auto.tfvars.json,
/// which is meant to be committed, and Terraform plans and, after a question, applies. What else has changed in the stack since then stays. Without a
/// SERVICE, all of them go back. The next `karma deploy` brings the images as they are built then.
///
/// Exits with 1 where it fails.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "\
Example: karma rollback validator --to 2
         karma rollback --on aws validator"
)]
pub(crate) struct Arguments {
    /// The services, by map key or ECS name
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// The revision [default: the last one before this that was completed; with --on aws, the last with another image]
    #[arg(long, value_name = "REVISION")]
    to: Option<u32>,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    yes: YesArgument,

    #[command(flatten)]
    on: OnArguments,

    #[command(flatten)]
    terraform: TerraformArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    if arguments.to.is_some() && arguments.services.len() != 1 {
        return Err(Failure::unable("a revision is one of a single service")
            .hint("name the service: karma rollback validator --to 2"));
    }
    match arguments.on.on {
        Place::Local => here(arguments, json, printer),
        Place::Aws => aws::run(arguments, json, printer),
    }
}

fn here(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    if arguments.services.is_empty() {
        return Err(Failure::unable("no service is named").hint("name it: karma rollback validator"));
    }
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let fleet = RunningFleet::of(wiring::local(&directory).await?).await?;
        let mut begun = Vec::new();
        for service in fleet.names.resolve_all(&arguments.services)? {
            let deployment = fleet.orchestrator.rollback(&service, arguments.to).await;
            let deployment = deployment.map_err(|error| wiring::failure(&error))?;
            begun.push(Begun::deployment(service, deployment));
        }
        finish(fleet.orchestrator, begun, &arguments.follow, json, printer).await
    })
}
