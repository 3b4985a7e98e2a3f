use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_ops::{SpanId, SpanKind, SpanStatus, TraceSpan};

use super::*;
use crate::printer::{ColorChoice, Verbosity};

const PLAIN: fn() -> Printer = || Printer::new(ColorChoice::Never, Verbosity::Quiet);

fn id() -> TraceId {
    "1-58337262-36d228ad5d99923122bbe354".parse().unwrap()
}

/// A span, from one millisecond to another.
fn span(number: u64, parent: u64, service: &str, kind: SpanKind, (from, to): (i64, i64), code: &str) -> TraceSpan {
    TraceSpan {
        trace: id(),
        id: SpanId::new(number).unwrap(),
        parent: SpanId::new(parent),
        service: service.to_owned(),
        name: "GET /health".to_owned(),
        kind,
        start: Timestamp::from_millisecond(from).unwrap(),
        end: Timestamp::from_millisecond(to).unwrap(),
        status: SpanStatus::Unset,
        attributes: BTreeMap::from([("http.response.status_code".to_owned(), code.to_owned())]),
    }
}

fn trace() -> Trace {
    let spans = [
        span(1, 0, "skill-extractor", SpanKind::Server, (1_000, 1_010), "503"),
        span(2, 1, "skill-extractor", SpanKind::Client, (1_002, 1_008), "200"),
        span(3, 2, "karma-hello", SpanKind::Server, (1_004, 1_004), "200"),
        span(4, 9, "lost", SpanKind::Internal, (1_009, 1_010), ""),
    ];
    Trace::assemble(id(), spans).unwrap()
}

#[test]
fn a_trace_is_a_waterfall() {
    insta::assert_snapshot!(waterfall::render(&trace(), PLAIN()), @"
    1-58337262-36d228ad5d99923122bbe354  1970-01-01 00:00:01.000  10 ms
    skill-extractor GET /health         10 ms  ████████████████████████████████████████  503
    └ skill-extractor → GET /health      6 ms  ········████████████████████████          200
      └ karma-hello GET /health          0 µs  ················█                         200
    lost GET /health                     1 ms  ····································████
    ");
}

#[test]
fn traces_are_listed() {
    insta::assert_snapshot!(table(&[trace()]).render(PLAIN()), @"
    TRACE                                START                DURATION  STATUS  REQUEST      SERVICES
    1-58337262-36d228ad5d99923122bbe354  1970-01-01 00:00:01  10 ms     error   GET /health  skill-extractor > karma-hello > lost
    ");
}

#[test]
fn a_trace_of_no_time_is_shown() {
    let trace = Trace::assemble(id(), [span(1, 0, "a", SpanKind::Server, (0, 0), "200")]).unwrap();
    assert!(waterfall::render(&trace, PLAIN()).contains('█'));
}

#[test]
fn durations_may_be_short() {
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    assert!(duration("-1s").is_err() && duration("soon").is_err());
}
