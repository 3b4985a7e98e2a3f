//! A bill as Markdown: totals, groups, lines of one kind together, and everything that was assumed.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{Bill, CostComponent, Estimate, Quantity, Totals, Usd};

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

/// Lines that differ only in their resource, put together.
fn lines(bill: &Bill, today: Today) -> String {
    let mut text = String::from(
        "\n| Line | Resources | Quantity | Unit | USD each | List | With free tier | |\n| --- | --- | ---: | --- | ---: | ---: | ---: | --- |\n",
    );
    let mut kinds: Vec<((&str, &str), Vec<&CostComponent>)> = Vec::new();
    for line in &bill.components {
        let kind = (line.name, line.rate.sku.as_str());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, lines)) => lines.push(line),
            None => kinds.push((kind, vec![line])),
        }
    }
    for (_, lines) in &kinds {
        text.push_str(&row(lines, today));
    }
    text
}

fn row(lines: &[&CostComponent], Today(today): Today) -> String {
    let first = lines[0];
    let quantity: Quantity = lines.iter().map(|line| line.quantity.expected).sum();
    let cost: Totals = lines.iter().map(|line| line.cost).sum();
    let stale = if first.rate.is_stale(today) {
        format!(", price of {}", first.rate.as_of)
    } else {
        String::new()
    };
    format!(
        "| {} | {} | {quantity} | {} | {} | {} | {} | {}{stale} |\n",
        first.name,
        resources(lines),
        first.rate.unit,
        first.rate.usd.exact(),
        cost.list.expected,
        cost.with_free_tier.expected,
        first.basis,
    )
}

fn resources(lines: &[&CostComponent]) -> String {
    let addresses: Vec<String> = lines.iter().map(|line| line.resource.to_string()).collect();
    grouped(&addresses)
}

/// `` `aws_x.y` ×5 ``
fn grouped(addresses: &[String]) -> String {
    let mut blocks = BTreeMap::<&str, usize>::new();
    for address in addresses {
        *blocks.entry(block(address)).or_default() += 1;
    }
    let block = |(block, count): (&str, usize)| match count {
        1 => format!(
            "`{}`",
            addresses
                .iter()
                .find(|address| self::block(address) == block)
                .map_or(block, String::as_str)
        ),
        _ => format!("`{block}` ×{count}"),
    };
    blocks
        .into_iter()
        .map(block)
        .collect::<Vec<_>>()
        .join(", ")
        .replace('|', "\\|")
}

/// An address without its instance key.
fn block(address: &str) -> &str {
    match address.strip_suffix(']').and_then(|inside| inside.rfind('[')) {
        Some(bracket) => &address[..bracket],
        None => address,
    }
}

fn unpriced(bill: &Bill) -> String {
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
    for unpriced in &bill.unpriced {
        reasons
            .entry(&unpriced.why)
            .or_default()
            .push(unpriced.resource.to_string());
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nNot in the totals:\n\n");
    for (why, addresses) in reasons {
        text.push_str(&format!("- {}: {why}\n", grouped(&addresses)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_one_block_are_one_entry() {
        let addresses = ["a.b[\"x|y\"]", "a.c[0]", "a.c[1]"].map(str::to_owned);
        assert_eq!(grouped(&addresses), "`a.b[\"x\\|y\"]`, `a.c` ×2");
    }
}
