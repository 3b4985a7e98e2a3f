//! [`Pricer`]: what a month is like, and at which prices.

use std::path::Path;

use jiff::civil::Date;
use karma_cost::{Bill, PriceBook, Usage};
use karma_terraform::Stack;

use crate::failure::Failure;
use crate::stack::read_text;

/// Prices any stack for the same month.
#[derive(Debug, Clone)]
pub(crate) struct Pricer {
    pub(crate) usage: Usage,
    pub(crate) prices: PriceBook,
}

impl Pricer {
    pub(crate) fn price(&self, stack: &Stack) -> Bill {
        karma_cost::price(stack, &self.usage, &self.prices)
    }
}

/// The prices of a region: from a file, or those that came with the program.
pub(crate) fn read_price_book(region: &str, file: Option<&Path>) -> Result<PriceBook, Failure> {
    let Some(path) = file else {
        return PriceBook::embedded(region).ok_or_else(|| no_prices(region));
    };
    PriceBook::from_csv(region, &read_text(path)?)
        .map_err(|error| Failure::caused_by(format!("cannot use {}", path.display()), &error))
}

fn no_prices(region: &str) -> Failure {
    let known: Vec<_> = PriceBook::embedded_regions().collect();
    Failure::unable(format!("there are no prices of {region} here"))
        .hint(format!(
            "fetch them: karma prices refresh {region} -o prices.csv; karma cost --prices prices.csv"
        ))
        .hint(format!("or take others with --region: {}", known.join(", ")))
}

/// The day on which a bill is read, in UTC.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
