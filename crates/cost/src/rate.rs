//! [`Rate`]: what one unit of something costs, since when, and who says so.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::Usd;

/// The price of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// What is sold, by the price book's own name. AWS has another code for it in every region.
    pub sku: String,
    /// What it is sold by: `vCPU-hour`.
    pub unit: String,
    /// What one of them costs.
    pub usd: Usd,
    /// When AWS asked this price.
    pub as_of: PriceDate,
    /// Where AWS publishes it.
    pub source: String,
}

/// A day, or as much of it as is known: `2026-09-28`, `2025-06`, `2021`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceDate(String);

impl Rate {
    /// Spot prices follow supply and demand; all others are AWS's list prices.
    /// <https://aws.amazon.com/fargate/pricing/>
    pub fn floats(&self) -> bool {
        self.sku.starts_with("fargate_spot.")
    }

    /// Whether the price is a floating one that was last seen more than 90 days before this day.
    pub fn is_stale(&self, today: Date) -> bool {
        const FRESH_DAYS: i32 = 90;
        let age = today.since(self.as_of.earliest()).map_or(0, |age| age.get_days());
        self.floats() && age > FRESH_DAYS
    }
}

impl PriceDate {
    /// The first day that this can be.
    pub fn earliest(&self) -> Date {
        earliest(&self.0).expect("checked when it was read")
    }
}

impl FromStr for PriceDate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        earliest(text).map(|_| Self(text.to_owned())).ok_or(())
    }
}

fn earliest(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    parts.next().is_none().then(|| Date::new(year, month, day).ok())?
}

impl From<Date> for PriceDate {
    fn from(date: Date) -> Self {
        Self(date.to_string())
    }
}

impl fmt::Display for PriceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for PriceDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(sku: &str, as_of: &str) -> Rate {
        Rate {
            sku: sku.to_owned(),
            unit: "vCPU-hour".to_owned(),
            usd: Usd::ZERO,
            as_of: as_of.parse().unwrap(),
            source: String::new(),
        }
    }

    #[test]
    fn only_floating_prices_grow_stale() {
        let today = "2026-11-23".parse().unwrap();
        for (sku, as_of, stale) in [
            ("fargate_spot.linux.x86.vcpu", "2021", true),
            ("fargate_spot.linux.x86.vcpu", "2026-08", true),
            ("fargate_spot.linux.x86.vcpu", "2026-09-28", false),
            ("fargate.linux.x86.vcpu", "2021", false),
        ] {
            assert_eq!(rate(sku, as_of).is_stale(today), stale, "{sku} of {as_of}");
        }
    }

    #[test]
    fn a_date_is_a_day_a_month_or_a_year() {
        for (text, earliest) in [
            ("2026-09-28", "2026-09-28"),
            ("2025-06", "2025-06-01"),
            ("2021", "2021-01-01"),
        ] {
            assert_eq!(text.parse::<PriceDate>().unwrap().earliest().to_string(), earliest);
        }
        for text in ["", "21", "2026-13", "2026-01-01-01", "soon"] {
            assert!(text.parse::<PriceDate>().is_err(), "{text:?} is no date");
        }
    }
}
