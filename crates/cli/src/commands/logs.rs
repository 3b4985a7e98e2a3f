//! `karma logs [SERVICE]…`

use std::sync::Arc;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use karma_ops::{LogLine, LogQuery, LogReader, LogSelection, Orchestrator};
use regex::Regex;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::{OnArguments, Place};
use crate::operation::RunningFleet;
use crate::printer::{Printer, Style};
use crate::service_names::ServiceNames;
use crate::settings::{DirectoryArgument, StackDirectory};
use crate::wiring;

/// Print what the tasks of this stack wrote
///
/// Shows this run here, or the last one where nothing runs. With --on aws it reads CloudWatch Logs: the last hour where --since says nothing else.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma logs validator -n 20")]
pub(crate) struct Arguments {
    /// Only these services, by map key or ECS name
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// Go on until the fleet stops
    #[arg(short, long, conflicts_with = "previous")]
    follow: bool,

    /// Only the task of each service that stopped last
    #[arg(short, long)]
    previous: bool,

    /// Only the last lines
    #[arg(short = 'n', long, value_name = "COUNT")]
    lines: Option<usize>,

    /// Only lines that match this regular expression
    #[arg(short, long, value_name = "REGEX")]
    grep: Option<Regex>,

    /// Only lines since then: `10m`, `1h`, or a time such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Timestamp>,

    /// Only the task whose id begins so
    #[arg(long, value_name = "ID")]
    task: Option<String>,

    /// Only this container of the tasks
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    on: OnArguments,
}

pub(crate) fn run(arguments: Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    wiring::block_on(async {
        let found = Found::of(&directory, &arguments.on, printer).await?;
        let (lines, grep, follows) = (arguments.lines, arguments.grep.clone(), arguments.follow);
        let reader = found.reader(arguments.query(&found.names)?).await?;
        let mut shown = Shown {
            reader,
            grep,
            json,
            printer,
        };
        let mut there_are = shown.read().await?;
        let skipped = lines.map_or(0, |count| there_are.len().saturating_sub(count));
        shown.print(&there_are.split_off(skipped))?;
        if follows {
            shown.follow(&found).await?;
        }
        Ok(ExitStatus::Yes)
    })
}

impl Arguments {
    fn query(self, known: &ServiceNames) -> Result<LogQuery, Failure> {
        let services = self.services.iter().map(|name| known.resolve(name));
        Ok(LogQuery {
            services: services.collect::<Result<_, _>>()?,
            task: self.task,
            container: self.container,
            since: self.since,
            selection: if self.previous {
                LogSelection::LastStopped
            } else {
                LogSelection::All
            },
        })
    }
}

/// Where the lines are, and whose they may be.
struct Found {
    directory: StackDirectory,
    /// `None` is this machine, where there may be lines although nothing runs.
    remote: Option<Arc<dyn Orchestrator>>,
    names: ServiceNames,
}

impl Found {
    async fn of(directory: &StackDirectory, on: &OnArguments, printer: Printer) -> Result<Self, Failure> {
        let directory = directory.clone();
        if on.on == Place::Local {
            return Ok(Self {
                names: ServiceNames::of(&directory).await?,
                remote: None,
                directory,
            });
        }
        let fleet = RunningFleet::find(&directory, on, printer).await?;
        Ok(Self {
            directory,
            remote: Some(fleet.orchestrator),
            names: fleet.names,
        })
    }

    async fn reader(&self, query: LogQuery) -> Result<Box<dyn LogReader>, Failure> {
        match &self.remote {
            None => wiring::log_reader(&self.directory, query).await,
            Some(orchestrator) => orchestrator.logs(query).await.map_err(|error| wiring::failure(&error)),
        }
    }

    /// Whether there may be more lines.
    async fn goes_on(&self) -> bool {
        self.remote.is_some() || wiring::is_running(&self.directory).await
    }
}

/// What is read, and how it is shown.
struct Shown {
    reader: Box<dyn LogReader>,
    grep: Option<Regex>,
    json: bool,
    printer: Printer,
}

impl Shown {
    /// Prints what is written from now on; once the fleet has stopped, what it wrote last.
    async fn follow(&mut self, found: &Found) -> Result<(), Failure> {
        loop {
            let was_running = found.goes_on().await;
            tokio::time::sleep(self.reader.look_again()).await;
            let more = self.read().await?;
            self.print(&more)?;
            if !was_running {
                return Ok(());
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<LogLine>, Failure> {
        let mut lines = self.reader.read().await.map_err(|error| wiring::failure(&error))?;
        lines.retain(|line| self.grep.as_ref().is_none_or(|pattern| pattern.is_match(&line.message)));
        Ok(lines)
    }

    fn print(&self, lines: &[LogLine]) -> Result<(), Failure> {
        for line in lines {
            self.printer.line(&self.text(line))?;
        }
        Ok(())
    }

    fn text(&self, line: &LogLine) -> String {
        if self.json {
            return serde_json::to_string(line).expect("a line of a log is plain data");
        }
        let task = line.task.get(..8).unwrap_or(&line.task);
        let source = self.printer.paint(Style::Dim, &format!("{}/{task}", line.service));
        format!("{source} {}", line.message)
    }
}

/// A time, or how long ago.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago: SignedDuration = text
        .parse()
        .map_err(|_| "give how long ago (`10m`, `1h 30m`) or a time (`2026-01-02T03:04:05Z`)".to_owned())?;
    Timestamp::now().checked_sub(ago).map_err(|error| error.to_string())
}
