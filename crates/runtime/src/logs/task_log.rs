//! [`TaskLog`]: what one task prints, on the disk, in parts of a bounded size.
//!
//! ```text
//! <task id>.log     the first part stays: it has how the task began
//! <task id>.2.log   of the others the last few stay
//! <task id>.3.log
//! ```
//! CloudWatch Logs takes any amount for as many days as the log group says; a laptop does not, and nobody waits for days here. So the size is bounded
//! instead, and logs are kept for this run and the one before.
//!
//! A full disk stops no task. What cannot be written is dropped and counted, and as soon as there is room again the log says how much is missing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::logs::LogRecord;

/// How large a part becomes, in bytes.
const PART: u64 = 16 << 20;

/// So many parts are kept besides the first.
const PARTS_KEPT: u32 = 3;

/// Who speaks where the log itself has something to say.
const SPEAKER: &str = "karma";

/// What one task prints.
#[derive(Debug)]
pub(crate) struct TaskLog {
    first: PathBuf,
    writer: Mutex<Writer>,
}

/// A line could not be written.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It is the first one, for this reason.
    First(io::Error),
    /// Others before it were lost too.
    Another,
}

#[derive(Debug)]
struct Writer {
    part: u32,
    /// `None` where it must be opened again.
    file: Option<File>,
    written: u64,
    /// So many lines were lost, since the first one for this reason.
    lost: Option<(u64, String)>,
}

impl TaskLog {
    /// Begins a log, or goes on with one.
    pub(crate) fn open(first: &Path) -> io::Result<Self> {
        if let Some(directory) = first.parent() {
            fs::create_dir_all(directory)?;
        }
        let part = parts(first).last().map_or(1, |(part, _)| *part);
        let file = append_to(&path_of(first, part))?;
        let writer = Writer {
            part,
            written: file.metadata()?.len(),
            file: Some(file),
            lost: None,
        };
        Ok(Self {
            first: first.to_owned(),
            writer: Mutex::new(writer),
        })
    }

    /// Writes a line, if it can.
    pub(crate) fn write(&self, record: &LogRecord) -> Result<(), Lost> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.write(&self.first, record) {
            Ok(()) => Ok(()),
            Err(error) => Err(writer.lose(error)),
        }
    }
}

impl Writer {
    fn write(&mut self, first: &Path, record: &LogRecord) -> io::Result<()> {
        if self.written >= PART {
            self.turn(first)?;
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => append_to(&path_of(first, self.part))?,
        };
        let text = format!("{}{record}\n", self.confession());
        file.write_all(text.as_bytes())?;
        self.written += text.len() as u64;
        (self.file, self.lost) = (Some(file), None);
        Ok(())
    }

    /// Goes on in the next part, and removes the oldest but the first.
    fn turn(&mut self, first: &Path) -> io::Result<()> {
        let next = self.part + 1;
        self.file = Some(append_to(&path_of(first, next))?);
        (self.part, self.written) = (next, 0);
        if next > PARTS_KEPT + 1 {
            // One that cannot be removed is no reason to lose lines.
            let _ = fs::remove_file(path_of(first, next - PARTS_KEPT));
        }
        Ok(())
    }

    /// What is missing before the next line. It begins with the end of a line that may have been written in part.
    fn confession(&self) -> String {
        let Some((count, why)) = &self.lost else {
            return String::new();
        };
        let message = format!("{count} lines before this one could not be written: {why}");
        let record = LogRecord {
            at: Timestamp::now(),
            container: SPEAKER.to_owned(),
            message,
        };
        format!("\n{record}\n")
    }

    fn lose(&mut self, error: io::Error) -> Lost {
        self.file = None;
        match &mut self.lost {
            Some((count, _)) => {
                *count += 1;
                Lost::Another
            }
            none => {
                *none = Some((1, error.to_string()));
                Lost::First(error)
            }
        }
    }
}

/// The parts of a log that there are, in order.
pub(crate) fn parts(first: &Path) -> Vec<(u32, PathBuf)> {
    let directory = first.parent().and_then(|directory| fs::read_dir(directory).ok());
    let files = directory.into_iter().flatten().flatten().map(|file| file.path());
    let part = |path: PathBuf| Some((part_of(&path).filter(|part| path_of(first, *part) == path)?, path));
    let mut parts: Vec<_> = files.filter_map(part).collect();
    parts.sort();
    parts
}

/// Removes a log. What cannot be removed does no harm.
pub(crate) fn remove(first: &Path) {
    for (_, path) in parts(first) {
        let _ = fs::remove_file(path);
    }
}

/// Which part of a log a file is: `2` of `<task id>.2.log`.
fn part_of(path: &Path) -> Option<u32> {
    let (_, rest) = path.file_name()?.to_str()?.split_once('.')?;
    match rest.strip_suffix("log")? {
        "" => Some(1),
        number => number.strip_suffix('.')?.parse().ok(),
    }
}

fn path_of(first: &Path, part: u32) -> PathBuf {
    match part {
        1 => first.to_owned(),
        part => first.with_extension(format!("{part}.log")),
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn record(message: &str) -> LogRecord {
        LogRecord {
            at: Timestamp::UNIX_EPOCH,
            container: "main".to_owned(),
            message: message.to_owned(),
        }
    }

    /// The messages of a file, and who said them.
    fn messages(path: &Path) -> Vec<(String, String)> {
        let text = fs::read_to_string(path).unwrap();
        let records = text.lines().filter_map(|line| line.parse::<LogRecord>().ok());
        records.map(|record| (record.container, record.message)).collect()
    }

    #[test]
    fn a_log_is_bounded_and_keeps_how_it_began_and_how_it_ended() {
        let directory = tempfile::tempdir().unwrap();
        let first = directory.path().join("0123.log");
        fs::write(directory.path().join("01234.log"), "another task's").unwrap();
        let log = TaskLog::open(&first).unwrap();
        let line = "x".repeat(256 * 1024);
        let lines = 6 * PART / (line.len() as u64);
        for number in 0..lines {
            log.write(&record(&format!("{number} {line}"))).unwrap();
        }
        let parts = parts(&first);
        assert_eq!(parts.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [1, 4, 5, 6]);
        assert!(messages(&first)[0].1.starts_with("0 "));
        let last = messages(&parts[3].1).pop().unwrap().1;
        assert!(last.starts_with(&format!("{} ", lines - 1)));
        remove(&first);
        assert_eq!(super::parts(&first), []);
        assert!(directory.path().join("01234.log").exists());
    }

    #[test]
    fn a_full_disk_loses_lines_and_says_how_many_when_there_is_room_again() {
        let directory = tempfile::tempdir().unwrap();
        let (first, room) = (directory.path().join("0123.log"), directory.path().join("room"));
        symlink("/dev/full", &first).unwrap();
        let log = TaskLog::open(&first).unwrap();
        let lost = log.write(&record("one")).unwrap_err();
        assert!(matches!(lost, Lost::First(error) if error.kind() == io::ErrorKind::StorageFull));
        assert!(matches!(log.write(&record("two")), Err(Lost::Another)));
        fs::remove_file(&first).unwrap();
        symlink(&room, &first).unwrap();
        log.write(&record("three")).unwrap();
        log.write(&record("four")).unwrap();
        let told = messages(&room);
        assert_eq!(told[0].0, SPEAKER);
        assert!(
            told[0]
                .1
                .starts_with("2 lines before this one could not be written: No space left"),
            "{told:?}"
        );
        assert_eq!(
            told[1..],
            [
                ("main".to_owned(), "three".to_owned()),
                ("main".to_owned(), "four".to_owned())
            ]
        );
    }
}
