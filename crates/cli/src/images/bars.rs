//! What happens while images are pushed: a line for all that is done, and on a terminal a bar for all that is on its way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use karma_image::{BlobProgress, Digest, Outcome, Progress, Pushed};
use karma_ops::Unit;

use crate::chart;
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::terminal;

/// How often bars are drawn at most.
const DRAWN_EVERY: Duration = Duration::from_millis(80);

/// Smaller blobs are only told of where all is told: manifests and the like, many of them.
const SMALL: u64 = 100_000;

/// How many characters a bar has.
const WIDTH: usize = 24;

/// Shows a push as it goes.
pub(crate) struct Bars {
    printer: Printer,
    /// How many columns the terminal has; `None` where there is none.
    columns: Option<usize>,
    sending: BTreeMap<(String, Digest), Sending>,
    /// How many lines of bars are on the screen.
    drawn: usize,
    drawn_at: Option<Instant>,
}

/// A blob that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sending {
    sent: u64,
    size: u64,
}

impl Bars {
    pub(crate) fn new(printer: Printer) -> Self {
        Self {
            printer,
            columns: terminal::columns_of_talk().filter(|_| printer.talks()),
            sending: BTreeMap::new(),
            drawn: 0,
            drawn_at: None,
        }
    }

    pub(crate) fn show(&mut self, event: &Progress) {
        if let Some(line) = line(event, self.printer) {
            self.erase();
            self.printer.talk(&line);
        }
        if let Progress::Blob {
            repository,
            digest,
            size,
            progress,
        } = event
        {
            let key = (repository.clone(), *digest);
            match progress {
                BlobProgress::Sending { sent } => self.sending.insert(
                    key,
                    Sending {
                        sent: *sent,
                        size: *size,
                    },
                ),
                _ => self.sending.remove(&key),
            };
            self.draw(Instant::now());
        }
    }

    fn draw(&mut self, now: Instant) {
        let is_early = self.drawn_at.is_some_and(|drawn| now < drawn + DRAWN_EVERY);
        let Some(columns) = self.columns.filter(|_| !is_early) else {
            return;
        };
        self.erase();
        let lines: Vec<_> = self
            .sending
            .iter()
            .map(|(key, sending)| bar(key, *sending, columns))
            .collect();
        for line in &lines {
            self.printer.talk(line);
        }
        self.drawn = lines.len();
        self.drawn_at = Some(now);
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            // Up so many lines, and everything below is gone.
            self.printer
                .error_bytes(format!("\x1b[{}A\x1b[J", self.drawn).as_bytes())
                .ok();
            self.drawn = 0;
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.erase();
    }
}

/// `  4f1c2a9b03de ███████▌                  2.1 MB of 8.4 MB  karmacadabra/validator`
fn bar((repository, digest): &(String, Digest), sending: Sending, columns: usize) -> String {
    let blocks = chart::bar(float(sending.sent), float(sending.size), WIDTH);
    let line = format!(
        "  {} {blocks:WIDTH$} {:>8} of {:<8} {repository}",
        short(digest),
        bytes(sending.sent),
        bytes(sending.size)
    );
    line.chars().take(columns).collect()
}

/// What is worth a line.
fn line(event: &Progress, printer: Printer) -> Option<String> {
    match event {
        Progress::Planned { blobs: 0, .. } => None,
        Progress::Planned { blobs, bytes: size } => Some(format!("pushing {} in {blobs} blobs", bytes(*size))),
        Progress::Blob {
            repository,
            digest,
            size,
            progress,
        } => {
            let is_detail = *size < SMALL || *progress == BlobProgress::Present;
            let what = match progress {
                BlobProgress::Sending { .. } => return None,
                _ if is_detail && !printer.is_verbose() => return None,
                BlobProgress::Present => "there already".to_owned(),
                BlobProgress::Uploaded => "sent".to_owned(),
                BlobProgress::Mounted { from } => format!("taken from {from}"),
            };
            Some(format!("  {} {:>8} {repository}: {what}", short(digest), bytes(*size)))
        }
        Progress::Image(pushed) => Some(image(pushed, printer)),
    }
}

fn image(pushed: &Pushed, printer: Printer) -> String {
    let what = match pushed.outcome {
        Outcome::Unchanged => "is there already".to_owned(),
        Outcome::Pushed => format!("is pushed, {} sent", bytes(pushed.uploaded)),
    };
    let tag = pushed.reference.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
    let name = format!("{}{tag}", pushed.reference.repository());
    format!("{} {what}", printer.paint_talk(Style::Bold, &name))
}

/// As many digits of a digest as people look at.
pub(crate) fn short(digest: &Digest) -> String {
    let mut hex = digest.hex();
    hex.truncate(12);
    hex
}

fn bytes(count: u64) -> String {
    quantity(float(count), Unit::Bytes)
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_a_blob_is_and_fits_the_terminal() {
        let key = ("k/a".to_owned(), Digest::of(b""));
        let sending = Sending {
            sent: 2_100_000,
            size: 8_400_000,
        };
        let line = bar(&key, sending, 100);
        assert_eq!(
            line,
            format!("  e3b0c44298fc ██████{}   2.1 MB of 8.4 MB   k/a", " ".repeat(18))
        );
        assert_eq!(bar(&key, sending, 20).chars().count(), 20);
    }
}
