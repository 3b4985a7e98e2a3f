//! `karma logs [SERVICE]…`

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use karma_runtime::{LogFile, LogRecord, Run};
use regex::Regex;
use serde_json::json;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::service_names::ServiceNames;
use crate::settings::StackDirectory;
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

    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,
}

/// A line and where it comes from.
struct Line {
    service: String,
    task: String,
    record: LogRecord,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let mut reader = Reader::new(arguments, directory)?;
    let mut lines = reader.read()?;
    let skipped = arguments.lines.map_or(0, |count| lines.len().saturating_sub(count));
    print(lines.drain(skipped..), json, printer)?;
    if arguments.follow {
        follow(&mut reader, json, printer)?;
    }
    Ok(ExitStatus::Yes)
}

/// Prints what is written from now on; once the fleet has stopped, what it wrote last.
fn follow(reader: &mut Reader<'_>, json: bool, printer: Printer) -> Result<(), Failure> {
    loop {
        let was_running = reader.is_running();
        std::thread::sleep(LOOK_AGAIN);
        print(reader.read()?, json, printer)?;
        if !was_running {
            return Ok(());
        }
    }
}

fn print(lines: impl IntoIterator<Item = Line>, json: bool, printer: Printer) -> Result<(), Failure> {
    for Line { service, task, record } in lines {
        let text = if json {
            json!({ "at": record.at, "service": service, "task": task, "container": record.container, "message": record.message })
                .to_string()
        } else {
            let source = printer.paint(Style::Dim, &format!("{service}/{}", &task[..task.len().min(8)]));
            format!("{source} {}", record.message)
        };
        printer.line(&text)?;
    }
    Ok(())
}

/// Reads the files that were asked for, each from where it left off.
struct Reader<'a> {
    arguments: &'a Arguments,
    directory: StackDirectory,
    /// The labels that were asked for; empty is all.
    labels: Vec<String>,
    offsets: BTreeMap<PathBuf, u64>,
}

impl<'a> Reader<'a> {
    fn new(arguments: &'a Arguments, directory: StackDirectory) -> Result<Self, Failure> {
        let known = ServiceNames::of(&directory)?;
        let labels = arguments
            .services
            .iter()
            .map(|name| known.resolve(name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            arguments,
            directory,
            labels,
            offsets: BTreeMap::new(),
        })
    }

    fn is_running(&self) -> bool {
        wiring::observe(&self.directory).is_ok()
    }

    /// What was written since the last call, in the order of time.
    fn read(&mut self) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        for file in self.files()? {
            lines.extend(self.read_file(&file)?);
        }
        lines.sort_by_key(|line| line.record.at);
        Ok(lines)
    }

    fn files(&self) -> Result<Vec<LogFile>, Failure> {
        let mut files = if self.arguments.previous {
            last_stopped(&self.directory)?
        } else {
            wiring::log_files_of(&self.directory, Run::Latest)?
        };
        files.retain(|file| self.wants(file));
        Ok(files)
    }

    fn wants(&self, file: &LogFile) -> bool {
        let task = self.arguments.task.as_deref().unwrap_or_default();
        (self.labels.is_empty() || self.labels.contains(&file.service)) && file.task.as_str().starts_with(task)
    }

    /// The whole lines after the offset; an unfinished last line waits for the next call.
    fn read_file(&mut self, file: &LogFile) -> Result<Vec<Line>, Failure> {
        let offset = self.offsets.entry(file.path.clone()).or_default();
        let text = read_from(&file.path, *offset)
            .map_err(|error| Failure::caused_by(format!("cannot read {}", file.path.display()), &error))?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        *offset += whole as u64;
        let lines = String::from_utf8_lossy(&text[..whole])
            .lines()
            .filter_map(|line| line.parse::<LogRecord>().ok())
            .filter(|record| self.arguments.shows(record))
            .map(|record| Line {
                service: file.service.clone(),
                task: file.task.as_str().to_owned(),
                record,
            })
            .collect();
        Ok(lines)
    }
}

impl Arguments {
    fn shows(&self, record: &LogRecord) -> bool {
        self.since.is_none_or(|since| record.at >= since)
            && self
                .grep
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&record.message))
    }
}

/// The log of the task of each service that stopped last: of this run, or else of the one before.
fn last_stopped(directory: &StackDirectory) -> Result<Vec<LogFile>, Failure> {
    let live = live_tasks(directory);
    let files = wiring::log_files_of(directory, Run::Previous)?
        .into_iter()
        .chain(wiring::log_files_of(directory, Run::Latest)?);
    let stopped = files.filter(|file| !live.contains(file.task.as_str()));
    let last: BTreeMap<String, LogFile> = stopped.map(|file| (file.service.clone(), file)).collect();
    Ok(last.into_values().collect())
}

/// The tasks that have not stopped; none where nothing runs.
fn live_tasks(directory: &StackDirectory) -> BTreeSet<String> {
    let services = wiring::observe(directory)
        .map(|observation| observation.services)
        .unwrap_or_default();
    let tasks = services.into_iter().flat_map(|service| service.tasks);
    tasks
        .filter(|task| task.stopped_at.is_none())
        .map(|task| task.task_id.as_str().to_owned())
        .collect()
}

fn read_from(path: &PathBuf, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
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
