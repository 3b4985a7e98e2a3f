//! Chat logs, as karma-hello takes and gives them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::card::hex;

/// The chat of one stream, or a part of it: a file `chat_logs_YYYYMMDD.json`, or the body of `POST /chat_logs`.
///
/// `statistics` and `metadata`, which files may hold, are not read: they are counted anew when asked for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ChatLog {
    pub(crate) stream_id: String,
    pub(crate) stream_date: Date,
    pub(crate) stream_title: String,
    pub(crate) streamer: String,
    pub(crate) duration_minutes: Option<u32>,
    /// What the log says it holds; refused where that is not so.
    pub(crate) total_messages: Option<usize>,
    /// As above, for users.
    pub(crate) unique_users: Option<usize>,
    pub(crate) messages: Vec<Message>,
}

/// What is known of a stream beside its messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Stream {
    pub(crate) stream_id: String,
    pub(crate) stream_date: Date,
    pub(crate) stream_title: String,
    pub(crate) streamer: String,
    pub(crate) duration_minutes: Option<u32>,
}

impl ChatLog {
    /// What the log knows of its stream.
    pub(crate) fn stream(&self) -> Stream {
        Stream {
            stream_id: self.stream_id.clone(),
            stream_date: self.stream_date,
            stream_title: self.stream_title.clone(),
            streamer: self.streamer.clone(),
            duration_minutes: self.duration_minutes,
        }
    }
}

/// One message. Two are the same when their stream, instant, user and text are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Message {
    pub(crate) timestamp: Timestamp,
    pub(crate) user: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) user_badges: Vec<String>,
}

/// A message together with the stream it was written in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct StreamMessage {
    pub(crate) stream_id: String,
    #[serde(flatten)]
    pub(crate) message: Message,
}

impl StreamMessage {
    /// Names the message: the same for the same stream, instant, user and text, and for no other.
    pub(crate) fn id(&self) -> String {
        let Message {
            timestamp,
            user,
            message,
            ..
        } = &self.message;
        let key = serde_json::json!([self.stream_id, timestamp, user, message]);
        hex(&Sha256::digest(key.to_string())[..12])
    }
}

/// What `/get_chat_logs` is asked. Every field narrows the answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_id: Option<String>,
    /// The day of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Date>,
    /// No message before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_time: Option<Timestamp>,
    /// No message at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<Timestamp>,
    /// Only messages of these users; of all, where empty. Letter case does not matter.
    #[serde(
        default,
        deserialize_with = "crate::input::names",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) users: Vec<String>,
    /// The most messages in one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) include_stats: Option<bool>,
    /// What to do with messages that nearly repeat an earlier one of the same page.
    #[serde(default, skip_serializing_if = "NearDuplicates::is_default")]
    pub(crate) near_duplicates: NearDuplicates,
    /// `next_cursor` of the answer before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// What to do with messages that nearly repeat an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NearDuplicates {
    #[default]
    Keep,
    Drop,
}

impl NearDuplicates {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    fn is_default(&self) -> bool {
        *self == NearDuplicates::default()
    }
}
