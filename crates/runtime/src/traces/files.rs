//! The traces on the disk: a file for each hour in which spans came in, a span a line. A last line without an end was torn by a crash and does
//! not count.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use karma_ops::TraceSpan;

/// So many files are kept: a day's. X-Ray keeps thirty days, which is more than a laptop should.
const HOURS: i64 = 24;

/// No file grows beyond this; what comes then is kept in memory only.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The files of a store.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    /// The hour that was written to last.
    hour: Option<i64>,
}

impl Files {
    /// Opens a directory, which is made where it is not there, and forgets what is too old.
    pub(super) fn open(directory: &Path, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let files = Self {
            directory: directory.to_owned(),
            hour: None,
        };
        files.forget(hour_of(now))?;
        Ok(files)
    }

    /// The latest spans, oldest first, and at least so many where there are. What cannot be read is as good as nothing.
    pub(super) fn read(&self, enough: usize) -> Vec<TraceSpan> {
        let mut hours = self.hours().unwrap_or_default();
        hours.sort_unstable();
        let mut files: Vec<Vec<TraceSpan>> = Vec::new();
        while let Some(hour) = hours.pop()
            && files.iter().map(Vec::len).sum::<usize>() < enough
        {
            let bytes = fs::read(self.path(hour)).unwrap_or_default();
            let lines = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .filter(|line| line.ends_with(b"\n"));
            files.push(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect());
        }
        files.into_iter().rev().flatten().collect()
    }

    /// Appends spans.
    pub(super) fn append(&mut self, spans: &[TraceSpan], now: Timestamp) -> io::Result<()> {
        let hour = hour_of(now);
        if self.hour != Some(hour) {
            self.forget(hour)?;
        }
        let mut lines = Vec::new();
        if self.hour != Some(hour) && self.is_torn(hour) {
            lines.push(b'\n');
        }
        for span in spans {
            serde_json::to_writer(&mut lines, span)?;
            lines.push(b'\n');
        }
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(hour))?;
        self.hour = Some(hour);
        if file.metadata()?.len() + (lines.len() as u64) <= MOST_BYTES {
            file.write_all(&lines).inspect_err(|_| self.hour = None)?;
        }
        Ok(())
    }

    /// Whether a file's last line has no end.
    fn is_torn(&self, hour: i64) -> bool {
        let bytes = fs::read(self.path(hour)).unwrap_or_default();
        bytes.last().is_some_and(|byte| *byte != b'\n')
    }

    fn forget(&self, now: i64) -> io::Result<()> {
        let mut too_old = self.hours()?.into_iter().filter(|hour| *hour <= now - HOURS);
        too_old.try_for_each(|hour| fs::remove_file(self.path(hour)))
    }

    fn hours(&self) -> io::Result<Vec<i64>> {
        let mut hours = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let hour: Option<i64> = name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse().ok());
            hours.extend(hour);
        }
        Ok(hours)
    }

    fn path(&self, hour: i64) -> PathBuf {
        self.directory.join(format!("{hour}.jsonl"))
    }
}

/// Hours since 1970.
fn hour_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3_600)
}

#[cfg(test)]
mod tests {
    use super::super::gate::tests::span;
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600 + 7).unwrap()
    }

    #[test]
    fn what_is_written_is_read_for_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path(), at(100)).unwrap();
        for hour in [100_i64, 101, 124] {
            files
                .append(&[span(hour.unsigned_abs().into(), 1, 0)], at(hour))
                .unwrap();
        }
        let traces = |files: &Files, enough| {
            let spans = files.read(enough).into_iter();
            spans.map(|span| span.trace.low_bits()).collect::<Vec<_>>()
        };
        assert_eq!(traces(&files, 10), [101, 124], "the hundredth hour was a day ago");
        assert_eq!(traces(&files, 1), [124]);
        let later = Files::open(directory.path(), at(125)).unwrap();
        assert_eq!(traces(&later, 10), [124]);
    }

    #[test]
    fn a_torn_line_costs_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("100.jsonl");
        let mut files = Files::open(directory.path(), at(100)).unwrap();
        files.append(&[span(1, 1, 0)], at(100)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[..20])).unwrap();
        let mut files = Files::open(directory.path(), at(100)).unwrap();
        assert_eq!(files.read(10).len(), 1);
        files.append(&[span(2, 1, 0)], at(100)).unwrap();
        assert_eq!(files.read(10).len(), 2);
    }

    #[test]
    fn an_hour_has_its_bounds() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path(), at(100)).unwrap();
        let batch: Vec<_> = (1..=1_000).map(|number| span(1, number, 0)).collect();
        for _ in 0..30 {
            files.append(&batch, at(100)).unwrap();
        }
        let written = fs::metadata(directory.path().join("100.jsonl")).unwrap().len();
        assert!(written <= MOST_BYTES && written > MOST_BYTES / 2, "{written}");
    }
}
