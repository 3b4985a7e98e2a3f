//! A drill's report for people: a table, what was lost, and a chart of the load.

use std::fmt::Write as _;

use karma_runtime::{DrillReport, LoadSecond};

use crate::chart::sparkline;
use crate::printer::{Printer, Style};
use crate::table::{Cell, Table};

/// The chart is no wider.
const WIDTH: usize = 60;

/// All of it.
pub(super) fn of(report: &DrillReport, printer: Printer) -> String {
    let mut text = table(report).render(printer);
    for (how, requests) in &report.losses {
        let _ = writeln!(text, "lost: {requests} {how}");
    }
    let chart = chart(whole(&report.seconds, report.rate), printer);
    if !chart.is_empty() {
        let _ = write!(text, "\n{chart}");
    }
    text
}

/// `3.1 s`
#[expect(clippy::cast_precision_loss, reason = "a drill does not last for 2^52 milliseconds")]
pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", milliseconds as f64 / 1e3)
}

fn table(report: &DrillReport) -> Table {
    let mut table = Table::new([
        "DRILL",
        "SERVICE",
        "SENT",
        "LOST",
        "RECLAIMED",
        "MEDIAN",
        "P99",
        "SLOWEST",
        "RECOVERED",
    ]);
    let milliseconds = |time: u64| Cell::from(format!("{time} ms"));
    let lost = if report.lost == 0 { Style::Green } else { Style::Red };
    let recovered = match report.recovered_ms {
        Some(time) => Cell::from(seconds(time)),
        None => Cell::styled("no", Style::Red),
    };
    table.row([
        Cell::from(report.scenario.as_str()),
        Cell::from(&report.service),
        Cell::from(report.sent.to_string()),
        Cell::styled(report.lost.to_string(), lost),
        Cell::from(report.reclaimed.to_string()),
        milliseconds(report.median_ms),
        milliseconds(report.p99_ms),
        milliseconds(report.slowest_ms),
        recovered,
    ]);
    table
}

/// A column for each second, or for several where they are many: how many requests were answered, where some were lost, how slow the slowest was.
fn chart(seconds: &[LoadSecond], printer: Printer) -> String {
    if seconds.is_empty() {
        return String::new();
    }
    let per_column = seconds.len().div_ceil(WIDTH);
    let columns: Vec<LoadSecond> = seconds.chunks(per_column).map(together).collect();
    let most = columns.iter().map(|one| one.sent - one.lost).max().unwrap_or(0);
    let slowest = columns.iter().map(|one| one.slowest_ms).max().unwrap_or(0);
    let answered = sparkline(&values(&columns, |one| one.sent - one.lost));
    let slow = sparkline(&values(&columns, |one| {
        usize::try_from(one.slowest_ms).unwrap_or(usize::MAX)
    }));
    let mut text = format!("answered  {answered}  {most}/s at most\n");
    if columns.iter().any(|one| one.lost > 0) {
        let marks: String = columns.iter().map(|one| if one.lost > 0 { '×' } else { '·' }).collect();
        let _ = writeln!(text, "lost      {}", printer.paint(Style::Red, &marks));
    }
    let _ = writeln!(text, "slowest   {slow}  {slowest} ms at most");
    let _ = writeln!(text, "          {}", axis(seconds.len(), columns.len()));
    text
}

/// Without a last second that had only begun, unless something was lost in it: it would look as if answers had failed to come.
fn whole(seconds: &[LoadSecond], rate: u32) -> &[LoadSecond] {
    let has_only_begun = |last: &LoadSecond| last.lost == 0 && u32::try_from(last.sent).is_ok_and(|sent| sent < rate);
    match seconds {
        [whole @ .., last] if !whole.is_empty() && has_only_begun(last) => whole,
        all => all,
    }
}

/// Several seconds as one: their average, and a loss in any of them.
fn together(seconds: &[LoadSecond]) -> LoadSecond {
    let average = |value: fn(&LoadSecond) -> usize| seconds.iter().map(value).sum::<usize>().div_ceil(seconds.len());
    LoadSecond {
        sent: average(|one| one.sent),
        lost: average(|one| one.lost),
        slowest_ms: seconds.iter().map(|one| one.slowest_ms).max().unwrap_or(0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a column of a chart has eight levels")]
fn values(columns: &[LoadSecond], value: impl Fn(&LoadSecond) -> usize) -> Vec<Option<f64>> {
    columns.iter().map(|one| Some(value(one) as f64)).collect()
}

/// `0        30 s`, as wide as the columns where there is room.
fn axis(seconds: usize, columns: usize) -> String {
    let end = format!("{seconds} s");
    format!("0{end:>width$}", width = columns.saturating_sub(1).max(end.len() + 1))
}
