//! AWS's own price lists as rates: the [bulk files](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api-fetching-price-list-files-manually.html)
//! of one offer and region, and the feed of Spot prices behind the [price page of Fargate](https://aws.amazon.com/fargate/pricing/).
//!
//! Such a file can have hundreds of megabytes: it is read as a stream, and only what a price book wants is kept.

mod catalogue;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use jiff::civil::Date;
use serde::Deserialize;

use crate::{PriceDate, Quantity, Rate, Usd};
use catalogue::{ENTRIES, Entry};
use stream::{File, Term};

/// Why a price list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It ends early, is no JSON, or has another shape.
    #[error("this is not one of AWS's price lists")]
    Invalid(#[from] serde_json::Error),
    /// It does not say when it was published.
    #[error("the price list has no date of publication")]
    NoDate,
    /// Several products could be the one that is meant: taking one of them would be a guess.
    #[error("the price list has {found} products that could be `{sku}`")]
    Ambiguous {
        /// The price book's name of it.
        sku: &'static str,
        /// How many.
        found: usize,
    },
    /// A price is not a decimal.
    #[error("the price of `{sku}` is {usd:?}")]
    Price {
        /// The price book's name of it.
        sku: &'static str,
        /// What stands there.
        usd: String,
    },
}

/// The terms under which everybody can buy: on demand, at list price.
const ON_DEMAND: &str = "JRTCKXETXF";

/// Where the feed of Fargate's Spot prices lies. AWS documents neither its address nor its shape.
pub const SPOT_FEED: &str = "https://dftu77xade0tc.cloudfront.net/fargate-spot-prices.json";

/// Who publishes the offer files, to everybody.
pub const OFFER_HOST: &str = "https://pricing.us-east-1.amazonaws.com";

/// Where at [`OFFER_HOST`] the files lie that a price book of this region is made of. That of EC2, with NAT gateways in it, has hundreds of
/// megabytes.
pub fn offer_paths(region: &str) -> Vec<String> {
    let codes: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.code).collect();
    let path = |code| format!("/offers/v1.0/aws/{code}/current/{region}/index.json");
    codes.into_iter().map(path).collect()
}

/// Reads a regional offer file (`/offers/v1.0/aws/CODE/current/REGION/index.json`): every rate in it that a price book has a name for.
/// `source` is where it came from.
pub fn read_offer(file: impl Read, region: &str, source: &str) -> Result<Vec<Rate>, OfferError> {
    let file: File = stream::read(file, region)?;
    let as_of: PriceDate = file
        .published
        .get(..10)
        .and_then(|date| date.parse().ok())
        .ok_or(OfferError::NoDate)?;
    let mut rates = Vec::new();
    for (index, entry) in ENTRIES.iter().enumerate() {
        let mut products = file.products.iter().filter(|(_, entry)| *entry == index);
        let Some((product, _)) = products.next() else {
            continue;
        };
        let others = products.count();
        if others > 0 {
            return Err(OfferError::Ambiguous {
                sku: entry.skus[0],
                found: others + 1,
            });
        }
        let terms = file.terms.get(product);
        rates.extend(entry_rates(entry, terms, &as_of, source)?);
    }
    Ok(rates)
}

/// One rate for each tier that costs something: what is free is an allowance, not a price.
fn entry_rates(
    entry: &Entry,
    terms: Option<&BTreeMap<String, Term>>,
    as_of: &PriceDate,
    source: &str,
) -> Result<Vec<Rate>, OfferError> {
    let on_demand = terms.and_then(|terms| terms.values().find(|term| term.code == ON_DEMAND));
    let mut tiers = Vec::new();
    for dimension in on_demand.iter().flat_map(|term| term.dimensions.values()) {
        let Some(usd) = dimension.price_per_unit.get("USD") else {
            continue;
        };
        let wrong = || OfferError::Price {
            sku: entry.skus[0],
            usd: usd.clone(),
        };
        let price = Quantity::parse(usd).and(Usd::parse(usd)).ok_or_else(wrong)?;
        tiers.push((Quantity::parse(&dimension.begin_range).unwrap_or_default(), price));
    }
    tiers.sort();
    tiers.retain(|(_, price)| *price > Usd::ZERO);
    let rate = |(sku, (_, usd)): (&&str, (Quantity, Usd))| Rate {
        sku: (*sku).to_owned(),
        unit: entry.unit.to_owned(),
        usd,
        as_of: as_of.clone(),
        source: source.to_owned(),
    };
    Ok(entry.skus.iter().zip(tiers).map(rate).collect())
}

/// Reads the feed of Fargate's Spot prices, of which AWS says nothing more than that its page shows them. It has no date: `seen` is the day
/// it was fetched.
pub fn read_spot_feed(file: impl Read, region: &str, seen: Date, source: &str) -> Result<Vec<Rate>, OfferError> {
    let feed: SpotFeed = serde_json::from_reader(file)?;
    let of_region = |price: &&SpotPrice| price.attributes.get("aws:region").is_some_and(|it| it == region);
    let mut rates = Vec::new();
    for price in feed.prices.iter().filter(of_region) {
        let Some((_, sku, unit)) = SPOT_UNITS.iter().find(|(name, ..)| *name == price.unit) else {
            continue;
        };
        let usd = price.price.get("USD").map(String::as_str).unwrap_or_default();
        let wrong = || OfferError::Price {
            sku,
            usd: usd.to_owned(),
        };
        rates.push(Rate {
            sku: (*sku).to_owned(),
            unit: (*unit).to_owned(),
            usd: Quantity::parse(usd).and(Usd::parse(usd)).ok_or_else(wrong)?,
            as_of: seen.into(),
            source: source.to_owned(),
        });
    }
    Ok(rates)
}

/// The feed's unit, the SKU and the unit of a rate.
const SPOT_UNITS: [(&str, &str, &str); 4] = [
    ("vCPU-Hours", "fargate_spot.linux.x86.vcpu", "vCPU-hour"),
    ("GB-Hours", "fargate_spot.linux.x86.memory", "GB-hour"),
    ("ARM-vCPU-Hours", "fargate_spot.linux.arm64.vcpu", "vCPU-hour"),
    ("ARM-GB-Hours", "fargate_spot.linux.arm64.memory", "GB-hour"),
];

#[derive(Deserialize)]
struct SpotFeed {
    prices: Vec<SpotPrice>,
}

#[derive(Deserialize)]
struct SpotPrice {
    unit: String,
    price: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
