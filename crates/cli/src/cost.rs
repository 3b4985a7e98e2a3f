//! What `karma cost` and the documents know of money: whose bill it is, at which prices, and how it is told on a terminal.
//!
//! The sums are `karma-cost`'s.

mod answer;
mod bill_text;
mod knob_text;
mod price_lists;
mod pricer;
mod subject;

pub(crate) use answer::{Answer, Format, Judged, Limit};
pub(crate) use knob_text::tfvars;
pub(crate) use price_lists::{PriceList, PriceLists, Reading};
pub(crate) use pricer::{Pricer, read_price_book, today};
pub(crate) use subject::{Subject, variables};
