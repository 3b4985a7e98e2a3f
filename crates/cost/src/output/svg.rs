//! A bill as a picture: a bar for each group, in whole pixels.

use crate::{Bill, Usd};

const WIDTH: u32 = 640;
const ROW: u32 = 28;
const LABELS: u32 = 130;
const AMOUNTS: u32 = 90;

/// A bar chart of the groups at their expected list price. It carries its own colours, for light and dark pages.
pub fn svg(bill: &Bill) -> String {
    let groups: Vec<_> = bill
        .subtotals
        .iter()
        .filter(|it| it.cost.list.expected > Usd::ZERO)
        .collect();
    let largest = groups.iter().map(|it| it.cost.list.expected).max().unwrap_or_default();
    let height = ROW * (crate::inventory::count(groups.len()) + 1) + 16;
    let total = bill.totals.list;
    let title = format!(
        "USD {} a month at list price ({} to {})",
        total.expected, total.low, total.high
    );
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>text{{font:14px sans-serif;fill:#24292f}}rect{{fill:#0969da}}\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}rect{{fill:#4493f8}}}}</style>\n\
         <text x=\"8\" y=\"20\">{title}</text>\n"
    );
    for (row, subtotal) in (1..).zip(groups) {
        let cost = subtotal.cost.list.expected;
        text.push_str(&bar(row, &subtotal.group.to_string(), cost, cost.percent_of(largest)));
    }
    text.push_str("</svg>\n");
    text
}

fn bar(row: u32, label: &str, cost: Usd, percent: u32) -> String {
    let width = ((WIDTH - LABELS - AMOUNTS) * percent.min(100) / 100).max(1);
    let (top, baseline) = (row * ROW + 8, row * ROW + 24);
    let amount = LABELS + width + 8;
    format!(
        "<text x=\"8\" y=\"{baseline}\">{label}</text>\
         <rect x=\"{LABELS}\" y=\"{top}\" width=\"{width}\" height=\"20\" rx=\"2\"/>\
         <text x=\"{amount}\" y=\"{baseline}\">{cost}</text>\n"
    )
}
