//! Questions about the project's own stack: what would change, what would be cheapest, how to get back under a budget.

use karma_cost::{
    Budget, ChangeKind, Changes, Feature, Figure, Totals, Usd, budget, compare, optimise, what_if, what_if_markdown,
};
use karma_terraform::Module;

use crate::support::{bill, own_module, profile, variable};

/// From changed variables to a bill, on top of a profile.
fn pricing<'m>(module: &'m Module, base: &'static str) -> impl FnMut(&Changes) -> Option<karma_cost::Bill> + use<'m> {
    move |changes| {
        let mut variables = profile(base);
        variables.extend(changes.iter().map(|(name, value)| variable(name, value)));
        Some(bill(module, &variables))
    }
}

#[test]
fn what_each_knob_saves_of_what_was_first_asked_for() {
    let module = own_module();
    let outcomes = what_if(pricing(&module, "seed")).unwrap();
    let found: Vec<_> = outcomes
        .iter()
        .map(|it| (it.knob.id, it.saves_with_free_tier.to_string()))
        .collect();
    let table = what_if_markdown(&outcomes);
    assert!(
        table.contains("| Container Insights off (`no-insights`) | 41.37 | 39.87 | 142.03 | "),
        "{table}"
    );
    let expected = [
        ("public-tasks", "77.25"),
        ("no-endpoints", "57.88"),
        ("no-insights", "39.87"),
        ("business-hours", "33.49"), // 9.22 of the tasks, and metrics that are not written while none runs
        ("nat-instance", "29.59"),
        ("endpoints-in-one-zone", "29.20"),
        ("arm", "2.87"),
        ("insights-enhanced", "2.50"),
        ("short-logs", "0.06"),
        ("no-traces", "0.00"), // free as long as they are few
    ];
    assert_eq!(found, expected.map(|(id, saves)| (id, saves.to_owned())));
}

#[test]
fn the_cheapest_way_that_keeps_what_matters() {
    let module = own_module();
    let is_dispensable = |feature: &Feature| [Feature::X86, Feature::Insights, Feature::Endpoints].contains(feature);
    let keep: Vec<Feature> = Feature::ALL.into_iter().filter(|it| !is_dispensable(it)).collect();
    let optimum = optimise(&keep, Figure::WithFreeTier, pricing(&module, "seed")).unwrap();
    let knobs: Vec<_> = optimum.knobs.iter().map(|knob| knob.id).collect();
    assert_eq!(knobs, ["arm", "no-endpoints", "no-insights"]);
    assert_eq!(optimum.after.with_free_tier.expected.to_string(), "81.29");
}

#[test]
fn a_budget_and_the_ways_back_under_it() {
    let module = own_module();
    let limit = Usd::parse("150").unwrap();
    let Some(Budget::Over { by, ways_back }) = budget(limit, Figure::WithFreeTier, pricing(&module, "seed")) else {
        panic!("the seed profile costs more");
    };
    assert_eq!(by.to_string(), "31.90");
    let ids = |knobs: &[&karma_cost::Knob]| knobs.iter().map(|knob| knob.id).collect::<Vec<_>>().join(" and ");
    let ways: Vec<_> = ways_back
        .iter()
        .map(|way| (ids(&way.knobs), way.saves.to_string()))
        .collect();
    let expected = [
        ("no-insights", "39.87"),
        ("no-endpoints", "57.88"),
        ("business-hours", "33.49"),
    ];
    assert_eq!(
        ways,
        expected.map(|(knobs, saves)| (knobs.to_owned(), saves.to_owned()))
    );
}

#[test]
fn two_bills_side_by_side() {
    let module = own_module();
    let before = bill(&module, &[]);
    let nat_instance = [
        variable("enable_nat_gateway", "false"),
        variable("enable_nat_instance", "true"),
    ];
    let comparison = compare(&before, &bill(&module, &nat_instance));
    let of = |kind: ChangeKind| {
        comparison
            .changes
            .iter()
            .filter(|it| it.kind == kind)
            .map(|it| it.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(ChangeKind::Added),
        [
            "Instance t4g.nano",
            "Public IPv4 address",
            "Data to the internet",
            "Volume gp3"
        ]
    );
    assert_eq!(
        of(ChangeKind::Removed),
        [
            "Public IPv4 address",
            "Data to the internet",
            "NAT gateway",
            "NAT gateway: data"
        ]
    );
    assert_eq!(of(ChangeKind::Changed), Vec::<&str>::new());
    let sum = |side: fn(&karma_cost::Change) -> Totals| comparison.changes.iter().map(side).sum::<Totals>();
    let difference = |one: Totals, other: Totals| one.list.expected - other.list.expected;
    assert_eq!(
        difference(sum(|it| it.after), sum(|it| it.before)),
        difference(comparison.after, comparison.before)
    );

    let arm = compare(&before, &bill(&module, &[variable("task_memory", "1024")]));
    assert!(
        arm.changes
            .iter()
            .all(|it| it.kind == ChangeKind::Changed && it.name.ends_with("memory")),
        "{:?}",
        arm.changes
    );
    assert_eq!(compare(&before, &before).changes, []);
}

#[test]
fn a_bill_as_data() {
    let json = serde_json::to_value(bill(&own_module(), &[])).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["region"], "us-east-1");
    assert_eq!(json["totals"]["list"]["expected"], "94.209377275");
    assert_eq!(json["totals"]["with_free_tier"]["low"], "84.159377275");
    let line = json["components"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["name"] == "NAT gateway")
        .unwrap();
    assert_eq!(line["resource"], "aws_nat_gateway.main[\"us-east-1a\"]");
    assert_eq!(line["group"], "network");
    assert_eq!(line["basis"], "fixed");
    assert_eq!(line["quantity"]["expected"], "730");
    assert_eq!(line["rate"]["usd"], "0.045");
    assert_eq!(line["rate"]["as_of"], "2025-10-28");
    assert_eq!(line["list"]["expected"], "32.85");
    assert_eq!(
        json["unpriced"][0]["resource"],
        "aws_appautoscaling_policy.cpu[\"abracadabra\"]"
    );
    assert!(json["free"].as_array().unwrap().len() > 50);
    assert_eq!(json["assumptions"][0]["name"], "requests");
}
