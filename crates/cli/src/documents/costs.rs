//! Generated blocks about money: at the prices that came with the program, for the month that is assumed where nothing is said.
//!
//! A document does not know the day on which it is read. What its bill calls out of date was so on the day of its newest price.

use karma_cost::{Bill, Changes, Today, Usage, markdown, what_if, what_if_markdown};
use karma_terraform::CommandLine;

use super::facts::Facts;
use super::markdown::Table;
use crate::cost::{Pricer, variables};
use crate::stack::{evaluate_with, profiles};

/// What a stack without prices says in place of them.
const NO_PRICES: &str = "There are no prices here of the stack's region.\n";

/// The bill, line by line.
pub(super) fn bill(facts: &Facts<'_>) -> String {
    with_prices(facts, |pricer| {
        let bill = pricer.price(facts.stack);
        let day = bill.price_dates().map(|(_, newest)| newest.earliest());
        markdown(&bill, Today(day.unwrap_or_default()))
    })
}

/// What it costs, in a sentence.
pub(super) fn price(facts: &Facts<'_>) -> String {
    with_prices(facts, |pricer| {
        let bill = pricer.price(facts.stack);
        let (list, free) = (bill.totals.list, bill.totals.with_free_tier);
        format!(
            "With its defaults the stack costs **USD {} a month** at list price in {}, or {} with what AWS always gives every account for free. At autoscaling's \
             minimum it is {}, at its maximum {}.\n",
            list.expected, bill.region, free.expected, list.low, list.high
        )
    })
}

/// The profiles side by side.
pub(super) fn profile_prices(facts: &Facts<'_>) -> String {
    with_prices(facts, |pricer| {
        let mut table = Table::new(["USD a month", "Low", "Expected", "High", "Expected, with free tier"]);
        table.row(totals("the defaults".to_owned(), &pricer.price(facts.stack)));
        for (name, profile) in profiles(facts.sources) {
            if let Some(bill) = priced(facts, pricer, [profile]) {
                let link = format!("[{name}]({}profiles/{name}.tfvars)", facts.to_stack);
                table.row(totals(link, &bill));
            }
        }
        table.into_text()
    })
}

fn totals(name: String, bill: &Bill) -> [String; 5] {
    let (list, free) = (bill.totals.list, bill.totals.with_free_tier);
    [
        name,
        list.low.to_string(),
        list.expected.to_string(),
        list.high.to_string(),
        free.expected.to_string(),
    ]
}

/// What each change alone would save.
pub(super) fn savings(facts: &Facts<'_>) -> String {
    with_prices(facts, |pricer| {
        let outcomes = what_if(|changes: &Changes| priced(facts, pricer, variables(changes)));
        what_if_markdown(&outcomes.unwrap_or_default())
    })
}

fn with_prices(facts: &Facts<'_>, write: impl FnOnce(&Pricer) -> String) -> String {
    let Some(prices) = facts.prices else {
        return NO_PRICES.to_owned();
    };
    write(&Pricer {
        usage: Usage::default(),
        prices: prices.clone(),
    })
}

/// The bill with these values beside those that were given; `None` if the stack refuses them.
fn priced(facts: &Facts<'_>, pricer: &Pricer, more: impl IntoIterator<Item = CommandLine>) -> Option<Bill> {
    let given = facts.inputs.command_line.iter().cloned().chain(more).collect();
    let stack = evaluate_with(facts.module, facts.inputs, given)?;
    Some(pricer.price(&stack))
}
