//! `karma logs [SERVICE]…`

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use karma_ops::{LogLine, LogQuery, LogReader, LogSelection};
use regex::Regex;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::service_names::ServiceNames;
use crate::settings::{DirectoryArgument, StackDirectory};
use crate::wiring;

/// How often `--follow` looks for more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Print what the tasks of this stack wrote
///
/// Shows this run, or the last one where nothing runs. It does not read CloudWatch.
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
}

pub(crate) fn run(arguments: Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    let known = ServiceNames::of(&directory)?;
    let (lines, grep, follows) = (arguments.lines, arguments.grep.clone(), arguments.follow);
    let query = arguments.query(&known)?;
    wiring::block_on(async {
        let reader = wiring::log_reader(&directory, query).await?;
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
            shown.follow(&directory).await?;
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

/// What is read, and how it is shown.
struct Shown {
    reader: Box<dyn LogReader>,
    grep: Option<Regex>,
    json: bool,
    printer: Printer,
}

impl Shown {
    /// Prints what is written from now on; once the fleet has stopped, what it wrote last.
    async fn follow(&mut self, directory: &StackDirectory) -> Result<(), Failure> {
        loop {
            let was_running = wiring::is_running(directory).await;
            tokio::time::sleep(LOOK_AGAIN).await;
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
