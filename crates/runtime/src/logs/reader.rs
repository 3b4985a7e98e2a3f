//! [`LogFiles`]: reads the log files of a stack on and on, also where nothing runs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use karma_ops::{Answer, LogLine, LogQuery, LogReader, LogSelection, OrchestratorError, TaskId};

use crate::logs::{LogFile, LogRecord, Run, log_files};

/// A reader of the log files below a state directory.
#[derive(Debug)]
pub struct LogFiles {
    state_directory: PathBuf,
    query: LogQuery,
    /// The tasks that have not stopped.
    live: BTreeSet<TaskId>,
    /// How far each file was read, by what it is and not by its name: a file that is full gets another name.
    offsets: BTreeMap<FileIdentity, u64>,
}

/// Device and inode.
type FileIdentity = (u64, u64);

impl LogFiles {
    /// Reads what a query wants. Which tasks have not stopped is only asked for [`LogSelection::LastStopped`].
    pub fn new(state_directory: &Path, query: LogQuery, live: BTreeSet<TaskId>) -> Self {
        Self {
            state_directory: state_directory.to_owned(),
            query,
            live,
            offsets: BTreeMap::new(),
        }
    }

    fn read_all(&mut self) -> Result<Vec<LogLine>, OrchestratorError> {
        let files = self.files().map_err(|source| failed(&self.state_directory, source))?;
        let mut lines = Vec::new();
        for file in files {
            match self.read_file(&file) {
                Ok(more) => lines.extend(more),
                // The log of a task that was forgotten meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&file.path, error)),
            }
        }
        lines.retain(|line| self.query.wants(line));
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    fn files(&self) -> io::Result<Vec<LogFile>> {
        match self.query.selection {
            LogSelection::All => log_files(&self.state_directory, Run::Latest),
            LogSelection::LastStopped => self.last_stopped(),
        }
    }

    /// The log of the task of each service that stopped last: of this run, or else of the one before.
    fn last_stopped(&self) -> io::Result<Vec<LogFile>> {
        let mut files = log_files(&self.state_directory, Run::Previous)?;
        files.extend(log_files(&self.state_directory, Run::Latest)?);
        let stopped = files.into_iter().filter(|file| !self.live.contains(&file.task));
        let mut last: BTreeMap<String, Vec<LogFile>> = BTreeMap::new();
        for file in stopped {
            let of_service = last.entry(file.service.clone()).or_default();
            of_service.retain(|known| known.task == file.task);
            of_service.push(file);
        }
        Ok(last.into_values().flatten().collect())
    }

    /// The whole lines after the place that was reached; an unfinished last line waits for the next call.
    fn read_file(&mut self, file: &LogFile) -> io::Result<Vec<LogLine>> {
        let mut open = File::open(&file.path)?;
        let data = open.metadata()?;
        let offset = self.offsets.entry((data.dev(), data.ino())).or_default();
        if *offset > data.len() {
            *offset = 0;
        }
        open.seek(SeekFrom::Start(*offset))?;
        let mut bytes = Vec::new();
        open.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        *offset += whole as u64;
        let records = String::from_utf8_lossy(&bytes[..whole]);
        Ok(records.lines().filter_map(|record| line(file, record)).collect())
    }
}

impl LogReader for LogFiles {
    fn read(&mut self) -> Answer<'_, Vec<LogLine>> {
        let read = self.read_all();
        Box::pin(std::future::ready(read))
    }
}

fn line(file: &LogFile, record: &str) -> Option<LogLine> {
    let LogRecord { at, container, message } = record.parse().ok()?;
    Some(LogLine {
        at,
        service: file.service.clone(),
        task: file.task.as_str().to_owned(),
        container,
        message,
    })
}

fn failed(path: &Path, source: io::Error) -> OrchestratorError {
    OrchestratorError::Unreachable {
        what: format!("cannot read {}", path.display()),
        hint: None,
        source: Some(source.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    /// A state directory, and where the log of a task of `api` stands in it.
    fn state() -> (tempfile::TempDir, TaskId, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let task = TaskId::random();
        let path = directory.path().join("logs/api").join(format!("{task}.log"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        (directory, task, path)
    }

    fn write(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn messages(reader: &mut LogFiles) -> Vec<String> {
        let lines = reader.read_all().unwrap();
        lines.into_iter().map(|line| line.message).collect()
    }

    #[test]
    fn each_line_is_read_once_and_only_when_it_is_whole() {
        let (directory, _, path) = state();
        let mut reader = LogFiles::new(directory.path(), LogQuery::default(), BTreeSet::new());
        write(
            &path,
            "2026-01-01T00:00:00Z app one\ngarbage\n2026-01-01T00:00:01Z app tw",
        );
        assert_eq!(messages(&mut reader), ["one"]);
        write(&path, "o\n");
        assert_eq!(messages(&mut reader), ["two"]);
        assert_eq!(messages(&mut reader), [""; 0]);
    }

    #[test]
    fn a_file_that_begins_anew_is_read_from_its_beginning() {
        let (directory, _, path) = state();
        let mut reader = LogFiles::new(directory.path(), LogQuery::default(), BTreeSet::new());
        write(&path, "2026-01-01T00:00:00Z app a long line\n");
        assert_eq!(messages(&mut reader), ["a long line"]);
        fs::write(&path, "2026-01-01T00:00:01Z app new\n").unwrap();
        assert_eq!(messages(&mut reader), ["new"]);
    }

    #[test]
    fn the_last_task_that_stopped_is_of_this_run_or_else_of_the_one_before() {
        let (directory, live, path) = state();
        write(&path, "2026-01-01T00:00:02Z app live\n");
        let before = directory
            .path()
            .join("logs.previous/api")
            .join(format!("{}.log", TaskId::random()));
        fs::create_dir_all(before.parent().unwrap()).unwrap();
        write(&before, "2026-01-01T00:00:00Z app before\n");
        let check = |live: BTreeSet<TaskId>, expected: &str| {
            let query = LogQuery {
                selection: LogSelection::LastStopped,
                ..LogQuery::default()
            };
            assert_eq!(messages(&mut LogFiles::new(directory.path(), query, live)), [expected]);
        };
        check(BTreeSet::from([live]), "before");
        check(BTreeSet::new(), "live");
    }
}
