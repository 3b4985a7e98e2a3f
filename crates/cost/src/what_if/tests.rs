use proptest::prelude::*;

use super::*;
use crate::{Bill, Feature, PriceBook, Usage};

/// A stack that costs 100, less what each setting saves; two that are set together save 30 more.
fn bill(changes: &Changes) -> Option<Bill> {
    let saved = |(name, value): (&&str, &&str)| match (*name, *value) {
        ("cpu_architecture", "ARM64") => 3,
        ("enable_nat_instance", "true") => 20,
        ("enable_container_insights", "false") => 10,
        ("log_retention_days", "3") => -5,
        ("business_hours", _) => 1,
        _ => 0,
    };
    if changes.contains_key("task_cpu") {
        return None;
    }
    let together = changes.contains_key("enable_xray_tracing") && changes.contains_key("log_retention_days");
    let total = 100 - changes.iter().map(saved).sum::<i32>() - if together { 30 } else { 0 };
    let mut bill = crate::price(
        &karma_terraform::Stack::default(),
        &Usage::default(),
        &PriceBook::new("here", []),
    );
    bill.totals.list = crate::Estimate::certain(Usd::parse(&total.to_string()).unwrap());
    bill.totals.with_free_tier = bill.totals.list;
    Some(bill)
}

fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

fn ids(knobs: &[&'static Knob]) -> Vec<&'static str> {
    knobs.iter().map(|knob| knob.id).collect()
}

#[test]
fn each_knob_is_turned_alone_and_what_changes_nothing_is_not_told() {
    let outcomes = what_if(bill).unwrap();
    let told: Vec<_> = outcomes.iter().map(|it| (it.knob.id, it.saves_list.exact())).collect();
    let expected = [
        ("nat-instance", "20"),
        ("no-insights", "10"),
        ("arm", "3"),
        ("business-hours", "1"),
        ("short-logs", "-5"),
    ];
    assert_eq!(told, expected.map(|(id, saves)| (id, saves.to_owned())));
}

#[test]
fn the_optimum_finds_what_only_two_knobs_together_save() {
    let optimum = optimise(&[], Figure::List, bill).unwrap();
    assert_eq!(optimum.after.list.expected, usd("41")); // 100 - 3 - 20 - 10 - 1 + 5 - 30
    assert_eq!(
        ids(&optimum.knobs),
        [
            "arm",
            "nat-instance",
            "no-insights",
            "business-hours",
            "short-logs",
            "no-traces"
        ]
    );
}

#[test]
fn the_optimum_keeps_what_was_named() {
    let optimum = optimise(
        &[Feature::ManagedNat, Feature::Traces, Feature::Nights],
        Figure::List,
        bill,
    )
    .unwrap();
    assert_eq!(ids(&optimum.knobs), ["arm", "no-insights"]);
    let optimum = optimise(&Feature::ALL, Figure::List, bill).unwrap();
    assert_eq!(ids(&optimum.knobs), Vec::<&str>::new());
    assert_eq!(optimum.before, optimum.after);
}

fn ways(limit: &str) -> Vec<Vec<&'static str>> {
    match budget(usd(limit), Figure::List, bill).unwrap() {
        Budget::Within { .. } => panic!("{limit} is less than it costs"),
        Budget::Over { ways_back, .. } => ways_back.iter().map(|way| ids(&way.knobs)).collect(),
    }
}

#[test]
fn ways_back_give_up_what_is_missed_least() {
    assert_eq!(
        budget(usd("120"), Figure::List, bill),
        Some(Budget::Within { left: usd("20") })
    );
    assert_eq!(ways("98"), [["arm"], ["no-insights"], ["nat-instance"]]);
    let two_or_one = [&["short-logs", "no-traces"][..], &["no-insights"], &["nat-instance"]];
    assert_eq!(ways("90"), two_or_one);
    assert_eq!(
        ways("75"),
        [["short-logs", "no-traces"], ["nat-instance", "no-insights"]]
    );
    assert_eq!(ways("50").len(), 1);
    assert_eq!(ways("40"), Vec::<Vec<&str>>::new());
}

#[test]
fn a_stack_that_cannot_be_evaluated_has_no_answer() {
    assert_eq!(what_if(|_| None), None);
    assert_eq!(optimise(&[], Figure::List, |_| None), None);
    assert_eq!(budget(Usd::ZERO, Figure::List, |_| None), None);
}

proptest! {
    #[test]
    fn the_optimum_is_never_dearer_and_never_gives_up_what_is_kept(keep in proptest::sample::subsequence(Feature::ALL.to_vec(), 0..=Feature::ALL.len())) {
        let optimum = optimise(&keep, Figure::WithFreeTier, bill).unwrap();
        prop_assert!(optimum.after.list.expected <= optimum.before.list.expected);
        for knob in optimum.knobs {
            prop_assert!(knob.gives_up.iter().all(|feature| !keep.contains(feature)), "{}", knob.id);
        }
    }
}
