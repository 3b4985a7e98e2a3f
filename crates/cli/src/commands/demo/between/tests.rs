use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_ops::{AliasObservation, DiscoveryMechanism, SpanStatus};

use super::*;
use crate::commands::demo::event::Amount;

const TRACE: &str = "1-58337262-36d228ad5d99923122bbe354";

/// A fleet in which services know karma-hello by its alias.
fn observation() -> Observation {
    Observation {
        stack: ".".into(),
        pid: None,
        started_at: None,
        listeners: Vec::new(),
        services: Vec::new(),
        aliases: vec![AliasObservation {
            namespace: None,
            dns_name: "karma-hello".to_owned(),
            port: 9002,
            address: [127, 0, 0, 1].into(),
        }],
        discovery: DiscoveryMechanism::HostsFile,
        notes: Vec::new(),
    }
}

/// A span with its number and its parent's, from one millisecond to another.
fn span(number: u64, parent: u64, kind: SpanKind, (from, to): (i64, i64), code: &str) -> TraceSpan {
    let (service, host) = match kind {
        SpanKind::Client => ("buyer", "karma-hello"),
        _ if parent == 0 => ("buyer", "127.0.0.1"),
        _ => ("seller", "karma-hello"),
    };
    let attributes = [("http.response.status_code", code), ("server.address", host)];
    TraceSpan {
        trace: TRACE.parse().unwrap(),
        id: SpanId::new(number).unwrap(),
        parent: SpanId::new(parent),
        service: service.to_owned(),
        name: "POST /logs".to_owned(),
        kind,
        start: Timestamp::from_millisecond(from).unwrap(),
        end: Timestamp::from_millisecond(to).unwrap(),
        status: SpanStatus::Unset,
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

/// What it asks is refused for money, and sold.
fn purchase() -> Vec<TraceSpan> {
    vec![
        span(1, 0, SpanKind::Server, (0, 50), "200"),
        span(2, 1, SpanKind::Client, (10, 15), "402"),
        span(3, 2, SpanKind::Server, (11, 14), "402"),
        span(4, 1, SpanKind::Client, (20, 40), "200"),
        span(5, 4, SpanKind::Server, (21, 39), "200"),
    ]
}

fn trace(spans: Vec<TraceSpan>) -> Trace {
    Trace::assemble(TRACE.parse().unwrap(), spans).unwrap()
}

fn line(parent: u64, paid: &str) -> LogLine {
    LogLine {
        at: Timestamp::UNIX_EPOCH,
        service: "seller".to_owned(),
        task: "0a".to_owned(),
        container: "app".to_owned(),
        message: format!(r#"{{"trace_id": "Self=1-a-b;Root={TRACE};Parent={parent:016x};Sampled=1", "paid": {paid}}}"#),
    }
}

#[test]
fn what_is_asked_for_money_first_is_one_question() {
    let observation = observation();
    let asked = asked(&trace(purchase()), &Names(&observation));
    let [one] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(
        (one.from.as_str(), one.to.as_str(), one.status, one.was_sold),
        ("buyer", "seller", Some(200), true)
    );
    assert!((one.seconds - 0.03).abs() < 1e-9, "{asked:?}");
}

#[test]
fn who_does_not_answer_is_called_as_it_was_called() {
    let observation = observation();
    let spans = vec![
        span(1, 0, SpanKind::Server, (0, 50), "502"),
        span(2, 1, SpanKind::Client, (10, 15), "402"),
        span(3, 1, SpanKind::Client, (20, 40), ""),
    ];
    let asked = asked(&trace(spans), &Names(&observation));
    assert_eq!(
        (asked.len(), asked[0].to.as_str(), asked[0].status),
        (1, "karma-hello", None)
    );
    assert!(!asked[0].misses_its_price());
}

#[test]
fn a_trace_is_whole_with_the_last_answer() {
    let observation = observation();
    let check = |kept: &[usize], requests: usize, expected: bool| {
        let spans = purchase();
        let spans = kept.iter().map(|&at| spans[at].clone()).collect();
        assert_eq!(
            is_whole(&trace(spans), requests, &Names(&observation)),
            expected,
            "{kept:?}"
        );
    };
    check(&[0, 1, 2, 3, 4], 1, true);
    check(&[0, 1, 2, 3], 1, false);
    check(&[1, 2, 3, 4], 1, false);
    check(&[0, 1, 2, 3, 4], 2, false);
    check(&[0], 1, true);
}

#[test]
fn what_was_paid_is_taken_from_the_line_about_this_question_only() {
    let observation = observation();
    let paid = r#"{"amount": "10000", "payer": "0xb", "transaction": "0xt"}"#;
    let check = |lines: &[LogLine], expected: Option<u128>| {
        let mut asked = asked(&trace(purchase()), &Names(&observation));
        add_payments(&mut asked, TRACE.parse().unwrap(), lines);
        assert_eq!(asked[0].paid.as_ref().map(|paid| paid.amount), expected.map(Amount));
        assert_eq!(asked[0].misses_its_price(), expected.is_none());
    };
    check(&[line(2, "null"), line(4, paid)], Some(10_000));
    check(&[line(2, paid)], None);
    check(&[line(4, "null")], None);
    check(&[line(4, r#"{"amount": "much"}"#)], None);
    let other = LogLine {
        message: "not JSON".to_owned(),
        ..line(4, paid)
    };
    check(&[other], None);
    check(&[], None);
}
