use std::collections::BTreeMap;

use clap::Parser;
use karma_runtime::LoadSecond;

use super::*;
use crate::printer::{ColorChoice, Verbosity};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn typed(line: &[&str]) -> Arguments {
    Line::parse_from(["drill"].iter().chain(line)).arguments
}

fn report(losses: &[(&str, usize)], lengths: usize) -> DrillReport {
    let lost: usize = losses.iter().map(|(_, requests)| requests).sum();
    let second = |number| LoadSecond {
        sent: 200,
        lost: if number == 3 { lost } else { 0 },
        slowest_ms: if number == 4 { 900 } else { 12 },
    };
    DrillReport {
        scenario: Scenario::Spot,
        service: "validator".to_owned(),
        url: "http://127.0.0.1:8080/validator/health".to_owned(),
        rate: 200,
        sent: 200 * lengths,
        lost,
        losses: losses
            .iter()
            .map(|(how, requests)| ((*how).to_owned(), *requests))
            .collect::<BTreeMap<_, _>>(),
        reclaimed: 2,
        median_ms: 2,
        p99_ms: 12,
        slowest_ms: 900,
        recovered_ms: Some(3140),
        seconds: (0..lengths).map(second).collect(),
        events: vec![DrillEvent {
            at_ms: 2012,
            message: "the Spot capacity of task 0a1b2c3d is taken back".to_owned(),
        }],
    }
}

fn plain() -> Printer {
    Printer::new(ColorChoice::Never, Verbosity::Normal)
}

#[test]
fn nothing_lost_is_the_answer_yes() {
    let good = report(&[], 10);
    assert_eq!(status(&good), ExitStatus::Yes);
    insta::assert_snapshot!(picture::of(&good, plain()));
}

#[test]
fn what_was_lost_is_told_and_the_answer_no() {
    let bad = report(&[("503", 41), ("broken", 1)], 10);
    assert_eq!(status(&bad), ExitStatus::No);
    insta::assert_snapshot!(picture::of(&bad, plain()));
}

#[test]
fn a_service_that_did_not_recover_is_the_answer_no() {
    let stuck = DrillReport {
        recovered_ms: None,
        ..report(&[], 1)
    };
    assert_eq!(status(&stuck), ExitStatus::No);
    insta::assert_snapshot!(picture::of(&stuck, plain()));
}

#[test]
fn a_long_drill_fits_a_terminal() {
    let picture = picture::of(&report(&[("timed out", 7)], 600), plain());
    let widest = picture.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(100), "{picture}");
    assert!(picture.contains("600 s"), "{picture}");
}

#[test]
fn a_second_that_has_only_begun_is_no_gap_in_the_chart() {
    let mut ended = report(&[], 10);
    let begun = |sent, lost| LoadSecond {
        sent,
        lost,
        slowest_ms: 9,
    };
    ended.seconds.push(begun(3, 0));
    assert_eq!(picture::of(&ended, plain()), picture::of(&report(&[], 10), plain()));
    ended.seconds[10] = begun(3, 3);
    assert!(
        picture::of(&ended, plain()).contains("·×\n"),
        "what was lost in it is shown"
    );
}

#[test]
fn the_data_has_the_promised_names() {
    let data = serde_json::to_value(report(&[], 10)).unwrap();
    for name in ["sent", "lost", "reclaimed", "slowest_ms", "recovered_ms"] {
        assert!(data[name].is_u64(), "{name}: {data}");
    }
    assert_eq!(data["scenario"], "spot");
}

#[test]
fn an_event_has_its_time() {
    let event = &report(&[], 1).events[0];
    assert_eq!(
        line(event, plain()),
        "   2.0 s  the Spot capacity of task 0a1b2c3d is taken back"
    );
}

#[test]
fn what_is_typed_is_what_is_tried() {
    let typed = typed(&[
        "crash",
        "-s",
        "api",
        "--rate",
        "500",
        "--for",
        "1m",
        "--time-out",
        "2s",
        "--at-once",
    ]);
    let expected = Drill {
        scenario: Scenario::Crash,
        pace: Pace::AtOnce,
        service: Some("api".to_owned()),
        path: None,
        rate: 500,
        duration: Duration::from_mins(1),
        time_out: Duration::from_secs(2),
    };
    assert_eq!(typed.drill(), expected);
}
