//! The messages in memory, in order of time.
//!
//! A message's identity is its key, so that a log sent twice, or half of it again, changes nothing. The order of keys
//! is the order of answers, and it is the same in every task that holds the same messages.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::chat::{ChatLog, Message, Stream, StreamMessage};
use crate::error::ApiError;
use crate::limits;

/// Everything karma-hello knows.
#[derive(Debug, Default)]
pub(super) struct Store {
    streams: BTreeMap<String, Stored>,
    messages: BTreeMap<Key, Vec<String>>,
}

#[derive(Debug)]
struct Stored {
    stream: Stream,
    messages: usize,
}

/// What makes a message itself, in the order of answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) timestamp: Timestamp,
    pub(super) stream_id: String,
    pub(super) user: String,
    text: String,
}

/// A message where it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'s> {
    pub(super) key: &'s Key,
    badges: &'s [String],
}

/// What became of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Added {
    pub(super) added: usize,
    pub(super) already_known: usize,
}

/// A stream and how many messages are held of it.
#[derive(Debug, Serialize)]
pub(super) struct StreamCount<'s> {
    #[serde(flatten)]
    stream: &'s Stream,
    messages: usize,
}

impl Store {
    /// Takes the messages that are new. Nothing is taken of a log that contradicts what is known of its stream.
    pub(super) fn add(&mut self, log: ChatLog) -> Result<Added, ApiError> {
        self.check_room(log.messages.len())?;
        let (stream_id, stream) = (log.stream_id.clone(), log.stream());
        let stored = self.streams.entry(stream_id.clone()).or_insert_with(|| Stored {
            stream: stream.clone(),
            messages: 0,
        });
        if stored.stream != stream {
            return Err(contradiction(&stored.stream));
        }
        let received = log.messages.len();
        let before = self.messages.len();
        for Message {
            timestamp,
            user,
            message: text,
            user_badges,
        } in log.messages
        {
            let key = Key {
                timestamp,
                stream_id: stream_id.clone(),
                user,
                text,
            };
            self.messages.entry(key).or_insert(user_badges);
        }
        let added = self.messages.len() - before;
        stored.messages += added;
        Ok(Added {
            added,
            already_known: received - added,
        })
    }

    /// The stream of this id.
    pub(super) fn stream(&self, stream_id: &str) -> Option<&Stream> {
        self.streams.get(stream_id).map(|stored| &stored.stream)
    }

    /// Every stream, by id.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamCount<'_>> {
        self.streams.values().map(|Stored { stream, messages }| StreamCount {
            stream,
            messages: *messages,
        })
    }

    /// The messages from an instant on, in their order.
    pub(super) fn messages_from(&self, start: Timestamp) -> impl Iterator<Item = Held<'_>> {
        let first = Key {
            timestamp: start,
            stream_id: String::new(),
            user: String::new(),
            text: String::new(),
        };
        self.messages.range(first..).map(|(key, badges)| Held { key, badges })
    }

    fn check_room(&self, more: usize) -> Result<(), ApiError> {
        if self.messages.len() + more <= limits::STORED_MESSAGES {
            return Ok(());
        }
        let reason = format!(
            "{} messages are held, and {} is the most",
            self.messages.len(),
            limits::STORED_MESSAGES
        );
        Err(ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            reason,
            "ask another agent to keep it",
        ))
    }
}

impl Held<'_> {
    /// A copy to give away.
    pub(super) fn message(self) -> StreamMessage {
        let Key {
            timestamp,
            stream_id,
            user,
            text,
        } = self.key.clone();
        let message = Message {
            timestamp,
            user,
            message: text,
            user_badges: self.badges.to_vec(),
        };
        StreamMessage { stream_id, message }
    }
}

fn contradiction(known: &Stream) -> ApiError {
    let reason = format!(
        "stream `{}` is known as `{}` of {} by {}, with another title, day, streamer or duration than sent",
        known.stream_id, known.stream_title, known.stream_date, known.streamer
    );
    ApiError::new(
        StatusCode::CONFLICT,
        "contradiction",
        reason,
        "send what is known, or choose another stream_id",
    )
}
