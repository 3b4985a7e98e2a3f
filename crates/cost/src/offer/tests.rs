use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

const SOURCE: &str = "https://pricing.example/index.json";

/// A product with one price, or with one for each beginning of a range.
fn product(code: &str, family: Option<&str>, usage_type: &str, region: &str) -> Json {
    json!({ "sku": "?", "productFamily": family, "attributes": {
        "servicecode": code, "location": "somewhere", "usagetype": usage_type, "operation": "", "regionCode": region,
    } })
}

fn terms(sku: &str, prices: &[(&str, &str)]) -> Json {
    let dimension = |(begin, usd): &(&str, &str)| {
        let price = json!({ "beginRange": begin, "endRange": "Inf", "unit": "Hrs", "pricePerUnit": { "USD": usd }, "appliesTo": [] });
        (format!("{sku}.{ON_DEMAND}.{begin}"), price)
    };
    let dimensions: serde_json::Map<String, Json> = prices.iter().map(dimension).collect();
    json!({ format!("{sku}.{ON_DEMAND}"): { "offerTermCode": ON_DEMAND, "sku": sku, "priceDimensions": dimensions, "termAttributes": {} } })
}

/// AWS's SKU, the product, and its price from each beginning of a range.
type Listed<'t> = (&'t str, Json, &'t [(&'t str, &'t str)]);

fn offer(products: &[Listed<'_>]) -> Json {
    let all: serde_json::Map<String, Json> = products
        .iter()
        .map(|(sku, product, _)| ((*sku).to_owned(), product.clone()))
        .collect();
    let on_demand: serde_json::Map<String, Json> = products
        .iter()
        .map(|(sku, _, prices)| ((*sku).to_owned(), terms(sku, prices)))
        .collect();
    json!({
        "formatVersion": "v1.0", "disclaimer": "…", "offerCode": "AmazonEC2", "version": "20260720184645",
        "publicationDate": "2026-07-20T18:46:45Z",
        "products": all,
        "terms": { "OnDemand": on_demand, "Reserved": { "X": {} }, "FlatRate": [1, 2] },
    })
}

fn read(offer: &Json) -> Result<Vec<Rate>, OfferError> {
    read_offer(offer.to_string().as_bytes(), "us-east-1", SOURCE)
}

fn found(rates: &[Rate]) -> Vec<(&str, String)> {
    rates.iter().map(|rate| (rate.sku.as_str(), rate.usd.exact())).collect()
}

#[test]
fn a_file_of_many_products_gives_the_rates_that_are_wanted() {
    let nat = |usage_type, region| product("AmazonEC2", Some("NAT Gateway"), usage_type, region);
    let offer = offer(&[
        ("A", nat("NatGateway-Hours", "us-east-1"), &[("0", "0.0450000000")]),
        ("B", nat("RegionalNatGateway-Hours", "us-east-1"), &[("0", "0.09")]),
        ("C", nat("NatGateway-Hours", "us-west-2"), &[("0", "0.046")]),
        ("D", nat("USE1-NatGateway-Bytes", "us-east-1"), &[("0", "0.045")]),
        (
            "E",
            product("AmazonEC2", Some("Dinosaur"), "NatGateway-Bytes", "us-east-1"),
            &[("0", "9")],
        ),
    ]);
    let rates = read(&offer).unwrap();
    assert_eq!(
        found(&rates),
        [
            ("nat_gateway.hour", "0.045".to_owned()),
            ("nat_gateway.gb", "0.045".to_owned())
        ]
    );
    assert_eq!(rates[0].as_of.to_string(), "2026-07-20");
    assert_eq!(rates[0].source, SOURCE);
}

#[test]
fn tiers_are_sorted_by_where_they_begin_and_free_ones_left_out() {
    let metrics = product("AmazonCloudWatch", Some("Metric"), "CW:MetricMonitorUsage", "us-east-1");
    let mails = product("AmazonSNS", None, "DeliveryAttempts-SMTP", "us-east-1");
    let offer = offer(&[
        (
            "M",
            metrics,
            &[
                ("10000", "0.10"),
                ("0", "0.30"),
                ("1000000", "0.02"),
                ("250000", "0.05"),
            ],
        ),
        ("S", mails, &[("1000", "0.00002"), ("0", "0.0000000000")]),
    ]);
    let rates = read(&offer).unwrap();
    let expected = [
        ("metric.custom.tier1", "0.3"),
        ("metric.custom.tier2", "0.1"),
        ("metric.custom.tier3", "0.05"),
        ("metric.custom.tier4", "0.02"),
        ("sns.email", "0.00002"),
    ];
    assert_eq!(found(&rates), expected.map(|(sku, usd)| (sku, usd.to_owned())));
}

#[test]
fn terms_may_come_before_products() {
    let zone = product("AmazonRoute53", Some("DNS Zone"), "HostedZone", "");
    let offer = offer(&[("Z", zone, &[("0", "0.5"), ("25", "0.1")])]);
    let text = format!(
        r#"{{"terms":{},"products":{},"publicationDate":"2026-07-20T00:00:00Z"}}"#,
        offer["terms"], offer["products"]
    );
    let rates = read_offer(text.as_bytes(), "us-east-1", SOURCE).unwrap();
    assert_eq!(
        found(&rates),
        [
            ("hosted_zone", "0.5".to_owned()),
            ("hosted_zone.over25", "0.1".to_owned())
        ]
    );
}

#[test]
fn what_cannot_be_told_apart_is_not_guessed() {
    let secret = || {
        product(
            "AWSSecretsManager",
            Some("Secret"),
            "USE1-AWSSecretsManager-Secrets",
            "us-east-1",
        )
    };
    let error = read(&offer(&[
        ("A", secret(), &[("0", "0.4")]),
        ("B", secret(), &[("0", "0.5")]),
    ]))
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the price list has 2 products that could be `secret`"
    );
    let error = read(&offer(&[("A", secret(), &[("0", "-0.4")])])).unwrap_err();
    assert_eq!(error.to_string(), "the price of `secret` is \"-0.4\"");
}

#[test]
fn a_product_without_a_price_gives_no_rate() {
    let secret = product(
        "AWSSecretsManager",
        Some("Secret"),
        "AWSSecretsManager-Secrets",
        "us-east-1",
    );
    assert_eq!(read(&offer(&[("A", secret, &[])])).unwrap(), []);
}

#[test]
fn what_is_no_offer_is_refused() {
    for text in [
        "",
        "[]",
        "{",
        "null",
        r#"{"publicationDate":"2026"}"#,
        r#"{"products":{}}"#,
        r#"{"publicationDate":"2026-07-20"} {}"#,
    ] {
        assert!(read_offer(text.as_bytes(), "us-east-1", SOURCE).is_err(), "{text:?}");
    }
}

#[test]
fn the_feed_of_spot_prices_knows_both_processors() {
    let price = |unit: &str, region: &str, usd: &str| json!({ "unit": unit, "price": { "USD": usd }, "attributes": { "aws:region": region } });
    let feed = json!({ "manifest": {}, "prices": [
        price("vCPU-Hours", "us-east-1", "0.01288871"),
        price("GB-Hours", "us-east-1", "0.00141527"),
        price("ARM-vCPU-Hours", "us-east-1", "0.01030969"),
        price("ARM-GB-Hours", "us-east-1", "0.00113349"),
        price("vCPU-Hours", "eu-west-1", "0.01224056"),
        price("Unicorn-Hours", "us-east-1", "1"),
    ] });
    let seen = "2026-09-28".parse().unwrap();
    let rates = read_spot_feed(feed.to_string().as_bytes(), "us-east-1", seen, SOURCE).unwrap();
    let book = crate::PriceBook::embedded("us-east-1").unwrap();
    assert_eq!(rates.len(), 4);
    for rate in rates {
        let embedded = book.rate(&rate.sku).unwrap();
        assert_eq!(
            (&rate.usd, &rate.unit, &rate.as_of),
            (&embedded.usd, &embedded.unit, &embedded.as_of)
        );
    }
}

proptest! {
    #[test]
    fn a_file_that_breaks_off_is_an_error_and_no_panic(keep in 0_usize..2000) {
        let secret = product("AWSSecretsManager", Some("Secret"), "AWSSecretsManager-Secrets", "us-east-1");
        let text = offer(&[("A", secret, &[("0", "0.4")])]).to_string();
        let part = &text.as_bytes()[..keep.min(text.len() - 3)];
        prop_assert!(read_offer(part, "us-east-1", SOURCE).is_err());
    }
}
