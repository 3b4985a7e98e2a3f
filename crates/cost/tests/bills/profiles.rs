//! The four profiles of the project's own stack: line by line as golden files, and against what was reckoned by hand from the price lists.
//!
//! `BLESS=1 cargo test -p karma-cost --test bills` writes the golden files anew.

use std::path::Path;
use std::{env, fs};

use jiff::civil::date;
use karma_cost::{Bill, PriceBook, Today, Totals, Usage, Usd, compare, comparison_markdown, csv, markdown, price, svg};

use crate::support;

fn check(profile: &str, list: &str, with_free_tier: &str) -> Bill {
    let bill = support::bill(&support::own_module(), &support::profile(profile));
    golden(&format!("{profile}.csv"), &csv(&bill));
    let Totals {
        list: at_list,
        with_free_tier: free,
    } = bill.totals;
    assert_eq!(
        (at_list.expected.to_string(), free.expected.to_string()),
        (list.to_owned(), with_free_tier.to_owned())
    );
    bill
}

/// Holds a text against its golden file.
fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/bills/goldens")
        .join(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, found).expect("the golden can be written");
    }
    let golden = fs::read_to_string(&path).expect("the golden is there");
    assert_eq!(found, golden, "not what {} says", path.display());
}

/// The sum of the lines whose names begin like this.
fn sum(bill: &Bill, names: &[&str]) -> Totals {
    let is_meant = |name: &str| names.iter().any(|beginning| name.starts_with(beginning));
    bill.components
        .iter()
        .filter(|line| is_meant(line.name))
        .map(|line| line.cost)
        .sum()
}

/// It differs from what was reckoned by hand in the data bucket alone: 3 cents that the stack has gained since.
#[test]
fn the_first_asked_configuration_costs_what_was_reckoned_by_hand() {
    let bill = check("seed", "193.45", "181.90");
    let reckoned = [
        (&["Fargate Spot"][..], "14.34", "14.34"),
        (
            &["Application Load Balancer", "Load balancer capacity"],
            "16.51",
            "16.51",
        ), // 16.43 + 0.08
        (&["NAT gateway", "Public IPv4"], "44.25", "44.25"), // 36.95 for NAT, 7.30 for the load balancer
        (&["Interface endpoint"], "58.55", "58.55"),         // 4 × 2 zones, 15 GB
        (&["Data to the internet"], "1.80", "0.00"),
        (&["Logs: taken in"], "7.76", "5.26"),
        (&["Logs: kept"], "0.11", "0.11"),
        (&["Custom metrics"], "42.60", "39.60"), // 137 of Container Insights, 5 of filters
        (&["Alarm"], "2.00", "1.00"),
        (&["Dashboard"], "3.00", "0.00"),
        (&["Images", "Secret"], "2.25", "2.25"),
        (&["Traces"], "0.25", "0.00"),
        (&["Objects"], "0.03", "0.03"),
    ];
    let mut all = Totals::default();
    for (names, list, with_free_tier) in reckoned {
        let found = sum(&bill, names);
        let found_text = (
            found.list.expected.to_string(),
            found.with_free_tier.expected.to_string(),
        );
        assert_eq!(found_text, (list.to_owned(), with_free_tier.to_owned()), "{names:?}");
        all = all + found;
    }
    assert_eq!(all, bill.totals, "a line of the bill is not in the reckoning");
}

#[test]
fn the_defaults_stay_within_what_was_announced() {
    let bill = check("default", "94.21", "84.16");
    assert!(bill.totals.list.expected <= Usd::parse("96").unwrap());
}

#[test]
fn lean_stays_within_its_promise() {
    let bill = check("lean", "61.01", "50.96");
    assert!(bill.totals.with_free_tier.expected <= Usd::parse("53").unwrap());
}

#[test]
fn resilient_runs_the_first_task_of_each_agent_on_demand() {
    let bill = check("resilient", "230.47", "220.42");
    let (on_demand, spot) = (sum(&bill, &["Fargate, x86"]), sum(&bill, &["Fargate Spot, x86"]));
    assert_eq!(on_demand.list.expected.to_string(), "45.05");
    assert_eq!(spot.list.expected.to_string(), "14.34");
}

#[test]
fn a_bill_can_be_read_and_seen() {
    let module = support::own_module();
    let bill = support::bill(&module, &support::profile("seed"));
    golden("seed.md", &markdown(&bill, Today(date(2026, 11, 23))));
    golden("seed.svg", &svg(&bill));
    let changed = support::bill(&module, &[]);
    golden("seed-to-default.md", &comparison_markdown(&compare(&bill, &changed)));
}

#[test]
fn spot_prices_that_are_out_of_date_are_marked() {
    let module = support::own_module();
    let stack = support::evaluate(&module, &[]);
    let bill = price(&stack, &Usage::default(), &PriceBook::embedded("us-west-2").unwrap());
    let stale: Vec<_> = bill.stale(date(2026, 11, 23)).map(|line| line.name).collect();
    assert_eq!(stale.len(), 10, "{stale:?}");
    assert!(stale.iter().all(|name| name.starts_with("Fargate Spot")), "{stale:?}");
    let text = markdown(&bill, Today(date(2026, 11, 23)));
    assert!(
        text.contains("14.13 rest on Spot prices that are out of date"),
        "{text}"
    );
    assert!(text.contains("fixed, price of 2021"), "{text}");
}

#[test]
fn every_resource_of_the_stack_is_priced_free_or_named() {
    let module = support::own_module();
    for profile in ["default", "seed", "lean", "resilient"] {
        let stack = support::evaluate(&module, &support::profile(profile));
        let bill = support::bill(&module, &support::profile(profile));
        let managed = stack
            .resources
            .keys()
            .filter(|address| address.mode == karma_terraform::Mode::Managed);
        for address in managed {
            let priced = bill.components.iter().any(|line| line.resource == *address);
            let named = bill.unpriced.iter().any(|line| line.resource == *address);
            let free = bill.free.contains(address);
            assert_eq!(u8::from(priced || named) + u8::from(free), 1, "{profile}: {address}");
        }
    }
}
