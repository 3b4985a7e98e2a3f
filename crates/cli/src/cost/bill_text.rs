//! A bill and a comparison for a terminal.

use karma_cost::{Basis, Bill, ChangeKind, Comparison, CostComponent, Estimate, Group, Instances, Kind, Totals, Usd};

use super::today;
use crate::printer::{Printer, Style};
use crate::table::{Cell, Table};

/// Bars that would be shorter say nothing.
const SHORTEST_BAR: usize = 8;
const LONGEST_BAR: usize = 40;

/// How much of a table is shown.
#[derive(Clone, Copy)]
struct Layout {
    quantities: bool,
    /// In columns; 0 for none.
    bar: usize,
}

/// The bill of what is called `name`, as wide as the terminal.
pub(super) fn bill(bill: &Bill, name: &str, columns: usize, printer: Printer) -> String {
    let mut text = lines(bill, name, columns).render(printer);
    text.push_str(&format!("\n{}", totals(&bill.totals).render(printer)));
    text.push_str(&unpriced(bill));
    text.push_str(&assumptions(bill, printer));
    text.push_str(&dates(bill, printer));
    if printer.is_verbose() {
        text.push_str(&details(bill, printer));
    }
    text
}

/// The widest table that fits: with quantities and bars, or with one of them.
fn lines(bill: &Bill, name: &str, columns: usize) -> Table {
    let table = |quantities, bar| table(bill, name, Layout { quantities, bar });
    let bar = |table: &Table| columns.saturating_sub(table.width() + 2).min(LONGEST_BAR);
    let (full, short) = (table(true, 0), table(false, 0));
    match (bar(&full), bar(&short)) {
        (SHORTEST_BAR.., _) => table(true, bar(&full)),
        _ if full.width() <= columns => full,
        (_, SHORTEST_BAR..) => table(false, bar(&short)),
        _ => short,
    }
}

fn table(bill: &Bill, name: &str, layout: Layout) -> Table {
    let title = format!("{name}, {}, USD a month", bill.region);
    let mut table = Table::new(Vec::new());
    let headings = [
        Cell::styled(title, Style::Bold),
        Cell::styled("", Style::Bold),
        Cell::number("LIST").in_style(Style::Bold),
        Cell::number("FREE TIER").in_style(Style::Bold),
        Cell::from(""),
    ];
    table.row(layout.row(headings));
    let kinds = bill.kinds();
    for group in Group::ALL {
        let of_group: Vec<_> = kinds.iter().filter(|kind| kind.first.group == group).collect();
        if of_group.is_empty() {
            continue;
        }
        let cost = of_group.iter().map(|kind| kind.cost()).sum();
        table.row(layout.row(group_row(group, &cost, bill, layout)));
        for kind in of_group {
            table.row(layout.row(kind_row(kind, bill, layout)));
        }
    }
    table
}

fn group_row(group: Group, cost: &Totals, bill: &Bill, layout: Layout) -> [Cell; 5] {
    [
        Cell::styled(group.to_string(), Style::Bold),
        Cell::from(""),
        Cell::number(cost.list.expected.to_string()).in_style(Style::Bold),
        Cell::number(cost.with_free_tier.expected.to_string()).in_style(Style::Bold),
        Cell::from(bar(cost.list.expected, bill, layout)),
    ]
}

fn kind_row(kind: &Kind<'_>, bill: &Bill, layout: Layout) -> [Cell; 5] {
    let (first, cost) = (kind.first, kind.cost());
    let stale = if first.rate.is_stale(today()) {
        format!(" (price of {})", first.rate.as_of)
    } else {
        String::new()
    };
    let about = match first.basis {
        Basis::Fixed => "",
        Basis::Usage => "~",
    };
    [
        Cell::from(format!("  {}{stale}", first.name)),
        Cell::number(format!("{about}{} {}", kind.quantity().expected, first.rate.unit)),
        Cell::number(cost.list.expected.to_string()),
        Cell::number(cost.with_free_tier.expected.to_string()),
        Cell::styled(bar(cost.list.expected, bill, layout), Style::Dim),
    ]
}

impl Layout {
    fn row(self, cells: [Cell; 5]) -> Vec<Cell> {
        let shown = [true, self.quantities, true, true, self.bar > 0];
        cells
            .into_iter()
            .zip(shown)
            .filter_map(|(cell, is_shown)| is_shown.then_some(cell))
            .collect()
    }
}

/// A part of the dearest group, in eighths of a column.
fn bar(cost: Usd, bill: &Bill, layout: Layout) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let groups = bill.subtotals.iter().map(|subtotal| subtotal.cost.list.expected);
    let percent = cost.percent_of(groups.max().unwrap_or_default());
    let eighths = layout.bar * 8 * usize::try_from(percent).unwrap_or(0) / 100;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn totals(totals: &Totals) -> Table {
    let mut table = Table::new(["TOTAL", "LOW", "EXPECTED", "HIGH"]);
    let row = |name: &str, cost: Estimate<Usd>| {
        [
            Cell::from(name),
            Cell::number(cost.low.to_string()),
            Cell::number(cost.expected.to_string()).in_style(Style::Bold),
            Cell::number(cost.high.to_string()),
        ]
    };
    table.row(row("at list price", totals.list));
    table.row(row("with what AWS always gives for free", totals.with_free_tier));
    table
}

fn unpriced(bill: &Bill) -> String {
    let reasons = bill.unpriced_by_reason();
    if reasons.is_empty() {
        return String::new();
    }
    let lines = reasons
        .iter()
        .map(|(why, resources)| format!("  {}: {why}\n", shown(resources)));
    format!("\nNot in the totals:\n{}", lines.collect::<String>())
}

fn shown(resources: &[Instances]) -> String {
    let shown = resources.iter().map(|it| match it.count {
        1 => it.address.clone(),
        count => format!("{} ×{count}", it.address),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// What was assumed, by the names of the usage file.
fn assumptions(bill: &Bill, printer: Printer) -> String {
    let mut table = Table::new(Vec::new());
    for assumption in bill.assumptions.iter().filter(|assumption| !assumption.value.is_zero()) {
        table.row([
            Cell::from(format!("  {}", assumption.name)),
            Cell::number(assumption.value.to_string()),
            Cell::from(assumption.meaning),
        ]);
    }
    format!(
        "\nAssumed of the month, which has 730 hours, for lines with ~ (`--usage FILE` changes it):\n{}",
        table.render(printer)
    )
}

fn dates(bill: &Bill, printer: Printer) -> String {
    let Some((oldest, newest)) = bill.price_dates() else {
        return format!("\nNothing in it has a price in {}.\n", bill.region);
    };
    let mut text = format!("\nPrices of {}, before tax, as of {oldest} to {newest}.\n", bill.region);
    let stale: Estimate<Usd> = bill.stale(today()).map(|line| line.cost.list).sum();
    if stale.high > Usd::ZERO {
        let said = format!(
            "Of the total, {} rest on Spot prices that are out of date: karma prices refresh {}",
            stale.expected, bill.region
        );
        text.push_str(&format!("{}\n", printer.paint(Style::Yellow, &said)));
    }
    text
}

/// Every line with its resource, rate and reason.
fn details(bill: &Bill, printer: Printer) -> String {
    let kinds = bill.kinds();
    let kind = |kind: &Kind<'_>| {
        let (rate, basis) = (&kind.first.rate, kind.first.basis);
        let title = printer.paint(Style::Bold, kind.first.name);
        let source = format!("{}, {} of {}, {}", basis, rate.sku, rate.as_of, rate.source);
        let lines = kind.lines.iter().map(|line| detail(line));
        format!(
            "\n{title}  {}\n{}",
            printer.paint(Style::Dim, &source),
            lines.collect::<String>()
        )
    };
    kinds.iter().map(kind).collect()
}

fn detail(line: &CostComponent) -> String {
    format!(
        "  {}: {} {} × {} = {}: {}\n",
        line.resource,
        line.quantity.expected,
        line.rate.unit,
        line.rate.usd.exact(),
        line.cost.list.expected,
        line.because
    )
}

/// What came, went and changed, at list price.
pub(super) fn comparison(comparison: &Comparison, from: &str, to: &str, printer: Printer) -> String {
    let (before, after) = (comparison.before, comparison.after);
    let mut table = Table::new(["", "LINE", "RESOURCE", "BEFORE", "AFTER", "DIFFERENCE"]);
    for change in &comparison.changes {
        let (mark, style) = match change.kind {
            ChangeKind::Added => ("+", Style::Green),
            ChangeKind::Removed => ("-", Style::Red),
            ChangeKind::Changed => ("~", Style::Yellow),
        };
        let (before, after) = (change.before.list.expected, change.after.list.expected);
        table.row([
            Cell::styled(mark, style),
            Cell::from(change.name),
            Cell::from(change.resource.to_string()),
            Cell::number(before.to_string()),
            Cell::number(after.to_string()),
            Cell::number(signed(after - before)),
        ]);
    }
    let mut text = match comparison.changes.len() {
        0 => "No line differs.\n".to_owned(),
        _ => table.render(printer),
    };
    for unpriced in &comparison.newly_unpriced {
        text.push_str(&format!(
            "\nNew, and not in the totals: {}: {}\n",
            unpriced.resource, unpriced.why
        ));
    }
    let difference = |price: &str, before: Usd, after: Usd| {
        let signed = printer.paint(Style::Bold, &signed(after - before));
        format!("{price}: {signed} USD a month, from {before} ({from}) to {after} ({to})\n")
    };
    text.push('\n');
    text.push_str(&difference("At list price", before.list.expected, after.list.expected));
    let (before, after) = (before.with_free_tier.expected, after.with_free_tier.expected);
    text.push_str(&difference("With the free tier", before, after));
    text
}

fn signed(difference: Usd) -> String {
    if difference > Usd::ZERO {
        format!("+{difference}")
    } else {
        difference.to_string()
    }
}
