//! `karma drill SCENARIO`

mod picture;

use std::time::Duration;

use clap::{Args, ValueEnum};
use karma_runtime::{Drill, DrillEvent, DrillReport, Pace, Scenario};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation;
use crate::printer::{Printer, Style};
use crate::settings::DirectoryArgument;
use crate::wiring;

/// Break a running service on purpose under load, and report what was lost
///
/// Sends requests at a constant rate, breaks something, waits until the service is steady again, and tells what became of every request. Lost is
/// one that got no answer in time, a broken one or one of the 5xx kind. Exits with 1 where one was lost or the service did not recover.
/// Tasks break one after another, the next when as many as wanted serve again. It needs the `karma up` of this stack, and breaks nothing on AWS.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma drill spot --service validator --rate 200 --for 30s"
)]
pub(crate) struct Arguments {
    /// What breaks
    #[arg(value_enum, value_name = "SCENARIO")]
    scenario: What,

    /// Whose, by map key or ECS name [default: the only one that the load balancer leads to]
    #[arg(short, long, value_name = "SERVICE")]
    service: Option<String>,

    /// Requests a second
    #[arg(long, default_value_t = 200, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,

    /// Send them for so long, or longer where the service has not recovered by then
    #[arg(long = "for", default_value = "30s", value_name = "DURATION", value_parser = operation::duration)]
    duration: Duration,

    /// What to ask for [default: the health check's path]
    #[arg(long, value_name = "PATH")]
    path: Option<String>,

    /// A request without its whole answer after so long is lost
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = operation::duration)]
    time_out: Duration,

    /// Break all tasks of the service at once
    #[arg(long)]
    at_once: bool,

    #[command(flatten)]
    directory: DirectoryArgument,
}

/// The scenarios, in words for the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The Spot capacity of each task is taken back
    Spot,
    /// The program of each task is killed
    Crash,
    /// The availability zone that most of its tasks run in is lost, with all that other services have there
    Az,
    /// Nothing: every task is replaced by a new deployment
    Deploy,
    /// Each task runs out of memory
    Oom,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    let tell = |event: &DrillEvent| printer.talk(&line(event, printer));
    let report = wiring::drill(&directory, &arguments.drill(), tell)?;
    if json {
        let text = serde_json::to_string_pretty(&report).expect("a report is plain data");
        printer.line(&text)?;
    } else {
        printer.data(&picture::of(&report, printer))?;
    }
    Ok(status(&report))
}

impl Arguments {
    fn drill(&self) -> Drill {
        Drill {
            scenario: self.scenario.into(),
            pace: if self.at_once { Pace::AtOnce } else { Pace::OneByOne },
            service: self.service.clone(),
            path: self.path.clone(),
            rate: self.rate,
            duration: self.duration,
            time_out: self.time_out,
        }
    }
}

impl From<What> for Scenario {
    fn from(what: What) -> Self {
        match what {
            What::Spot => Self::Spot,
            What::Crash => Self::Crash,
            What::Az => Self::Az,
            What::Deploy => Self::Deploy,
            What::Oom => Self::Oom,
        }
    }
}

fn line(event: &DrillEvent, printer: Printer) -> String {
    let at = printer.paint_talk(Style::Dim, &format!("{:>8}", picture::seconds(event.at_ms)));
    format!("{at}  {}", event.message)
}

fn status(report: &DrillReport) -> ExitStatus {
    if report.is_good() {
        ExitStatus::Yes
    } else {
        ExitStatus::No
    }
}

#[cfg(test)]
mod tests;
