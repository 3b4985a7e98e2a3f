//! [`PriceBook`]: a region's rates, dated.
//!
//! A few of them are in the program, as plain text that a commit changes; newer ones are read from [AWS's own lists](crate::offer).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{Quantity, Rate, Usd};

/// What everything costs in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBook {
    /// The region.
    pub region: String,
    rates: BTreeMap<String, Rate>,
}

/// Why a text is no price book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceBookError {
    /// A line is not made of a SKU, a unit, a price, a date and a source.
    #[error("line {line} of the price book is not `sku,unit,usd,as_of,source`: {text:?}")]
    Line {
        /// Counted from one.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// It says that its prices are those of another region.
    #[error("the price book is of {found}, not of {wanted}")]
    OtherRegion {
        /// The region it is of.
        found: String,
        /// The region whose prices are wanted.
        wanted: String,
    },
}

/// The comment that says which region's prices follow.
const REGION: &str = "# region:";

const HEADER: &str = "sku,unit,usd,as_of,source";

/// What costs the same everywhere.
const GLOBAL: &str = include_str!("../data/prices/global.csv");

const REGIONS: &[(&str, &str)] = &[
    ("ap-northeast-1", include_str!("../data/prices/ap-northeast-1.csv")),
    ("ap-southeast-1", include_str!("../data/prices/ap-southeast-1.csv")),
    ("eu-central-1", include_str!("../data/prices/eu-central-1.csv")),
    ("eu-west-1", include_str!("../data/prices/eu-west-1.csv")),
    ("sa-east-1", include_str!("../data/prices/sa-east-1.csv")),
    ("us-east-1", include_str!("../data/prices/us-east-1.csv")),
    ("us-east-2", include_str!("../data/prices/us-east-2.csv")),
    ("us-west-2", include_str!("../data/prices/us-west-2.csv")),
];

impl PriceBook {
    /// The prices of a region that came with the program; `None` where it has none of it.
    pub fn embedded(region: &str) -> Option<Self> {
        let (_, text) = REGIONS.iter().find(|(name, _)| *name == region)?;
        let mut book = Self::from_csv(region, text).expect("a test reads every embedded book");
        book.update(
            Self::from_csv(region, GLOBAL)
                .expect("a test reads every embedded book")
                .rates
                .into_values(),
        );
        Some(book)
    }

    /// The regions whose prices came with the program.
    pub fn embedded_regions() -> impl Iterator<Item = &'static str> {
        REGIONS.iter().map(|(name, _)| *name)
    }

    /// A book of these rates; of two for one SKU the last.
    pub fn new(region: &str, rates: impl IntoIterator<Item = Rate>) -> Self {
        let mut book = Self {
            region: region.to_owned(),
            rates: BTreeMap::new(),
        };
        book.update(rates);
        book
    }

    /// Reads lines of `sku,unit,usd,as_of,source`; lines that begin with `#` are comments, and `# region: NAME` has to name this one.
    pub fn from_csv(region: &str, text: &str) -> Result<Self, PriceBookError> {
        let named = text.lines().find_map(|line| line.strip_prefix(REGION)).map(str::trim);
        if let Some(found) = named.filter(|found| *found != region) {
            return Err(PriceBookError::OtherRegion {
                found: found.to_owned(),
                wanted: region.to_owned(),
            });
        }
        let lines = text.lines().enumerate();
        let rates = lines
            .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty() && *line != HEADER)
            .map(|(index, line)| {
                let wrong = || PriceBookError::Line {
                    line: index + 1,
                    text: line.to_owned(),
                };
                rate(line).ok_or_else(wrong)
            });
        Ok(Self::new(region, rates.collect::<Result<Vec<_>, _>>()?))
    }

    /// The book as text that [`PriceBook::from_csv`] reads.
    pub fn to_csv(&self) -> String {
        let line = |rate: &Rate| {
            format!(
                "{},{},{},{},{}\n",
                rate.sku,
                rate.unit,
                rate.usd.exact(),
                rate.as_of,
                rate.source
            )
        };
        let lines: String = self.rates.values().map(line).collect();
        format!("{REGION} {}\n{HEADER}\n{lines}", self.region)
    }

    /// Puts newer rates in the place of older ones.
    pub fn update(&mut self, rates: impl IntoIterator<Item = Rate>) {
        self.rates
            .extend(rates.into_iter().map(|rate| (rate.sku.clone(), rate)));
    }

    /// The rate of this SKU.
    pub fn rate(&self, sku: &str) -> Option<&Rate> {
        self.rates.get(sku)
    }

    /// Every rate, by its SKU.
    pub fn rates(&self) -> impl Iterator<Item = &Rate> {
        self.rates.values()
    }

    /// Floating prices that were last seen too long before this day to be relied upon.
    pub fn stale(&self, today: Date) -> impl Iterator<Item = &Rate> {
        self.rates().filter(move |rate| rate.is_stale(today))
    }
}

fn rate(line: &str) -> Option<Rate> {
    let mut cells = line.splitn(5, ',').map(|cell| cell.trim().to_owned());
    Some(Rate {
        sku: cells.next().filter(|sku| !sku.is_empty())?,
        unit: cells.next()?,
        // A price, like a quantity, is not negative.
        usd: cells
            .next()
            .and_then(|usd| Quantity::parse(&usd).and(Usd::parse(&usd)))?,
        as_of: cells.next()?.parse().ok()?,
        source: cells.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_book_is_whole_and_says_where_its_prices_come_from() {
        for region in PriceBook::embedded_regions() {
            let book = PriceBook::embedded(region).unwrap();
            assert!(book.rates().count() > 50, "{region} has {}", book.rates().count());
            for rate in book.rates() {
                assert!(rate.source.starts_with("https://"), "{region}: {rate:?}");
                assert!(rate.usd > Usd::ZERO, "{region}: {rate:?}");
            }
        }
        assert_eq!(PriceBook::embedded("mars-north-1"), None);
    }

    #[test]
    fn a_book_survives_being_written_and_read() {
        let book = PriceBook::embedded("us-east-1").unwrap();
        let text = book.to_csv();
        assert_eq!(PriceBook::from_csv("us-east-1", &text), Ok(book));
        let error = PriceBook::from_csv("us-east-2", &text).unwrap_err();
        assert_eq!(error.to_string(), "the price book is of us-east-1, not of us-east-2");
    }

    #[test]
    fn old_spot_prices_are_told_apart() {
        let today = "2026-11-23".parse().unwrap();
        let stale = |region| PriceBook::embedded(region).unwrap().stale(today).count();
        assert_eq!((stale("us-east-1"), stale("eu-west-1")), (0, 0));
        assert_eq!((stale("us-west-2"), stale("sa-east-1")), (2, 2));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for line in [
            "a,b",
            "a,b,free,2021,x",
            "a,b,1,never,x",
            ",b,1,2021,x",
            "a,b,-1,2021,x",
        ] {
            let error = PriceBook::from_csv("r", &format!("# prices\n{HEADER}\n{line}")).unwrap_err();
            assert_eq!(
                error,
                PriceBookError::Line {
                    line: 3,
                    text: line.to_owned()
                }
            );
        }
    }
}
