//! What the two extractors share: what is asked of them, and what they say of the messages they read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::card::hex;
use crate::chat::StreamMessage;
use crate::error::ApiError;
use crate::karma_hello_client::{KarmaHello, Span, UserMessages};
use crate::limits;
use crate::trace::Trace;

/// How much of a profile is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Detail {
    Basic,
    Standard,
    #[default]
    Complete,
}

/// Days, both included, in UTC.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DateRange {
    start_date: Option<Date>,
    end_date: Option<Date>,
}

/// What a profile was computed from.
#[derive(Debug, Serialize)]
pub(crate) struct DataCoverage {
    messages: usize,
    streams: usize,
    /// Days on which the user wrote.
    days: usize,
    first_message: Timestamp,
    last_message: Timestamp,
    /// Whether there were more messages than one profile takes.
    truncated: bool,
}

/// What exactly a result was computed from: another one differs in one of these.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ComputedFrom {
    messages: usize,
    /// Of the ids of these messages, in their order.
    messages_digest: String,
    /// The version of the lists of words: of the file's bytes.
    dictionary: String,
    /// Of this program.
    version: &'static str,
}

/// A message quoted to prove something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Quote {
    message_id: String,
    message: String,
    timestamp: Timestamp,
    stream_id: String,
}

/// The messages of a user, of whom there must be some.
pub(crate) async fn messages_for_profile(
    karma_hello: &KarmaHello,
    username: &str,
    range: DateRange,
    trace: &Trace,
) -> Result<UserMessages, ApiError> {
    let length = username.chars().count();
    if username.trim().is_empty() || length > limits::NAME_CHARACTERS {
        let reason = format!("has {length} characters, which is no user's name");
        return Err(ApiError::bad_field(
            "username",
            reason,
            "name one user as the chat does",
        ));
    }
    let found = karma_hello.messages_of(username, range.span()?, trace).await?;
    if found.messages.is_empty() {
        let reason = format!("karma-hello holds no message of `{username}` in that time");
        return Err(ApiError::not_found(
            "unknown_user",
            reason,
            "check the name, or widen date_range",
        ));
    }
    Ok(found)
}

impl DateRange {
    fn span(self) -> Result<Span, ApiError> {
        if let (Some(start), Some(end)) = (self.start_date, self.end_date)
            && start > end
        {
            let reason = format!("{end} is before start_date, {start}");
            return Err(ApiError::bad_field("date_range.end_date", reason, "swap the two"));
        }
        Ok(Span {
            start: self
                .start_date
                .map(|date| midnight("date_range.start_date", date))
                .transpose()?,
            end: self
                .end_date
                .map(|date| end_of(date).ok_or_else(|| out_of_range("date_range.end_date")))
                .transpose()?,
        })
    }
}

fn midnight(field: &str, date: Date) -> Result<Timestamp, ApiError> {
    date.to_zoned(TimeZone::UTC)
        .map(|midnight| midnight.timestamp())
        .map_err(|_| out_of_range(field))
}

/// The first instant after a day.
fn end_of(date: Date) -> Option<Timestamp> {
    date.tomorrow()
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|midnight| midnight.timestamp())
}

fn out_of_range(field: &str) -> ApiError {
    ApiError::bad_field(field, "is beyond the calendar", "give a day of this era")
}

impl DataCoverage {
    /// Of these messages; `None` of none.
    pub(crate) fn of(found: &UserMessages) -> Option<DataCoverage> {
        let streams: BTreeSet<&str> = found
            .messages
            .iter()
            .map(|message| message.stream_id.as_str())
            .collect();
        let days: BTreeSet<Date> = found
            .messages
            .iter()
            .map(|message| day(message.message.timestamp))
            .collect();
        Some(DataCoverage {
            messages: found.messages.len(),
            streams: streams.len(),
            days: days.len(),
            first_message: found.messages.first()?.message.timestamp,
            last_message: found.messages.last()?.message.timestamp,
            truncated: found.is_truncated,
        })
    }
}

impl ComputedFrom {
    /// These messages and this version of the dictionary.
    pub(crate) fn of(messages: &[StreamMessage], dictionary: &str) -> ComputedFrom {
        let mut digest = Sha256::new();
        for message in messages {
            digest.update(message.id());
        }
        ComputedFrom {
            messages: messages.len(),
            messages_digest: format!("sha256:{}", hex(&digest.finalize())),
            dictionary: dictionary.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

fn day(timestamp: Timestamp) -> Date {
    timestamp.to_zoned(TimeZone::UTC).date()
}

impl Quote {
    pub(crate) fn of(message: &StreamMessage) -> Quote {
        Quote {
            message_id: message.id(),
            message: message.message.message.clone(),
            timestamp: message.message.timestamp,
            stream_id: message.stream_id.clone(),
        }
    }
}

/// How sure `evidence` pieces make one, from 0 towards 1: a half where there are `half` of them.
pub(crate) fn confidence(evidence: usize, half: usize) -> f64 {
    round(evidence as f64 / (evidence + half).max(1) as f64)
}

/// A figure with three decimals: more would pretend to be exact.
pub(crate) fn round(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chat::Message;

    fn messages(written: &[(i64, String)]) -> Vec<StreamMessage> {
        let message = |(second, text): &(i64, String)| StreamMessage {
            stream_id: "s".to_owned(),
            message: Message {
                timestamp: Timestamp::from_second(*second).unwrap(),
                user: "ana".to_owned(),
                message: text.clone(),
                user_badges: Vec::new(),
            },
        };
        written.iter().map(message).collect()
    }

    proptest! {
        #[test]
        fn other_messages_or_another_dictionary_are_told_apart(
            one in proptest::collection::vec((0_i64..3, "[ab]{0,2}"), 0..4),
            other in proptest::collection::vec((0_i64..3, "[ab]{0,2}"), 0..4),
        ) {
            let of = |written: &[(i64, String)], dictionary| ComputedFrom::of(&messages(written), dictionary);
            prop_assert_eq!(of(&one, "v1") == of(&other, "v1"), one == other);
            prop_assert_ne!(of(&one, "v1"), of(&one, "v2"));
        }
    }
}
