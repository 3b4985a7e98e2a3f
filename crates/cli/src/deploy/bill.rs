//! [`Bills`]: what the stack costs in a month, and what of that is new.

use std::path::{Path, PathBuf};

use clap::Args;
use karma_cost::{Bill, Budget, Changes, Figure, Usage, Usd};

use super::event::Event;
use super::journal::Journal;
use crate::cost::{self, Limit, Pricer, Subject};
use crate::failure::Failure;
use crate::stack::{Loaded, read_text};
use crate::terraform::State;

/// What it may cost.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cost")]
pub(crate) struct BudgetArguments {
    /// Stop with exit code 1 before anything is changed, if the stack costs more US dollars a month at list price
    #[arg(long, value_name = "USD", value_parser = cost::usd)]
    budget: Option<Usd>,

    /// Take the prices that `karma prices refresh -o FILE` wrote
    #[arg(long, env = "KARMA_PRICES", value_name = "FILE")]
    prices: Option<PathBuf>,

    /// A TOML file with what a month is like: `requests = 2_000_000`
    #[arg(long, env = "KARMA_USAGE", value_name = "FILE")]
    usage: Option<PathBuf>,
}

/// What it costs, and what it has cost so far.
pub(crate) struct Bills {
    wanted: Bill,
    deployed: Option<Bill>,
}

/// Prices the stack as it is written and as it is deployed; `None` where nobody has the prices of its region. One that is over its budget is a failure.
pub(crate) fn check(
    arguments: &BudgetArguments,
    loaded: Loaded,
    state: &State,
    journal: &Journal,
) -> Result<((), String), Failure> {
    let subject = Subject::Evaluated(Box::new(loaded));
    let pricer = match pricer(arguments, &subject) {
        Ok(pricer) => pricer,
        Err(failure) if arguments.budget.is_some() => return Err(failure),
        Err(failure) => return Ok(((), format!("not priced: {}", failure.message()))),
    };
    let bills = Bills {
        wanted: pricer.price(subject.stack()),
        deployed: (!state.is_empty()).then(|| pricer.price(state.stack())),
    };
    journal.event(&bills.event(arguments.budget))?;
    within_budget(arguments, &subject, &pricer, journal)?;
    Ok(((), bills.sentence()))
}

fn pricer(arguments: &BudgetArguments, subject: &Subject) -> Result<Pricer, Failure> {
    let region =
        karma_cost::region(subject.stack()).ok_or_else(|| Failure::unable("the stack does not say its region"))?;
    Ok(Pricer {
        usage: arguments.usage.as_deref().map_or_else(|| Ok(Usage::default()), usage)?,
        prices: cost::read_price_book(&region, arguments.prices.as_deref())?,
    })
}

fn usage(path: &Path) -> Result<Usage, Failure> {
    Usage::from_toml(&read_text(path)?)
        .map_err(|error| Failure::caused_by(format!("cannot use {}", path.display()), &error))
}

fn within_budget(
    arguments: &BudgetArguments,
    subject: &Subject,
    pricer: &Pricer,
    journal: &Journal,
) -> Result<(), Failure> {
    let Some(usd) = arguments.budget else {
        return Ok(());
    };
    let figure = Figure::List;
    let price = |changes: &Changes| subject.price(changes, pricer);
    let budget = karma_cost::budget(usd, figure, price).expect("the stack as it is has a bill");
    if matches!(budget, Budget::Within { .. }) {
        return Ok(());
    }
    let limit = Limit { usd, figure };
    let told = cost::budget_text(limit, &budget, journal.printer.without_colors());
    Err(Failure::no(format!(
        "nothing was changed: the stack costs too much\n{}",
        told.trim_end()
    )))
}

impl Bills {
    fn event(&self, budget: Option<Usd>) -> Event<'static> {
        let monthly = |bill: &Bill| bill.totals.list.expected.to_string();
        Event::Bill {
            monthly_usd: monthly(&self.wanted),
            deployed_monthly_usd: self.deployed.as_ref().map(monthly),
            budget_usd: budget.map(|usd| usd.to_string()),
        }
    }

    /// `USD 96.10 a month at list price, 4.20 more than what is deployed`
    fn sentence(&self) -> String {
        let now = self.wanted.totals.list.expected;
        let total = format!("USD {now} a month at list price");
        let Some(before) = self.deployed.as_ref().map(|bill| bill.totals.list.expected) else {
            return format!("{total}, all of it new");
        };
        match now.cmp(&before) {
            std::cmp::Ordering::Equal => format!("{total}, as before"),
            std::cmp::Ordering::Greater => format!("{total}, {} more than what is deployed", now - before),
            std::cmp::Ordering::Less => format!("{total}, {} less than what is deployed", before - now),
        }
    }
}
