//! One change of the stack at a time: the bill changes by exactly what the price list says of it.

use karma_cost::{Totals, Usd};
use karma_terraform::Module;

use crate::support::{bill, own_module, profile, variable};

/// A profile, what is changed of it, and what that adds to the expected bill at list price and with the free tier.
type Variation = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const DEFAULT: &str = "default";
const SEED: &str = "seed";
const ENDPOINTS: (&str, &str) = (
    "vpc_interface_endpoints",
    r#"["ecr.api", "ecr.dkr", "logs", "secretsmanager"]"#,
);
const NO_ENDPOINTS: (&str, &str) = ("vpc_interface_endpoints", "[]");
const THREE_ZONES: (&str, &str) = ("availability_zones", r#"["us-east-1a", "us-east-1b", "us-east-1c"]"#);
const ONE_AGENT: (&str, &str) = ("agents", "{ only = { port = 9001, priority = 1 } }");
const SIX_AGENTS: (&str, &str) = (
    "agents",
    "{ a = { port = 9001, priority = 1 }, b = { port = 9002, priority = 2 }, c = { port = 9003, priority = 3 }, \
       d = { port = 9004, priority = 4 }, e = { port = 9005, priority = 5 }, f = { port = 9006, priority = 6 } }",
);

/// Figures by hand, from the prices of us-east-1 and a month of 730 hours.
const VARIATIONS: &[Variation] = &[
    (DEFAULT, &[], "0.00", "0.00"),
    // Compute: 5 tasks of 0.25 vCPU and 0.5 GB cost 14.34 on Spot, 45.05 on demand, 11.48 on Spot and 36.04 on demand with ARM.
    (DEFAULT, &[("use_fargate_spot", "false")], "30.71", "30.71"),
    (
        DEFAULT,
        &[("use_fargate_spot", "false"), ("cpu_architecture", "ARM64")],
        "21.70",
        "21.70",
    ),
    (DEFAULT, &[("cpu_architecture", "ARM64")], "-2.87", "-2.87"),
    (DEFAULT, &[("fargate_base", "1")], "30.71", "30.71"),
    (DEFAULT, &[("desired_count_per_service", "2")], "14.34", "14.34"),
    (
        DEFAULT,
        &[("desired_count_per_service", "2"), ("fargate_base", "1")],
        "45.05",
        "45.05",
    ),
    (
        DEFAULT,
        &[("desired_count_per_service", "2"), ("fargate_weight", "1")],
        "45.05",
        "45.05",
    ),
    (DEFAULT, &[("desired_count_per_service", "9")], "28.69", "28.69"), // autoscaling allows three
    (DEFAULT, &[("autoscaling_min_capacity", "2")], "14.34", "14.34"),
    (DEFAULT, &[("autoscaling_max_capacity", "6")], "0.00", "0.00"),
    (
        DEFAULT,
        &[("task_cpu", "512"), ("task_memory", "1024")],
        "14.34",
        "14.34",
    ),
    (DEFAULT, &[("task_memory", "1024")], "2.58", "2.58"),
    (DEFAULT, &[("business_hours", "{}")], "-9.22", "-9.22"), // 60 of 168 hours
    // Network.
    (DEFAULT, &[("single_nat_gateway", "false")], "36.50", "36.50"),
    (
        DEFAULT,
        &[("enable_nat_gateway", "false"), ("enable_nat_instance", "true")],
        "-30.27",
        "-30.27",
    ),
    (DEFAULT, &[("enable_nat_gateway", "false")], "-19.38", "-19.38"), // five addresses instead of one, and no gateway
    (DEFAULT, &[ENDPOINTS], "57.88", "57.88"),
    (
        DEFAULT,
        &[ENDPOINTS, ("vpc_interface_endpoints_in_one_zone", "true")],
        "28.68",
        "28.68",
    ),
    (DEFAULT, &[ENDPOINTS, ("enable_vpc_endpoints", "false")], "0.00", "0.00"),
    (DEFAULT, &[THREE_ZONES], "3.65", "3.65"),
    (
        DEFAULT,
        &[THREE_ZONES, ("single_nat_gateway", "false")],
        "76.65",
        "76.65",
    ),
    (DEFAULT, &[("domain_name", "agents.example.com")], "0.00", "0.00"), // ten rules are free
    (DEFAULT, &[("enable_service_connect", "false")], "0.00", "0.00"),
    // Observability: 530 metrics, since the containers have health checks; 137; and 0.52 GiB of events.
    (DEFAULT, &[("enable_container_insights", "true")], "37.37", "37.37"),
    (
        DEFAULT,
        &[
            ("enable_container_insights", "true"),
            ("container_insights_mode", "enabled"),
        ],
        "41.37",
        "39.87",
    ),
    (DEFAULT, &[("log_retention_days", "30")], "0.34", "0.34"),
    (DEFAULT, &[("log_retention_days", "3")], "-0.06", "-0.06"),
    (DEFAULT, &[("enable_xray_tracing", "false")], "-0.25", "0.00"),
    (
        DEFAULT,
        &[("enable_alarm_topic", "true"), ("alarm_emails", r#"["a@example.com"]"#)],
        "0.00",
        "0.00",
    ), // 0.002
    // A whole agent: a task, a metric, four alarms and a secret.
    (DEFAULT, &[ONE_AGENT], "-15.88", "-14.08"),
    (DEFAULT, &[SIX_AGENTS], "3.97", "3.67"),
    // Of the configuration that was first asked for.
    (SEED, &[NO_ENDPOINTS], "-57.88", "-57.88"),
    (
        SEED,
        &[("vpc_interface_endpoints_in_one_zone", "true")],
        "-29.20",
        "-29.20",
    ),
    (
        SEED,
        &[("enable_nat_gateway", "false"), ("enable_nat_instance", "true")],
        "-29.59",
        "-29.59",
    ),
    (
        SEED,
        &[("enable_nat_gateway", "false"), ("enable_vpc_endpoints", "false")],
        "-77.25",
        "-77.25",
    ),
    (SEED, &[("enable_container_insights", "false")], "-41.37", "-39.87"),
    (SEED, &[("container_insights_mode", "enhanced")], "-4.00", "-2.50"), // 530 metrics at 0.07 for 137 at 0.30
    (SEED, &[("cpu_architecture", "ARM64")], "-2.87", "-2.87"),
    (SEED, &[("use_fargate_spot", "false")], "30.71", "30.71"),
];

fn check(module: &Module, before: &Totals, (base, changes, list, with_free_tier): &Variation) {
    let mut variables = profile(base);
    variables.extend(changes.iter().map(|(name, value)| variable(name, value)));
    let after = bill(module, &variables).totals;
    let added = |after: Usd, before: Usd| (after - before).to_string();
    let found = (
        added(after.list.expected, before.list.expected),
        added(after.with_free_tier.expected, before.with_free_tier.expected),
    );
    let expected = ((*list).to_owned(), (*with_free_tier).to_owned());
    assert_eq!(found, expected, "{base} with {changes:?}");
}

#[test]
fn a_change_of_the_stack_changes_the_bill_by_its_price() {
    let module = own_module();
    for base in [DEFAULT, SEED] {
        let before = bill(&module, &profile(base)).totals;
        for variation in VARIATIONS.iter().filter(|(it, ..)| *it == base) {
            check(&module, &before, variation);
        }
    }
    assert!(VARIATIONS.len() >= 30);
}

#[test]
fn a_price_that_a_region_has_not_is_said_and_not_counted() {
    let stack = crate::support::evaluate(&own_module(), &[variable("cpu_architecture", "ARM64")]);
    let prices = karma_cost::PriceBook::embedded("eu-central-1").unwrap();
    let bill = karma_cost::price(&stack, &karma_cost::Usage::default(), &prices);
    let unpriced: Vec<_> = bill
        .unpriced
        .iter()
        .filter(|it| it.why.contains("fargate_spot.linux.arm64"))
        .collect();
    assert_eq!(unpriced.len(), 10, "{:?}", bill.unpriced);
    assert!(bill.group(karma_cost::Group::Compute).next().is_none());
}

/// Prices of Ireland: Fargate as in Virginia, nearly everything else dearer. Spot has another price, and the load balancer's and NAT's bytes.
#[test]
fn another_region_has_other_prices() {
    let stack = crate::support::evaluate(&own_module(), &profile(SEED));
    let total = |region| {
        let prices = karma_cost::PriceBook::embedded(region).unwrap();
        let bill = karma_cost::price(&stack, &karma_cost::Usage::default(), &prices);
        bill.totals.with_free_tier.expected.to_string()
    };
    // Reckoned by hand: 181.87, 191.92 and 303.95, each without the 3 to 5 cents of the data bucket.
    let found = ["us-east-1", "eu-west-1", "sa-east-1"].map(total);
    assert_eq!(found, ["181.90", "191.95", "304.00"]);
}
