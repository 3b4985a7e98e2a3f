//! Answering `/get_chat_logs`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::statistics::{Statistics, statistics, users};
use super::store::{Held, Key, Store};
use crate::chat::{ChatQuery, Stream, StreamMessage};
use crate::error::ApiError;
use crate::limits;

/// One page of messages. Every count is of the messages in it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// The stream of all messages, where they are of one.
    stream_id: Option<String>,
    stream_date: Option<Date>,
    total_messages: usize,
    unique_users: usize,
    messages: Vec<StreamMessage>,
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
pub(super) fn answer(store: &Store, query: &ChatQuery) -> Result<Answer, ApiError> {
    let limit = check(store, query)?;
    let cursor = query.cursor.as_deref().map(Cursor::parse).transpose()?;
    let start = query
        .start_time
        .max(cursor.map(|cursor| cursor.timestamp))
        .unwrap_or(Timestamp::MIN);
    let wanted = Wanted::new(query);
    let mut given_at_cursor = cursor.map_or(0, |cursor| cursor.given);
    let mut matching = store
        .messages_from(start)
        .take_while(|message| query.end_time.is_none_or(|end| message.key.timestamp < end))
        .filter(|message| wanted.includes(store, message.key))
        .skip_while(|message| {
            let is_given = given_at_cursor > 0 && cursor.is_some_and(|at| at.timestamp == message.key.timestamp);
            given_at_cursor -= usize::from(is_given);
            is_given
        });
    let messages: Vec<StreamMessage> = matching.by_ref().take(limit).map(Held::message).collect();
    let next = matching.next().and_then(|_| Cursor::after(&messages, cursor));
    Ok(page(store, query, messages, next))
}

fn page(store: &Store, query: &ChatQuery, messages: Vec<StreamMessage>, next: Option<Cursor>) -> Answer {
    let mut ids: Vec<&str> = messages.iter().map(|message| message.stream_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let streams: Vec<Stream> = ids.into_iter().filter_map(|id| store.stream(id).cloned()).collect();
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
        unique_users: users(&messages).len(),
        statistics: query.include_stats.unwrap_or(true).then(|| statistics(&messages)),
        messages,
        next_cursor: next.map(Cursor::text),
        metadata: Metadata {
            format_version: "1.0",
            streams,
        },
    }
}

/// Refuses a query that cannot be meant; gives the size of the page.
fn check(store: &Store, query: &ChatQuery) -> Result<usize, ApiError> {
    if let Some(id) = query.stream_id.as_deref().filter(|id| store.stream(id).is_none()) {
        let reason = format!("no chat of stream `{id}` is held");
        return Err(ApiError::not_found(
            "unknown_stream",
            reason,
            "see /streams for the streams there are",
        ));
    }
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

/// The filters that look at each message.
struct Wanted<'q> {
    query: &'q ChatQuery,
    users: Vec<String>,
}

impl<'q> Wanted<'q> {
    fn new(query: &'q ChatQuery) -> Wanted<'q> {
        Wanted {
            query,
            users: query.users.iter().map(|user| user.to_lowercase()).collect(),
        }
    }

    fn includes(&self, store: &Store, message: &Key) -> bool {
        let date = |id: &str| store.stream(id).map(|stream| stream.stream_date);
        self.query.stream_id.as_ref().is_none_or(|id| *id == message.stream_id)
            && self
                .query
                .date
                .is_none_or(|wanted| date(&message.stream_id) == Some(wanted))
            && (self.users.is_empty() || self.users.contains(&message.user.to_lowercase()))
    }
}

/// Where a page ended: the instant of its last message, and how many matching ones of that instant are given.
///
/// It says nothing of the task that gave it, so another one with the same messages can go on from it.
#[derive(Clone, Copy)]
struct Cursor {
    timestamp: Timestamp,
    given: usize,
}

impl Cursor {
    fn parse(text: &str) -> Result<Cursor, ApiError> {
        let parts = text.split_once('~');
        let cursor = parts.and_then(|(timestamp, given)| {
            Some(Cursor {
                timestamp: timestamp.parse().ok()?,
                given: given.parse().ok()?,
            })
        });
        let reason = || ApiError::bad_field("cursor", "is none of ours", "send next_cursor as it was given");
        cursor.ok_or_else(reason)
    }

    fn after(messages: &[StreamMessage], before: Option<Cursor>) -> Option<Cursor> {
        let timestamp = messages.last()?.message.timestamp;
        let here = messages
            .iter()
            .rev()
            .take_while(|message| message.message.timestamp == timestamp)
            .count();
        let earlier = before
            .filter(|before| before.timestamp == timestamp)
            .map_or(0, |before| before.given);
        Some(Cursor {
            timestamp,
            given: here + earlier,
        })
    }

    fn text(self) -> String {
        format!("{}~{}", self.timestamp, self.given)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A store with one stream per letter and the messages `(stream, second, user)`.
    fn store(messages: &[(char, i64, u8)]) -> Store {
        let mut store = Store::default();
        for &(stream, second, user) in messages {
            let timestamp = Timestamp::from_second(1_768_240_800 + second).unwrap();
            let log = json!({
                "stream_id": stream, "stream_date": "2026-01-12", "stream_title": "t", "streamer": "s",
                "messages": [{ "timestamp": timestamp, "user": format!("u{user}"), "message": "hola" }],
            });
            store.add(serde_json::from_value(log).unwrap()).unwrap();
        }
        store
    }

    fn pages(store: &Store, mut query: ChatQuery) -> Vec<StreamMessage> {
        let mut all = Vec::new();
        loop {
            let page = answer(store, &query).unwrap();
            assert!(page.messages.len() <= query.limit.unwrap() && page.total_messages == page.messages.len());
            all.extend(page.messages);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return all;
            }
        }
    }

    proptest! {
        #[test]
        fn pages_together_are_the_whole(
            messages in proptest::collection::vec((prop::char::range('a', 'b'), 0_i64..6, 0_u8..4), 0..40),
            limit in 1_usize..7,
            users in proptest::collection::vec("[uU][0-3]", 0..3),
            end in proptest::option::of(0_i64..7),
        ) {
            let store = store(&messages);
            let end_time = end.map(|second| Timestamp::from_second(1_768_240_800 + second).unwrap());
            let query = |limit| ChatQuery { limit: Some(limit), users: users.clone(), end_time, ..ChatQuery::default() };
            let whole = answer(&store, &query(1000)).unwrap();
            prop_assert_eq!(pages(&store, query(limit)), whole.messages);
            prop_assert_eq!(whole.next_cursor, None);
        }

        #[test]
        fn no_cursor_panics(cursor in ".{0,40}") {
            let _ = answer(&store(&[('a', 0, 0)]), &ChatQuery { cursor: Some(cursor), ..ChatQuery::default() });
        }
    }
}
