//! `karma scale SERVICE=COUNT…`

use std::str::FromStr;

use clap::Args;
use karma_ops::Until;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::{Begun, FollowArguments, RunningFleet, finish};
use crate::printer::Printer;
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Run another number of tasks of a service
///
/// Changes the desired count, as `aws ecs update-service --desired-count` does: that is no deployment. It does not change the .tf files. Exits with 1
/// where the tasks do not come into service.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma scale validator=3 karma-hello=0"
)]
pub(crate) struct Arguments {
    /// The services, by map key or ECS name, and how many tasks each shall have
    #[arg(value_name = "SERVICE=COUNT", required = true)]
    wanted: Vec<Wanted>,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    directory: DirectoryArgument,
}

/// `validator=3`
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    service: String,
    count: u32,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let fleet = RunningFleet::find(&directory).await?;
        let labels = arguments
            .wanted
            .iter()
            .map(|wanted| fleet.names.resolve(&wanted.service));
        let labels: Vec<String> = labels.collect::<Result<_, _>>()?;
        let mut begun = Vec::new();
        for (service, wanted) in labels.into_iter().zip(&arguments.wanted) {
            let scaled = fleet.orchestrator.scale(&service, wanted.count).await;
            scaled.map_err(|error| wiring::failure(&error))?;
            let until = Until::Healthy;
            begun.push(Begun { service, until });
        }
        finish(fleet.orchestrator, begun, &arguments.follow, json, printer).await
    })
}

impl FromStr for Wanted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write SERVICE=COUNT, such as `validator=3`";
        // A map key may have an `=` in it, a number has none.
        let (service, count) = text.rsplit_once('=').ok_or(wrong)?;
        if service.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            service: service.to_owned(),
            count: count.parse().map_err(|_| wrong)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_stands_behind_the_last_sign() {
        let check = |text: &str, expected: Option<(&str, u32)>| {
            let parsed = text.parse::<Wanted>().ok();
            let parsed = parsed.as_ref().map(|wanted| (wanted.service.as_str(), wanted.count));
            assert_eq!(parsed, expected, "{text}");
        };
        check("api=3", Some(("api", 3)));
        check("a=b=0", Some(("a=b", 0)));
        for wrong in ["api", "api=", "=3", "api=-1", "api=x", ""] {
            check(wrong, None);
        }
    }
}
