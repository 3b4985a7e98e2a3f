//! What `karma cost` and the documents know of money: whose bill it is, at which prices, and how it is told on a terminal.
//!
//! The sums are `karma-cost`'s.

mod answer;
mod bill_text;
mod knob_text;
mod price_lists;
mod pricer;
mod subject;

use karma_cost::Usd;

pub(crate) use answer::{Answer, Format, Judged, Limit};
pub(crate) use knob_text::{budget as budget_text, tfvars};
pub(crate) use price_lists::{PriceList, PriceLists, Reading};
pub(crate) use pricer::{Pricer, read_price_book, today};
pub(crate) use subject::{Subject, variables};

/// An amount, as it is typed.
pub(crate) fn usd(text: &str) -> Result<Usd, String> {
    Usd::parse(text)
        .filter(|usd| *usd >= Usd::ZERO)
        .ok_or_else(|| "an amount in US dollars, such as 96 or 95.50".to_owned())
}
