//! Answering `/get_chat_logs`.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rusqlite::Connection;
use serde::Serialize;

use super::statistics::{Statistics, statistics, unique_users};
use super::table::{self, Held, Key, Wanted};
use crate::chat::{ChatQuery, NearDuplicates, Stream, StreamMessage};
use crate::error::ApiError;
use crate::limits;
use crate::store::StoreError;
use crate::text::near_duplicates;

/// One page of messages. Every count is of the messages in it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// The stream of all messages, where they are of one.
    stream_id: Option<String>,
    stream_date: Option<Date>,
    total_messages: usize,
    unique_users: usize,
    pub(super) messages: Vec<StreamMessage>,
    /// How many messages of the page were left out, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    near_duplicates_removed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Statistics>,
    /// Ask again with this as `cursor` for the rest; none at the end.
    next_cursor: Option<String>,
    metadata: Metadata,
}

#[derive(Debug, Serialize)]
struct Metadata {
    format_version: &'static str,
    /// The streams the messages are of.
    streams: Vec<Stream>,
}

/// The page the query asks for.
pub(super) fn answer(connection: &Connection, query: &ChatQuery) -> Result<Answer, ApiError> {
    let limit = check(query)?;
    let wanted = Wanted {
        after: query.cursor.as_deref().map(parse_cursor).transpose()?,
        start: query.start_time,
        end: query.end_time,
        stream: query
            .stream_id
            .as_deref()
            .map(|id| stream_number(connection, id))
            .transpose()?,
        day: query.date,
        users: query.users.iter().map(|user| user.to_lowercase()).collect(),
    };
    // One more than the page holds tells whether there is another.
    let mut held = table::select(connection, &wanted, limit + 1).map_err(StoreError::from)?;
    let is_more = held.len() > limit;
    held.truncate(limit);
    let next_cursor = held.last().filter(|_| is_more).map(|last| cursor_text(last.key));
    let numbers = held.iter().map(|held| held.stream).collect();
    let streams = table::streams_of(connection, &numbers).map_err(StoreError::from)?;
    let with_stream = |Held { stream, message, .. }| StreamMessage {
        stream_id: streams[&stream].stream_id.clone(),
        message,
    };
    let mut messages: Vec<StreamMessage> = held.into_iter().map(with_stream).collect();
    let removed = (query.near_duplicates == NearDuplicates::Drop).then(|| drop_near_duplicates(&mut messages));
    let mut streams: Vec<Stream> = streams.into_values().collect();
    if removed.is_some() {
        let left: BTreeSet<&str> = messages.iter().map(|message| message.stream_id.as_str()).collect();
        streams.retain(|stream| left.contains(stream.stream_id.as_str()));
    }
    streams.sort_by(|one, other| one.stream_id.cmp(&other.stream_id));
    Ok(page(query, messages, removed, streams, next_cursor))
}

fn stream_number(connection: &Connection, stream_id: &str) -> Result<i64, ApiError> {
    let known = table::stream(connection, stream_id).map_err(StoreError::from)?;
    let unknown = || {
        let reason = format!("no chat of stream `{stream_id}` is held");
        ApiError::not_found("unknown_stream", reason, "see /streams for the streams there are")
    };
    known.map(|(number, _)| number).ok_or_else(unknown)
}

/// Takes out what nearly repeats an earlier message of the page; says how many.
fn drop_near_duplicates(messages: &mut Vec<StreamMessage>) -> usize {
    let written: Vec<(String, &str)> = messages
        .iter()
        .map(|message| (message.message.user.to_lowercase(), message.message.message.as_str()))
        .collect();
    let repeats = near_duplicates(&written);
    let before = messages.len();
    let mut repeats = repeats.into_iter();
    messages.retain(|_| repeats.next().flatten().is_none());
    before - messages.len()
}

fn page(
    query: &ChatQuery,
    messages: Vec<StreamMessage>,
    near_duplicates_removed: Option<usize>,
    streams: Vec<Stream>,
    next_cursor: Option<String>,
) -> Answer {
    let only = if let [stream] = streams.as_slice() {
        Some(stream)
    } else {
        None
    };
    Answer {
        stream_id: only
            .map(|stream| stream.stream_id.clone())
            .or_else(|| query.stream_id.clone()),
        stream_date: only.map(|stream| stream.stream_date).or(query.date),
        total_messages: messages.len(),
        unique_users: unique_users(&messages),
        statistics: query.include_stats.unwrap_or(true).then(|| statistics(&messages)),
        messages,
        near_duplicates_removed,
        next_cursor,
        metadata: Metadata {
            format_version: "1.0",
            streams,
        },
    }
}

/// Refuses a query that cannot be meant; gives the size of the page.
fn check(query: &ChatQuery) -> Result<usize, ApiError> {
    if let (Some(start), Some(end)) = (query.start_time, query.end_time)
        && start > end
    {
        return Err(ApiError::bad_field(
            "end_time",
            format!("{end} is before start_time, {start}"),
            "swap the two",
        ));
    }
    if query.users.len() > limits::USERS {
        let reason = format!(
            "{} users are named, and {} is the most",
            query.users.len(),
            limits::USERS
        );
        return Err(ApiError::bad_field("users", reason, "ask in several questions"));
    }
    let limit = query.limit.unwrap_or(limits::PAGE);
    if !(1..=limits::PAGE).contains(&limit) {
        let reason = format!("{limit} is not from 1 to {}", limits::PAGE);
        return Err(ApiError::bad_field(
            "limit",
            reason,
            "ask for less, and for the rest by next_cursor",
        ));
    }
    Ok(limit)
}

/// Where a page ended. It says nothing of the task that gave it, so that another one with the same messages can go on.
fn cursor_text(Key { at, digest }: Key) -> String {
    format!("{at}~{digest}")
}

fn parse_cursor(text: &str) -> Result<Key, ApiError> {
    let key = text.split_once('~').and_then(|(at, digest)| {
        Some(Key {
            at: at.parse().ok()?,
            digest: digest.parse().ok()?,
        })
    });
    let reason = || ApiError::bad_field("cursor", "is none of ours", "send next_cursor as it was given");
    key.ok_or_else(reason)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use tokio::runtime::Runtime;

    use super::super::archive::Archive;
    use super::super::archive::tests::log;
    use super::*;
    use crate::store::Store;

    /// An archive with one stream per letter and the messages `(stream, second, user)`.
    fn archive(messages: &[(char, i64, u8)]) -> Archive {
        let archive = Archive::open(&Store::open(None, "karma-hello").unwrap(), None).unwrap();
        for &(stream, second, user) in messages {
            let user = format!("u{user}");
            archive
                .seed(&log(&stream.to_string(), &[(second, &user, "hola")]))
                .unwrap();
        }
        archive
    }

    fn ask(archive: &Archive, query: ChatQuery) -> Result<Answer, ApiError> {
        Runtime::new().unwrap().block_on(archive.answer(query))
    }

    fn pages(archive: &Archive, mut query: ChatQuery) -> Vec<StreamMessage> {
        let mut all = Vec::new();
        loop {
            let page = ask(archive, query.clone()).unwrap();
            assert!(page.messages.len() <= query.limit.unwrap() && page.total_messages == page.messages.len());
            all.extend(page.messages);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return all;
            }
        }
    }

    fn instant(second: i64) -> Timestamp {
        Timestamp::from_second(1_768_237_200 + second).unwrap()
    }

    /// What the query asks for, by going through everything.
    fn by_hand(messages: &[(char, i64, u8)], query: &ChatQuery) -> usize {
        let wanted = |(stream, second, user): &&(char, i64, u8)| {
            let user = format!("u{user}");
            query.stream_id.as_ref().is_none_or(|id| *id == stream.to_string())
                && query.start_time.is_none_or(|start| instant(*second) >= start)
                && query.end_time.is_none_or(|end| instant(*second) < end)
                && (query.users.is_empty() || query.users.iter().any(|wanted| wanted.to_lowercase() == user))
        };
        messages.iter().filter(wanted).collect::<BTreeSet<_>>().len()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn pages_together_are_the_whole(
            messages in proptest::collection::vec((prop::char::range('a', 'b'), 0_i64..6, 0_u8..4), 1..40),
            limit in 1_usize..7,
            users in proptest::collection::vec("[uU][0-3]", 0..3),
            start in proptest::option::of(0_i64..7),
            end in proptest::option::of(0_i64..7),
            is_one_stream in any::<bool>(),
        ) {
            prop_assume!(start.is_none() || end.is_none() || start <= end);
            let archive = archive(&messages);
            let query = |limit| ChatQuery {
                limit: Some(limit),
                users: users.clone(),
                start_time: start.map(instant),
                end_time: end.map(instant),
                stream_id: is_one_stream.then(|| messages[0].0.to_string()),
                ..ChatQuery::default()
            };
            let whole = ask(&archive, query(1000)).unwrap();
            prop_assert_eq!(whole.messages.len(), by_hand(&messages, &query(1)));
            prop_assert!(whole.messages.is_sorted_by_key(|message| message.message.timestamp));
            prop_assert_eq!(pages(&archive, query(limit)), whole.messages);
            prop_assert_eq!(whole.next_cursor, None);
        }

        #[test]
        fn no_cursor_panics(cursor in ".{0,40}") {
            let _ = parse_cursor(&cursor);
        }
    }

    #[test]
    fn what_nearly_repeats_can_be_left_out_and_is_not_in_the_statistics() {
        let archive = archive(&[]);
        let spam = [
            (0, "bot", "buy followers now at example"),
            (1, "bot", "Buy followers NOW at example!!"),
            (2, "ana", "gg"),
        ];
        archive.seed(&log("a", &spam)).unwrap();
        let query = ChatQuery {
            near_duplicates: NearDuplicates::Drop,
            ..ChatQuery::default()
        };
        let answer = ask(&archive, query).unwrap();
        assert_eq!((answer.total_messages, answer.near_duplicates_removed), (2, Some(1)));
        assert_eq!(ask(&archive, ChatQuery::default()).unwrap().total_messages, 3);
    }
}
