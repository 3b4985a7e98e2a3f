//! What tasks print: one line per record, and a place to read them again.
//!
//! ```text
//! .karma/logs/<service label>/<task id>.log            this run; `task_log` has what follows when it grows
//! .karma/logs.previous/<service label>/<task id>.log   the run before
//! ```
//! A record is `2026-11-23T12:34:56.789012Z validator listening on 127.3.0.1:9001`: when, which container, and the line.

pub(crate) mod filter;
pub(crate) mod reader;
pub(crate) mod task_log;

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};

use crate::logs::task_log::{Lost, TaskLog};
use crate::progress::{Announcer, Progress};
use crate::task::TaskId;

/// A longer line is split, as CloudWatch Logs limits the size of an event.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LONGEST_LINE: usize = 256 * 1024;

/// So much of a file's end is read for its last lines.
const TAIL: u64 = 64 * 1024;

/// A line of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When it was printed.
    pub at: Timestamp,
    /// Which container printed it.
    pub container: String,
    /// The line, without its end.
    pub message: String,
}

/// A log file on the disk; of a task that has printed much there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The service's label.
    pub service: String,
    /// Whose output it is.
    pub task: TaskId,
    /// Where it is.
    pub path: PathBuf,
}

/// Which run of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Run {
    /// The one that goes on, or the last one.
    Latest,
    /// The one before it.
    Previous,
}

/// The log files of a run, by service and then by age, oldest first. A stack that has never run has none.
pub fn log_files(state_directory: &Path, run: Run) -> io::Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for service in entries(&directory(state_directory, run))? {
        let label = service.file_name().to_string_lossy().into_owned();
        let mut of_service = entries(&service.path())?;
        of_service.sort_by_cached_key(|file| file.metadata().and_then(|data| data.created()).ok());
        files.extend(of_service.into_iter().filter_map(|file| log_file(&label, file.path())));
    }
    Ok(files)
}

/// Where the logs of a run stand.
pub(crate) fn directory(state_directory: &Path, run: Run) -> PathBuf {
    state_directory.join(match run {
        Run::Latest => "logs",
        Run::Previous => "logs.previous",
    })
}

/// Where one task's log stands.
pub(crate) fn path(state_directory: &Path, service: &str, task: &TaskId) -> PathBuf {
    directory(state_directory, Run::Latest)
        .join(file_name(service))
        .join(format!("{task}.log"))
}

/// The last lines of a task's log, without time and container. A log that cannot be read has none.
pub(crate) fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let parts = task_log::parts(path);
    let last = &parts[parts.len().saturating_sub(2)..];
    let text: String = last
        .iter()
        .map(|(_, part)| read_end(part).unwrap_or_default())
        .collect();
    let records: Vec<_> = text.lines().filter_map(|line| line.parse::<LogRecord>().ok()).collect();
    let skipped = records.len().saturating_sub(count);
    records.into_iter().skip(skipped).map(|record| record.message).collect()
}

/// Where a container's output goes: the task's file, and whoever watches.
#[derive(Debug, Clone)]
pub(crate) struct LogSink {
    pub(crate) service: Arc<str>,
    pub(crate) task: TaskId,
    pub(crate) container: Arc<str>,
    pub(crate) announcer: Announcer,
    pub(crate) log: Arc<TaskLog>,
}

impl LogSink {
    /// Copies a stream line by line until it ends.
    pub(crate) async fn copy(self, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        while let Ok(Some(line)) = next_line(&mut reader).await {
            self.record(&String::from_utf8_lossy(&line));
        }
    }

    /// Writes one line. A full disk must not stop the task, nor its watchers from seeing the line.
    pub(crate) fn record(&self, line: &str) {
        let record = LogRecord {
            at: Timestamp::now(),
            container: self.container.to_string(),
            message: line.trim_end_matches(['\r', '\n']).to_owned(),
        };
        if let Err(Lost::First(error)) = self.log.write(&record) {
            let message = format!(
                "the log of task {}/{} cannot be written: {error}; the task goes on, its lines are lost until there is room",
                self.service,
                self.task.short()
            );
            self.announcer.announce(Progress::Note { message });
        }
        self.announcer.announce(Progress::Log {
            service: self.service.to_string(),
            task: self.task.clone(),
            record,
        });
    }
}

impl fmt::Display for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} {} {}", self.at, self.container, self.message)
    }
}

/// The text is not a log record.
#[derive(Debug, thiserror::Error)]
#[error("not a log record")]
pub struct NotALogRecord;

impl FromStr for LogRecord {
    type Err = NotALogRecord;

    fn from_str(line: &str) -> Result<Self, NotALogRecord> {
        let mut parts = line.splitn(3, ' ');
        let (Some(at), Some(container), Some(message)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotALogRecord);
        };
        Ok(Self {
            at: at.parse().map_err(|_| NotALogRecord)?,
            container: container.to_owned(),
            message: message.to_owned(),
        })
    }
}

/// The next line, or as much of it as a record holds.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while line.len() < LONGEST_LINE {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok((!line.is_empty()).then_some(line));
        }
        let end = available.iter().position(|&byte| byte == b'\n');
        let taken = end
            .map_or(available.len(), |end| end + 1)
            .min(LONGEST_LINE - line.len());
        line.extend_from_slice(&available[..taken]);
        reader.consume(taken);
        if line.ends_with(b"\n") {
            break;
        }
    }
    Ok(Some(line))
}

fn read_end(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn entries(directory: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let mut entries: Vec<_> = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

fn log_file(label: &str, path: PathBuf) -> Option<LogFile> {
    let task = TaskId::parse(path.file_name()?.to_str()?.split('.').next()?)?;
    (path.extension()? == "log").then(|| LogFile {
        service: label.to_owned(),
        task,
        path,
    })
}

/// A `for_each` key may be any text; a file name may not.
pub(crate) fn file_name(label: &str) -> String {
    let mut name = String::new();
    for byte in label.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => write!(name, "%{byte:02x}").expect("a string takes any text"),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = LogRecord {
            at: "2026-11-23T12:34:56.789012Z".parse().unwrap(),
            container: "validator".to_owned(),
            message: "a  b ".to_owned(),
        };
        assert_eq!(record.to_string(), "2026-11-23T12:34:56.789012Z validator a  b ");
        assert_eq!(record.to_string().parse::<LogRecord>().unwrap(), record);
        assert!("garbage".parse::<LogRecord>().is_err());
    }

    #[test]
    fn a_label_cannot_leave_its_directory() {
        let check = |label, expected| assert_eq!(file_name(label), expected);
        check("karma-hello", "karma-hello");
        check("../../etc", "%2e.%2f..%2fetc");
        check("a b/ü", "a%20b%2f%c3%bc");
    }

    #[tokio::test]
    async fn a_stream_becomes_lines_and_an_endless_line_is_split() {
        let text = ["one\r\n", &"x".repeat(LONGEST_LINE + 5), "\nlast"].concat();
        let mut reader = BufReader::new(text.as_bytes());
        let mut lengths = Vec::new();
        while let Some(line) = next_line(&mut reader).await.unwrap() {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [5, LONGEST_LINE, 6, 4]);
    }

    #[tokio::test]
    async fn output_is_kept_on_the_disk_and_told_to_watchers() {
        let state = tempfile::tempdir().unwrap();
        let task = TaskId::random();
        let path = path(state.path(), "hello", &task);
        let announcer = Announcer::new();
        let mut watcher = announcer.subscribe();
        let sink = LogSink {
            service: "hello".into(),
            task: task.clone(),
            container: "main".into(),
            announcer,
            log: TaskLog::open(&path).unwrap().into(),
        };
        sink.copy("one\ntwo\nthree".as_bytes()).await;
        assert_eq!(last_lines(&path, 2), ["two", "three"]);
        assert!(matches!(watcher.recv().await.unwrap(), Progress::Log { record, .. } if record.message == "one"));
        let files = log_files(state.path(), Run::Latest).unwrap();
        assert_eq!(
            files,
            [LogFile {
                service: "hello".to_owned(),
                task,
                path
            }]
        );
        assert_eq!(log_files(state.path(), Run::Previous).unwrap(), []);
    }
}
