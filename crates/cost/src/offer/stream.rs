//! An offer file as a stream: of its products only those of the catalogue are kept, and of its terms only theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::catalogue;

/// What is kept of an offer file.
#[derive(Default)]
pub(super) struct File {
    pub(super) published: String,
    /// AWS's SKU, and the entry of the catalogue.
    pub(super) products: Vec<(String, usize)>,
    /// The terms of each SKU.
    pub(super) terms: BTreeMap<String, BTreeMap<String, Term>>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    #[serde(rename = "productFamily")]
    pub(super) family: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct Term {
    #[serde(rename = "offerTermCode")]
    pub(super) code: String,
    #[serde(rename = "priceDimensions", default)]
    pub(super) dimensions: BTreeMap<String, Dimension>,
}

#[derive(Deserialize)]
pub(super) struct Dimension {
    #[serde(rename = "beginRange", default)]
    pub(super) begin_range: String,
    #[serde(rename = "pricePerUnit", default)]
    pub(super) price_per_unit: BTreeMap<String, String>,
}

pub(super) fn read(file: impl Read, region: &str) -> serde_json::Result<File> {
    let mut deserializer = serde_json::Deserializer::from_reader(std::io::BufReader::new(file));
    let file = FileSeed { region }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(file)
}

struct FileSeed<'s> {
    region: &'s str,
}

/// The products of a region.
struct ProductsSeed<'s> {
    region: &'s str,
}

/// The terms, or those of them that are wanted.
struct TermsSeed<'s> {
    wanted: Option<&'s BTreeSet<String>>,
}

/// The terms on demand, or those of them that are wanted.
struct OnDemandSeed<'s> {
    wanted: Option<&'s BTreeSet<String>>,
}

/// A seed that is a visitor of maps.
macro_rules! map_seed {
    ($seed:ident -> $value:ty, $expecting:literal, |$self:ident, $map:ident| $body:block) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = $value;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }
        }

        impl<'de> Visitor<'de> for $seed<'_> {
            type Value = $value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expecting)
            }
            fn visit_map<A: MapAccess<'de>>($self, mut $map: A) -> Result<Self::Value, A::Error> $body
        }
    };
}

map_seed!(FileSeed -> File, "an offer file", |self, map| {
    let mut file = File::default();
    let mut has_products = false;
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "publicationDate" => file.published = map.next_value()?,
            "products" => {
                file.products = map.next_value_seed(ProductsSeed { region: self.region })?;
                has_products = true;
            }
            "terms" => {
                let wanted: BTreeSet<String> = file.products.iter().map(|(sku, _)| sku.clone()).collect();
                // Where terms come before products, nobody knows yet which are wanted.
                let wanted = has_products.then_some(&wanted);
                file.terms = map.next_value_seed(TermsSeed { wanted })?;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(file)
});

map_seed!(ProductsSeed -> Vec<(String, usize)>, "products by SKU", |self, map| {
    let mut kept = Vec::new();
    while let Some((sku, product)) = map.next_entry::<String, Product>()? {
        kept.extend(catalogue::find(&product, self.region).map(|entry| (sku, entry)));
    }
    Ok(kept)
});

map_seed!(TermsSeed -> BTreeMap<String, BTreeMap<String, Term>>, "terms by kind", |self, map| {
    let mut on_demand = BTreeMap::new();
    while let Some(kind) = map.next_key::<String>()? {
        if kind == "OnDemand" {
            on_demand = map.next_value_seed(OnDemandSeed { wanted: self.wanted })?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(on_demand)
});

map_seed!(OnDemandSeed -> BTreeMap<String, BTreeMap<String, Term>>, "terms by SKU", |self, map| {
    let mut kept = BTreeMap::new();
    while let Some(sku) = map.next_key::<String>()? {
        if self.wanted.is_none_or(|wanted| wanted.contains(&sku)) {
            kept.insert(sku, map.next_value()?);
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(kept)
});
