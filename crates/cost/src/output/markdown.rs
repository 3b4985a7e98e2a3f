//! A bill as Markdown: totals, groups, lines of one kind together, and everything that was assumed.

use jiff::civil::Date;

use crate::{Bill, Estimate, Instances, Kind, Totals, Usd};

/// The day on which a bill is read: floating prices that are old by then are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today(pub Date);

/// The bill as a Markdown document without a heading.
pub fn markdown(bill: &Bill, today: Today) -> String {
    let mut text = totals(bill);
    text.push_str(&lines(bill, today));
    text.push_str(&unpriced(bill));
    text.push_str(&assumptions(bill));
    text.push_str(&dates(bill, today));
    text
}

fn totals(bill: &Bill) -> String {
    let mut text = String::from(
        "| USD a month | Low | Expected | High | Expected, with free tier |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    let row = |name: &str, cost: &Totals| {
        let list = cost.list;
        format!(
            "| {name} | {} | {} | {} | {} |\n",
            list.low, list.expected, list.high, cost.with_free_tier.expected
        )
    };
    for subtotal in bill
        .subtotals
        .iter()
        .filter(|subtotal| subtotal.cost.list.high > Usd::ZERO)
    {
        text.push_str(&row(&subtotal.group.to_string(), &subtotal.cost));
    }
    text.push_str(&row("**Total**", &bill.totals));
    text
}

fn lines(bill: &Bill, today: Today) -> String {
    let mut text = String::from(
        "\n| Line | Resources | Quantity | Unit | USD each | List | With free tier | |\n| --- | --- | ---: | --- | ---: | ---: | ---: | --- |\n",
    );
    for kind in bill.kinds() {
        text.push_str(&row(&kind, today));
    }
    text
}

fn row(kind: &Kind<'_>, Today(today): Today) -> String {
    let (first, cost) = (kind.first, kind.cost());
    let stale = if first.rate.is_stale(today) {
        format!(", price of {}", first.rate.as_of)
    } else {
        String::new()
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {}{stale} |\n",
        first.name,
        cell(&kind.resources()),
        kind.quantity().expected,
        first.rate.unit,
        first.rate.usd.exact(),
        cost.list.expected,
        cost.with_free_tier.expected,
        first.basis,
    )
}

/// `` `aws_x.y` ×5, `aws_x.z` ``
fn cell(resources: &[Instances]) -> String {
    let shown = resources.iter().map(|it| match it.count {
        1 => format!("`{}`", it.address),
        count => format!("`{}` ×{count}", it.address),
    });
    shown.collect::<Vec<_>>().join(", ").replace('|', "\\|")
}

fn unpriced(bill: &Bill) -> String {
    let reasons = bill.unpriced_by_reason();
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nNot in the totals:\n\n");
    for (why, resources) in reasons {
        text.push_str(&format!("- {}: {why}\n", cell(&resources)));
    }
    text
}

fn assumptions(bill: &Bill) -> String {
    let mut text = String::from("\nAssumed of the month, which has 730 hours:\n\n");
    for assumption in bill.assumptions.iter().filter(|assumption| !assumption.value.is_zero()) {
        text.push_str(&format!(
            "- `{}`: {} {}\n",
            assumption.name, assumption.value, assumption.meaning
        ));
    }
    text
}

fn dates(bill: &Bill, Today(today): Today) -> String {
    let Some((oldest, newest)) = bill.price_dates() else {
        return String::new();
    };
    let mut text = format!(
        "\nPrices of {}, in US dollars before tax, as of {oldest} to {newest}.",
        bill.region
    );
    let stale: Estimate<Usd> = bill.stale(today).map(|line| line.cost.list).sum();
    if stale.high > Usd::ZERO {
        text.push_str(&format!(
            " **Of the total, {} rest on Spot prices that are out of date.**",
            stale.expected
        ));
    }
    text.push('\n');
    text
}
