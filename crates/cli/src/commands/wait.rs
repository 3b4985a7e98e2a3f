//! `karma wait [SERVICE]…`

use clap::{Args, ValueEnum};
use karma_ops::Until;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::operation::{Begun, PatienceArgument, RunningFleet, wait_for};
use crate::printer::Printer;
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Wait until services have come to rest
///
/// Follows the deployment that is under way when it is asked, and no later one. Exits with 1 as soon as that has failed, was rolled back or replaced, and
/// says why; also when the time is over. It changes nothing.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma wait validator --for stable --timeout 2m"
)]
pub(crate) struct Arguments {
    /// Only these services, by map key or ECS name
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t = For::Stable, value_name = "WHAT")]
    until: For,

    #[command(flatten)]
    patience: PatienceArgument,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    on: OnArguments,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// As many tasks as wanted, all in service
    Healthy,
    /// The deployment is completed too
    Stable,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let fleet = RunningFleet::find(&directory, &arguments.on, printer).await?;
        let services = fleet.names.resolve_all(&arguments.services)?;
        let begun = services.into_iter().map(|service| Begun {
            service,
            until: arguments.until.into(),
        });
        wait_for(
            fleet.orchestrator,
            begun.collect(),
            arguments.patience.timeout,
            json,
            printer,
        )
        .await
    })
}

impl From<For> for Until {
    fn from(until: For) -> Self {
        match until {
            For::Healthy => Self::Healthy,
            For::Stable => Self::stable(),
        }
    }
}
