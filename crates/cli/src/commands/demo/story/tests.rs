use serde_json::json;

use super::*;
use crate::commands::demo::event::{Call, Refusal};
use crate::commands::demo::report::Outcome;
use crate::printer::{ColorChoice, Verbosity};

fn call(what: &str, paid: bool) -> Call {
    let paid = paid.then(|| json!({ "amount": "20000", "transaction": format!("0x{}", "ab".repeat(32)) }));
    serde_json::from_value(json!({
        "to": "skill-extractor", "what": what, "method": "POST", "path": "/skill-extractor/extract", "status": 200, "seconds": 0.0456,
        "trace_id": "1-58337262-36d228ad5d99923122bbe354", "paid": paid,
        "findings": ["Go 0.5, Rust 0.4, from 7 messages", "“I have written a load balancer in Go, and then once more in Rust, for the fun of it”"],
    }))
    .unwrap()
}

fn report(has_money: bool) -> Report {
    let mut report = Report::new("http://127.0.0.1:8080".to_owned());
    let currency = has_money.then(|| json!({ "symbol": "GLUE", "decimals": 6 }));
    let account = has_money.then_some("0x756cFaBa6F9A16f80FA2fC6e154170D3F492289f");
    let beginning = json!({ "title": "Somebody is profiled.", "account": account, "currency": currency });
    report.beginning = serde_json::from_value(beginning).unwrap();
    report.chapters = vec![Chapter {
        title: "A profile".to_owned(),
        about: Some("The extractor buys what it reads.".to_owned()),
        calls: vec![Told {
            call: call("what ana can do", has_money),
            between: None,
        }],
    }];
    report
}

/// The whole story at so many columns, without colours.
fn told(report: &Report, columns: usize) -> String {
    let printer = Printer::new(ColorChoice::Never, Verbosity::Normal);
    let layout = Layout::new(columns, report.beginning.currency.as_ref(), printer);
    let mut text = layout.beginning(&report.beginning, &report.url);
    for chapter in &report.chapters {
        text += &layout.chapter(chapter);
        for (number, told) in (1..).zip(&chapter.calls) {
            text += &layout.call(number, told);
        }
    }
    text + &layout.end(report)
}

#[test]
fn a_story_with_money() {
    let mut report = report(true);
    report.chapters[0].calls[0].between = Some(Vec::new());
    let holding = |name: &str, account: &str, before: &str, after: &str| {
        let holding = json!({ "name": name, "account": account, "before": before, "after": after });
        serde_json::from_value::<Holding>(holding).unwrap()
    };
    let own = report.beginning.account.clone().unwrap();
    report.accounts = vec![
        holding("you", &own, "1000000000", "999980000"),
        holding("skill-extractor", "0xa", "0", "20000"),
        holding("validator", "0xb", "0", "7"),
    ];
    report.outcome = Outcome::Done;
    insta::assert_snapshot!(told(&report, 80));
}

#[test]
fn without_a_chain_nothing_has_a_price_and_what_is_not_known_is_said() {
    insta::assert_snapshot!(told(&report(false), 120));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [60, 80, 100, 200] {
        let story = told(&report(true), columns);
        let widest = story.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns.min(100), "{columns}: {story}");
    }
}

#[test]
fn the_document_has_the_promised_names() {
    let mut report = report(true);
    report.refusal = Some(Refusal {
        reason: "why".to_owned(),
        hint: None,
    });
    report.outcome = Outcome::Refused;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["outcome"], &json["reason"]), (&json!("refused"), &json!("why")));
    let call = &json["chapters"][0]["calls"][0];
    assert_eq!(call["paid"]["amount"], "20000");
    assert_eq!(call["trace_id"], "1-58337262-36d228ad5d99923122bbe354");
    assert_eq!(call["between"], json!(null));
    assert_eq!(json["currency"]["decimals"], 6);
}
