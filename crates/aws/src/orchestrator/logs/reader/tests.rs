use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_smithy_mocks::mock;

use super::*;
use crate::orchestrator::tests::scoped;
use crate::testing::answering;

fn event(id: &str, time: i64, message: &str) -> FilteredLogEvent {
    FilteredLogEvent::builder()
        .event_id(id)
        .timestamp(time)
        .log_stream_name("ecs/app/0123abcd")
        .message(message)
        .build()
}

fn source() -> Source {
    let of = scoped("api");
    let (container, place) = of.log_places().next().unwrap();
    Source::new(&of, container, place, Streams::Begin("ecs/app/".to_owned()))
}

#[test]
fn a_line_is_read_once_and_one_that_comes_late_is_not_lost() {
    let mut source = source();
    let messages = |lines: Vec<LogLine>| lines.into_iter().map(|line| line.message).collect::<Vec<_>>();
    let (one, two, late) = (
        event("1", 50_000, "one\n"),
        event("2", 60_000, "two"),
        event("3", 55_000, "late"),
    );
    assert_eq!(messages(source.take(&[one.clone(), two.clone()])), ["one", "two"]);
    assert_eq!(source.from, Some(30_000));
    assert_eq!(messages(source.take(&[one, late, two])), ["late"]);
    assert_eq!(messages(source.take(&[event("4", 95_000, "four")])), ["four"]);
    // What cannot be answered again need not be known any more.
    assert_eq!(source.read.len(), 1);
}

#[test]
fn a_stream_tells_the_task() {
    let mut source = source();
    let line = source.take(&[event("1", 1_500, "hello")]).remove(0);
    assert_eq!((line.service.as_str(), line.container.as_str()), ("api", "app"));
    assert_eq!(line.task, "0123abcd");
    assert_eq!(line.at.to_string(), "1970-01-01T00:00:01.5Z");
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_lines_are_in_the_order_of_time() {
    let first = mock!(Client::filter_log_events)
        .match_requests(|asked| asked.next_token().is_none() && asked.log_stream_name_prefix() == Some("ecs/app/"))
        .then_output(|| {
            FilterLogEventsOutput::builder()
                .events(event("1", 9, "later"))
                .next_token("more")
                .build()
        });
    let second = mock!(Client::filter_log_events)
        .match_requests(|asked| asked.next_token() == Some("more"))
        .then_output(|| {
            FilterLogEventsOutput::builder()
                .events(event("2", 3, "earlier"))
                .build()
        });
    let client = answering!(aws_sdk_cloudwatchlogs, [&first, &second]);
    let mut reader = EcsLogReader::new(client, LogQuery::default(), vec![source()], None);
    let messages: Vec<_> = reader
        .read()
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.message)
        .collect();
    assert_eq!(messages, ["earlier", "later"]);
}

#[tokio::test]
async fn a_group_that_is_not_there_yet_has_no_lines() {
    let missing = mock!(Client::filter_log_events)
        .sequence()
        .http_status(
            400,
            Some(
                r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#
                    .to_owned(),
            ),
        )
        .build();
    let client = answering!(aws_sdk_cloudwatchlogs, [&missing]);
    let mut reader = EcsLogReader::new(client, LogQuery::default(), vec![source()], None);
    assert_eq!(reader.read().await.unwrap(), []);
}
