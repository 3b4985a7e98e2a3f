//! The disk below a [`MetricStore`](super::MetricStore): a file for each hour, written at its end only.
//!
//! ```text
//! karma metrics 1                                    what it is, and the form it has
//! = 0 {"namespace":"AWS/ECS",…}                      from here on 0 is this metric
//! 0 34 2 61.5 20.5 41                                its minute 34: count, sum, minimum, maximum, distribution
//! ! 35                                               what stands above for minute 35 and later does not count
//! ```
//! A minute that is written again replaces what was written before. A last line without an end was torn by a crash and does not count.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{MetricId, StatisticSet};

/// Minutes since 1970.
pub(super) type Minute = i64;

/// Minutes of a file.
pub(super) const MINUTES: Minute = 60;

const HEADING: &str = "karma metrics 1";

/// The files of a store, by their hours.
#[derive(Debug)]
pub(super) struct Segments {
    directory: PathBuf,
    /// The file that was written last.
    current: Option<Segment>,
}

/// A file that is being written.
#[derive(Debug)]
struct Segment {
    hour: i64,
    file: File,
    /// The numbers that metrics have in it.
    numbers: BTreeMap<MetricId, usize>,
}

/// What a file says.
#[derive(Debug, Default)]
struct Content {
    metrics: Vec<MetricId>,
    /// By metric and minute.
    sets: BTreeMap<(usize, Minute), StatisticSet>,
    /// So many bytes are whole lines.
    whole: u64,
}

/// Every minute from `from` to before `to` that is in the files of a directory. A file that cannot be read is as good as none.
pub(super) fn read(directory: &Path, from: Minute, to: Minute, mut each: impl FnMut(&MetricId, Minute, StatisticSet)) {
    let wanted = from.div_euclid(MINUTES)..=(to - 1).div_euclid(MINUTES);
    let hours = hours(directory).unwrap_or_default();
    for hour in hours.into_iter().filter(|hour| wanted.contains(hour)) {
        let content = Content::of(&path(directory, hour)).unwrap_or_default();
        for ((metric, minute), set) in content.sets {
            let minute = hour * MINUTES + minute;
            if (from..to).contains(&minute) {
                each(&content.metrics[metric], minute, set);
            }
        }
    }
}

impl Segments {
    /// Begins a run: what is written for later times was of a run whose clock went faster, and is forgotten.
    pub(super) fn open(directory: &Path, now: Minute) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut segments = Self {
            directory: directory.to_owned(),
            current: None,
        };
        let hour = now.div_euclid(MINUTES);
        for later in hours(directory)?.into_iter().filter(|known| *known > hour) {
            fs::remove_file(segments.path(later))?;
        }
        if segments.path(hour).exists() {
            segments.forget_after(hour, now)?;
        }
        Ok(segments)
    }

    /// Appends minutes of metrics.
    pub(super) fn append<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (Minute, &'a MetricId, &'a StatisticSet)>,
    ) -> io::Result<()> {
        let mut by_hour = BTreeMap::<i64, Vec<_>>::new();
        for entry in entries {
            by_hour.entry(entry.0.div_euclid(MINUTES)).or_default().push(entry);
        }
        for (hour, entries) in by_hour {
            let written = self.segment(hour).and_then(|segment| segment.append(entries));
            if written.is_err() {
                // What was half written is cut off when the file is opened again.
                self.current = None;
            }
            written?;
        }
        Ok(())
    }

    /// Removes the files that end before `oldest`, and the oldest of the others while all together are larger than so many bytes.
    pub(super) fn prune(&self, oldest: Minute, bytes: u64) -> io::Result<()> {
        let mut kept = 0;
        for hour in hours(&self.directory)?.into_iter().rev() {
            kept += fs::metadata(self.path(hour))?.len();
            if (hour + 1) * MINUTES <= oldest || kept > bytes {
                fs::remove_file(self.path(hour))?;
            }
        }
        Ok(())
    }

    fn segment(&mut self, hour: i64) -> io::Result<&mut Segment> {
        let current = match self.current.take().filter(|segment| segment.hour == hour) {
            Some(segment) if self.path(hour).exists() => segment,
            _ => Segment::open(&self.path(hour), hour)?,
        };
        Ok(self.current.insert(current))
    }

    fn forget_after(&mut self, hour: i64, now: Minute) -> io::Result<()> {
        let from = now + 1 - hour * MINUTES;
        self.segment(hour)?.file.write_all(format!("! {from}\n").as_bytes())
    }

    fn path(&self, hour: i64) -> PathBuf {
        path(&self.directory, hour)
    }
}

/// The hours that have a file, earliest first.
fn hours(directory: &Path) -> io::Result<Vec<i64>> {
    let mut hours = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        hours.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(".metrics")?.parse::<i64>().ok()),
        );
    }
    hours.sort_unstable();
    Ok(hours)
}

fn path(directory: &Path, hour: i64) -> PathBuf {
    directory.join(format!("{hour}.metrics"))
}

impl Segment {
    /// Opens a file at the end of its last whole line. One that is of another form is written anew.
    fn open(path: &Path, hour: i64) -> io::Result<Self> {
        let content = Content::of(path).unwrap_or_default();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.set_len(content.whole)?;
        file.seek(SeekFrom::End(0))?;
        if content.whole == 0 {
            file.write_all(format!("{HEADING}\n").as_bytes())?;
        }
        let numbers = content.metrics.into_iter().enumerate();
        Ok(Self {
            hour,
            file,
            numbers: numbers.map(|(number, metric)| (metric, number)).collect(),
        })
    }

    fn append(&mut self, entries: Vec<(Minute, &MetricId, &StatisticSet)>) -> io::Result<()> {
        let begin = self.hour * MINUTES;
        let mut out = BufWriter::new(&self.file);
        for (minute, metric, set) in entries {
            let next = self.numbers.len();
            let number = *self.numbers.entry(metric.clone()).or_insert(next);
            if number == next {
                let name = serde_json::to_string(metric).expect("names are JSON");
                writeln!(out, "= {number} {name}")?;
            }
            writeln!(out, "{number} {} {set}", minute - begin)?;
        }
        out.flush()
    }
}

impl Content {
    /// What a file says; nothing where it is of another form.
    fn of(path: &Path) -> io::Result<Self> {
        let mut reader = BufReader::new(File::open(path)?);
        let (mut content, mut line) = (Self::default(), Vec::new());
        // A file without line ends must not fill the memory.
        while reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            if content.whole == 0 && line.trim_ascii_end() != HEADING.as_bytes() {
                return Ok(Self::default());
            }
            content.whole += line.len() as u64;
            // A line that says nothing is passed over.
            let _ = std::str::from_utf8(&line)
                .ok()
                .and_then(|line| content.note(line.trim_end()));
            line.clear();
        }
        Ok(content)
    }

    fn note(&mut self, line: &str) -> Option<()> {
        let (first, rest) = line.split_once(' ')?;
        match first {
            "=" => self.metrics.push(metric(rest, self.metrics.len())?),
            "!" => {
                let from: Minute = rest.parse().ok()?;
                self.sets.retain(|(_, minute), _| *minute < from);
            }
            number => {
                let number: usize = number.parse().ok().filter(|number| *number < self.metrics.len())?;
                let (minute, set) = rest.split_once(' ')?;
                self.sets.insert((number, minute.parse().ok()?), set.parse().ok()?);
            }
        }
        Some(())
    }
}

/// No metric and no distribution is longer.
const LONGEST_LINE: u64 = 1 << 20;

fn metric(text: &str, next: usize) -> Option<MetricId> {
    let (number, name) = text.split_once(' ')?;
    (number.parse() == Ok(next)).then_some(())?;
    serde_json::from_str(name).ok()
}
