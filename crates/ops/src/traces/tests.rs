use serde_json::json;

use super::*;

fn id() -> TraceId {
    "1-58337262-36d228ad5d99923122bbe354".parse().unwrap()
}

/// A span from one second to another, done for another one.
fn span(number: u64, parent: u64, service: &str, from: i64, to: i64) -> TraceSpan {
    TraceSpan {
        trace: id(),
        id: SpanId::new(number).unwrap(),
        parent: SpanId::new(parent),
        service: service.to_owned(),
        name: format!("span {number}"),
        kind: SpanKind::Server,
        start: Timestamp::from_second(from).unwrap(),
        end: Timestamp::from_second(to).unwrap(),
        status: SpanStatus::Unset,
        attributes: BTreeMap::new(),
    }
}

fn assembled(spans: impl IntoIterator<Item = TraceSpan>) -> Trace {
    Trace::assemble(id(), spans).unwrap()
}

/// The waterfall as depths and numbers.
fn check(spans: &[TraceSpan], expected: &[(usize, u64)]) {
    for spans in [spans.to_vec(), spans.iter().rev().cloned().collect()] {
        let placed = assembled(spans).spans;
        let found: Vec<_> = placed.iter().map(|it| (it.depth, it.span.id)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|&(depth, number)| (depth, SpanId::new(number).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_was_done_for_a_span_stands_below_it_in_the_order_of_time() {
    let spans = [
        span(1, 0, "a", 0, 9),
        span(2, 1, "a", 5, 8),
        span(3, 2, "b", 6, 7),
        span(4, 1, "a", 1, 4),
    ];
    check(&spans, &[(0, 1), (1, 4), (1, 2), (2, 3)]);
    let trace = assembled(spans);
    assert_eq!(
        (trace.services, trace.duration.as_secs()),
        (vec!["a".into(), "b".into()], 9)
    );
}

#[test]
fn a_span_whose_parent_is_missing_stands_alone() {
    check(&[span(1, 0, "a", 0, 9), span(3, 2, "b", 6, 7)], &[(0, 1), (0, 3)]);
}

#[test]
fn spans_that_are_each_others_parents_are_all_shown() {
    check(&[span(1, 2, "a", 0, 9), span(2, 1, "b", 6, 7)], &[(0, 1), (1, 2)]);
    check(&[span(1, 1, "a", 0, 9)], &[(0, 1)]);
}

#[test]
fn a_clock_that_differs_moves_nothing() {
    let trace = assembled([span(1, 0, "a", 10, 12), span(2, 1, "b", 8, 9)]);
    assert_eq!((trace.start.as_second(), trace.duration.as_secs()), (8, 4));
    assert_eq!(trace.spans[1].span.start.as_second(), 8);
}

#[test]
fn of_two_spans_with_one_id_the_later_counts() {
    let trace = assembled([span(1, 0, "a", 0, 1), span(1, 0, "a", 0, 2)]);
    assert_eq!((trace.spans.len(), trace.duration.as_secs()), (1, 2));
    assert_eq!(Trace::assemble(id(), []), None);
}

#[test]
fn a_long_chain_is_a_trace_like_any_other() {
    let chain = (1..=100_000).map(|number| span(number, number - 1, "a", 0, 1));
    assert_eq!(assembled(chain).spans.last().unwrap().depth, 99_999);
}

#[test]
fn ids_are_read_in_both_forms_and_written_as_xray_does() {
    let check = |text: &str, expected: Option<&str>| {
        let read = text.parse::<TraceId>().ok().map(|id| id.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    };
    let xray = "1-58337262-36d228ad5d99923122bbe354";
    check(xray, Some(xray));
    check("5833726236d228ad5d99923122bbe354", Some(xray));
    check("5833726236D228AD5D99923122BBE354", Some(xray));
    check("1-00000000-000000000000000000000000", None);
    check("2-58337262-36d228ad5d99923122bbe354", None);
    check("1-583372623-6d228ad5d99923122bbe354", None);
    check("+833726236d228ad5d99923122bbe354", None);
    check("5833726236d228ad5d99923122bbe35é", None);
    check("", None);
    assert_eq!(
        "00000000000000ff".parse::<SpanId>().unwrap().to_string(),
        "00000000000000ff"
    );
    assert!("0000000000000000".parse::<SpanId>().is_err());
}

#[test]
fn a_failure_is_told_by_who_failed() {
    let with = |status, code: &str| {
        let attributes = [("http.response.status_code".to_owned(), code.to_owned())].into();
        TraceSpan {
            status,
            attributes,
            ..span(1, 0, "a", 0, 1)
        }
        .is_error()
    };
    assert!(with(SpanStatus::Unset, "503") && with(SpanStatus::Error, "200"));
    assert!(!with(SpanStatus::Unset, "404") && !with(SpanStatus::Ok, "200"));
}

#[test]
fn a_question_narrows_the_traces() {
    let trace = assembled([span(1, 0, "a", 100, 103)]);
    let now = Timestamp::from_second(200).unwrap();
    let all = TraceQuery {
        id: None,
        service: None,
        since: Duration::from_secs(100),
        slow: Duration::ZERO,
        outcomes: Outcomes::All,
    };
    let check = |query: &TraceQuery, expected| assert_eq!(query.wants(&trace, now), expected, "{query:?}");
    check(&all, true);
    let short = TraceQuery {
        since: Duration::from_secs(99),
        ..all.clone()
    };
    check(&short, false);
    check(
        &TraceQuery {
            id: Some(id()),
            ..short
        },
        true,
    );
    check(
        &TraceQuery {
            slow: Duration::from_secs(3),
            ..all.clone()
        },
        true,
    );
    check(
        &TraceQuery {
            slow: Duration::from_secs(4),
            ..all.clone()
        },
        false,
    );
    check(
        &TraceQuery {
            outcomes: Outcomes::Errors,
            ..all.clone()
        },
        false,
    );
    check(
        &TraceQuery {
            service: Some("b".to_owned()),
            ..all.clone()
        },
        false,
    );
    check(
        &TraceQuery {
            service: Some("a".to_owned()),
            ..all
        },
        true,
    );
}

#[test]
fn a_span_is_plain_data() {
    let written = json!({
        "trace": "1-58337262-36d228ad5d99923122bbe354", "id": "0000000000000002", "parent": "0000000000000001", "service": "a",
        "name": "span 2", "kind": "server", "start": "1970-01-01T00:00:03Z", "end": "1970-01-01T00:00:04Z", "status": "unset",
    });
    assert_eq!(serde_json::to_value(span(2, 1, "a", 3, 4)).unwrap(), written);
    assert_eq!(
        serde_json::from_value::<TraceSpan>(written).unwrap(),
        span(2, 1, "a", 3, 4)
    );
}
