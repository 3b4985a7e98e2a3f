//! Reading a chat log that may be wrong in any way: what cannot be read is a finding, not an error.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// A chat log as far as it can be read.
#[derive(Debug)]
pub(super) struct ChatData<'d> {
    pub(super) messages: Vec<ReadMessage<'d>>,
    pub(super) stream_date: Option<Date>,
    pub(super) claims: Claims,
}

/// What the log says of itself.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) messages: Option<u64>,
    pub(super) users: Option<u64>,
    pub(super) emoji: Option<u64>,
    pub(super) links: Option<u64>,
    pub(super) questions: Option<u64>,
}

/// A message as far as it can be read.
#[derive(Debug)]
pub(super) struct ReadMessage<'d> {
    pub(super) index: usize,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) user: Option<&'d str>,
    pub(super) text: Option<&'d str>,
}

/// A message of which everything can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whole<'d> {
    pub(super) timestamp: Timestamp,
    pub(super) user: &'d str,
    pub(super) text: &'d str,
    pub(super) index: usize,
}

impl<'d> ChatData<'d> {
    /// Refuses only what has no messages to look at.
    pub(super) fn read(data: &'d Map<String, Value>) -> Result<ChatData<'d>, ApiError> {
        let messages = list(data, "messages")?;
        let claim = |name| data.get(name).and_then(Value::as_u64);
        let statistic = |name| {
            data.get("statistics")
                .and_then(|all| all.get(name))
                .and_then(Value::as_u64)
        };
        Ok(ChatData {
            messages: messages
                .iter()
                .enumerate()
                .map(|(index, message)| ReadMessage::read(index, message))
                .collect(),
            stream_date: data
                .get("stream_date")
                .and_then(Value::as_str)
                .and_then(|date| date.parse().ok()),
            claims: Claims {
                messages: claim("total_messages"),
                users: claim("unique_users"),
                emoji: statistic("emoji_count"),
                links: statistic("link_count"),
                questions: statistic("question_count"),
            },
        })
    }

    /// The users, lower case.
    pub(super) fn users(&self) -> BTreeSet<String> {
        self.messages
            .iter()
            .filter_map(|message| message.user)
            .map(str::to_lowercase)
            .collect()
    }

    /// The messages of which everything can be read, as they stand in the log.
    pub(super) fn whole(&self) -> impl Iterator<Item = Whole<'d>> {
        self.messages.iter().filter_map(ReadMessage::whole)
    }

    /// The same in order of time.
    pub(super) fn in_order(&self) -> Vec<Whole<'d>> {
        let mut messages: Vec<Whole> = self.whole().collect();
        messages.sort();
        messages
    }
}

impl<'d> ReadMessage<'d> {
    fn read(index: usize, message: &'d Value) -> ReadMessage<'d> {
        let text = |name| {
            message
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
        };
        let timestamp = text("timestamp").and_then(|timestamp| timestamp.parse().ok());
        ReadMessage {
            index,
            timestamp,
            user: text("user"),
            text: text("message"),
        }
    }

    fn whole(&self) -> Option<Whole<'d>> {
        Some(Whole {
            timestamp: self.timestamp?,
            user: self.user?,
            text: self.text?,
            index: self.index,
        })
    }
}

impl Whole<'_> {
    /// Where it stands and what it says, as evidence.
    pub(super) fn cite(&self) -> String {
        format!(
            "messages[{}] {} {}: {}",
            self.index, self.timestamp, self.user, self.text
        )
    }
}

/// A list in the data.
pub(super) fn list<'d>(data: &'d Map<String, Value>, name: &str) -> Result<&'d Vec<Value>, ApiError> {
    let list = data.get(name).and_then(Value::as_array);
    let field = format!("data_content.{name}");
    list.ok_or_else(|| ApiError::bad_field(field, "is no list", "send the data set as it is sold"))
}
