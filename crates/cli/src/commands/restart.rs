//! `karma restart SERVICE…`

use clap::Args;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::operation::{Begun, FollowArguments, RunningFleet, finish};
use crate::printer::Printer;
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Replace every task of a service by a new one of the same revision
///
/// A new deployment of what runs already, as `aws ecs update-service --force-new-deployment` begins it: new tasks come before old ones go, as far as the
/// service's deployment configuration lets them. It does not read the stack again; `karma up` does. Exits with 1 where it fails.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma restart validator")]
pub(crate) struct Arguments {
    /// The services, by map key or ECS name
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    on: OnArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let fleet = RunningFleet::find(&directory, &arguments.on, printer).await?;
        let mut begun = Vec::new();
        for service in fleet.names.resolve_all(&arguments.services)? {
            let deployment = fleet.orchestrator.restart(&service).await;
            let deployment = deployment.map_err(|error| wiring::failure(&error))?;
            begun.push(Begun::deployment(service, deployment));
        }
        finish(fleet.orchestrator, begun, &arguments.follow, json, printer).await
    })
}
