//! Access logs: a line for each request, in a file.
//!
//! Requests only hand their entry over; a thread of the log's own writes it. Where entries come faster than they can be
//! written, some are dropped, and counted: no request ever waits for the log.

pub(crate) mod entry;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::access_log::entry::Entry;

/// A log that is being written. Clones write to the same file. It is complete some time after the last clone is dropped.
#[derive(Debug, Clone)]
pub struct AccessLog {
    load_balancer: Arc<str>,
    entries: SyncSender<Box<Entry>>,
    dropped: Arc<AtomicU64>,
}

/// The file, and how much is in it.
struct LogFile {
    path: PathBuf,
    limit: u64,
    length: u64,
    /// How many dropped entries the file says are missing.
    missing: u64,
    file: BufWriter<File>,
}

/// So many entries may wait to be written.
const WAITING: usize = 4_096;

impl AccessLog {
    /// Writes to the end of the file at `path`, for the load balancer with this resource ID. When the file is larger
    /// than `limit` in bytes it becomes `<path>.1`, in the place of the one before, and a new one is begun.
    pub fn open(path: &Path, load_balancer: &str, limit: u64) -> io::Result<Self> {
        let file = LogFile::open(path.to_owned(), limit)?;
        let (entries, waiting) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(file, &waiting, &counted))?;
        Ok(Self {
            load_balancer: load_balancer.into(),
            entries,
            dropped,
        })
    }

    /// How many entries were dropped since the log was opened: there were too many at once, or they could not be
    /// written.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn load_balancer(&self) -> Arc<str> {
        Arc::clone(&self.load_balancer)
    }

    /// Hands an entry over, or drops it.
    pub(crate) fn write(&self, entry: Box<Entry>) {
        if self.entries.try_send(entry).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes entries until nobody is left who could send one. What is written stands in the file as soon as no other entry
/// waits.
fn write(mut file: LogFile, waiting: &Receiver<Box<Entry>>, dropped: &AtomicU64) {
    while let Ok(first) = waiting.recv() {
        let mut next = Ok(first);
        while let Ok(entry) = next {
            let lost = dropped.load(Ordering::Relaxed);
            if file.say_missing(lost).and_then(|()| file.append(&entry)).is_err() {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
            next = waiting.try_recv();
        }
        // What cannot be written now is tried again with the next entry.
        let _ = file.file.flush();
        if matches!(next, Err(TryRecvError::Disconnected)) {
            return;
        }
    }
}

impl LogFile {
    fn open(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self {
            length: file.metadata()?.len(),
            path,
            limit,
            missing: 0,
            file: BufWriter::new(file),
        })
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        if self.length > self.limit {
            self.begin_anew()?;
        }
        self.put(&format!("{entry}\n"))
    }

    /// Says in its place that entries are missing. It is no entry, and readers of access logs skip what is none.
    fn say_missing(&mut self, dropped: u64) -> io::Result<()> {
        let new = dropped.saturating_sub(self.missing);
        if new > 0 {
            self.put(&format!(
                "# {new} entries are missing here: they could not be written in time\n"
            ))?;
            self.missing = dropped;
        }
        Ok(())
    }

    fn put(&mut self, line: &str) -> io::Result<()> {
        self.length += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let mut old = self.path.clone().into_os_string();
        old.push(".1");
        fs::rename(&self.path, old)?;
        *self = Self {
            missing: self.missing,
            ..Self::open(self.path.clone(), self.limit)?
        };
        Ok(())
    }
}
