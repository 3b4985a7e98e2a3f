//! `karma scale SERVICE=COUNT…`

use std::str::FromStr;

use clap::Args;
use karma_ops::{AutoscalingChange, AutoscalingObservation, Observation, Until};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::operation::{Begun, FollowArguments, RunningFleet, finish};
use crate::printer::Printer;
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Run another number of tasks of a service
///
/// Changes the desired count, as `aws ecs update-service --desired-count` does: that is no deployment. Where autoscaling looks after a service, a count
/// beyond its limits moves the limit that is in the way, until the stack has another; within them, autoscaling may change the count again, unless it is
/// suspended. It does not change the .tf files. Exits with 1 where the tasks do not come into service.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma scale validator=3 karma-hello=0 --suspend"
)]
pub(crate) struct Arguments {
    /// The services, by map key or ECS name, and how many tasks each shall have
    #[arg(value_name = "SERVICE=COUNT", required = true)]
    wanted: Vec<Wanted>,

    /// Keep it so: autoscaling changes these counts no more
    #[arg(long, conflicts_with = "resume")]
    suspend: bool,

    /// Let autoscaling change these counts again
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    follow: FollowArguments,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    on: OnArguments,
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
        let fleet = RunningFleet::find(&directory, &arguments.on, printer).await?;
        let labels = arguments
            .wanted
            .iter()
            .map(|wanted| fleet.names.resolve(&wanted.service));
        let labels: Vec<String> = labels.collect::<Result<_, _>>()?;
        let mut begun = Vec::new();
        for (service, wanted) in labels.into_iter().zip(&arguments.wanted) {
            let autoscaling = autoscaling(&fleet.observation, &service);
            for change in arguments.changes(autoscaling, wanted.count) {
                let changed = fleet.orchestrator.change_autoscaling(&service, change).await;
                changed.map_err(|error| wiring::failure(&error))?;
            }
            let scaled = fleet.orchestrator.scale(&service, wanted.count).await;
            scaled.map_err(|error| wiring::failure(&error))?;
            if let Some(remark) = arguments.remark(autoscaling, wanted.count) {
                printer.talk(&format!("{service}: {remark}"));
            }
            let until = Until::Healthy;
            begun.push(Begun { service, until });
        }
        finish(fleet.orchestrator, begun, &arguments.follow, json, printer).await
    })
}

impl Arguments {
    /// What autoscaling has to be told first.
    fn changes(&self, autoscaling: Option<AutoscalingObservation>, count: u32) -> Vec<AutoscalingChange> {
        let suspension = match (self.suspend, self.resume) {
            (true, _) => Some(AutoscalingChange::Suspend),
            (_, true) => Some(AutoscalingChange::Resume),
            _ => None,
        };
        let limits = autoscaling.and_then(|autoscaling| autoscaling.limits_for(count));
        limits.into_iter().chain(suspension).collect()
    }

    /// What autoscaling makes of the count, where it looks after the service.
    fn remark(&self, autoscaling: Option<AutoscalingObservation>, count: u32) -> Option<String> {
        let AutoscalingObservation {
            min_capacity: min,
            max_capacity: max,
            suspended,
        } = autoscaling?;
        let limits = if count > max {
            format!("autoscaling's maximum is {count} now instead of {max}")
        } else if count < min {
            format!("autoscaling's minimum is {count} now instead of {min}")
        } else {
            format!("autoscaling keeps to {min}–{max}")
        };
        let then = if self.suspend || (suspended && !self.resume) {
            "it is suspended; `--resume` lets it go on"
        } else {
            "it may change the count again; `--suspend` stops that"
        };
        Some(format!("{limits}, and {then}"))
    }
}

fn autoscaling(observation: &Observation, service: &str) -> Option<AutoscalingObservation> {
    observation.service(service)?.autoscaling
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
    use clap::Parser as _;

    use super::*;
    use crate::args::Command;

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

    #[test]
    fn it_is_said_what_autoscaling_makes_of_a_count() {
        let check = |count, flag: Option<&str>, changes: usize, expected: &str| {
            let word = format!("api={count}");
            let line = ["karma", "scale", &word].into_iter().chain(flag);
            let Command::Scale(arguments) = crate::args::Arguments::try_parse_from(line).unwrap().command else {
                panic!("it is another command")
            };
            let autoscaling = Some(AutoscalingObservation {
                min_capacity: 1,
                max_capacity: 6,
                suspended: false,
            });
            assert_eq!(arguments.changes(autoscaling, count).len(), changes, "{count} {flag:?}");
            let remark = arguments.remark(autoscaling, count).unwrap();
            assert!(remark.contains(expected), "{remark}");
            assert_eq!(arguments.remark(None, count), None);
        };
        check(3, None, 0, "keeps to 1–6, and it may change");
        check(3, Some("--suspend"), 1, "it is suspended");
        check(3, Some("--resume"), 1, "it may change");
        check(8, None, 1, "maximum is 8 now instead of 6");
        check(0, Some("--suspend"), 2, "minimum is 0 now instead of 1");
    }
}
