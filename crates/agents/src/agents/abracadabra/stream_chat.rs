//! The chat of a transcript's stream, bought from karma-hello: what the audience wrote about each topic.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::topics::{Topic, topics};
use super::transcript::Transcript;
use crate::chat::{ChatQuery, StreamMessage};
use crate::error::ApiError;
use crate::karma_hello_client::{KarmaHello, KarmaHelloError, UserMessages};
use crate::profile::{ComputedFrom, Quote};
use crate::text::Phrases;
use crate::trace::Trace;

/// How many messages are quoted for a topic.
const QUOTES: usize = 3;

/// Which stream is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamChatQuery {
    pub(super) stream_id: String,
}

/// The topics of a stream with what the chat said of them.
#[derive(Debug, Serialize)]
pub(super) struct StreamChat {
    stream_id: String,
    messages: usize,
    users: usize,
    /// Whether there was more chat than was read.
    truncated: bool,
    topics: Vec<DiscussedTopic>,
    computed_from: ComputedFrom,
}

#[derive(Debug, Serialize)]
struct DiscussedTopic {
    #[serde(flatten)]
    topic: Topic,
    /// How many messages hold one of its phrases.
    messages: usize,
    quotes: Vec<Quote>,
}

/// Fetches the chat, and tells what it says of each topic.
pub(super) async fn stream_chat(
    karma_hello: Option<&KarmaHello>,
    transcript: &Transcript,
    trace: &Trace,
) -> Result<StreamChat, ApiError> {
    let karma_hello = karma_hello.ok_or_else(no_karma_hello)?;
    let query = ChatQuery {
        stream_id: Some(transcript.stream_id.clone()),
        ..ChatQuery::default()
    };
    let found = karma_hello.messages(query, trace).await;
    let found = found.map_err(|error| no_chat(error, &transcript.stream_id))?;
    Ok(discussed(transcript, &found))
}

fn discussed(transcript: &Transcript, found: &UserMessages) -> StreamChat {
    let messages = &found.messages;
    let users: BTreeSet<String> = messages
        .iter()
        .map(|message| message.message.user.to_lowercase())
        .collect();
    let topics = topics(&transcript.transcript);
    StreamChat {
        stream_id: transcript.stream_id.clone(),
        messages: messages.len(),
        users: users.len(),
        truncated: found.is_truncated,
        topics: topics.into_iter().map(|topic| topic_in(topic, messages)).collect(),
        computed_from: ComputedFrom::of(messages, "none"),
    }
}

fn topic_in(topic: Topic, messages: &[StreamMessage]) -> DiscussedTopic {
    let phrases = Phrases::new(topic.phrases.iter().map(|phrase| (phrase, 0)));
    let phrases = phrases.expect("topics come from a text's own words, each phrase once");
    let about: Vec<&StreamMessage> = messages
        .iter()
        .filter(|message| !phrases.find(&message.message.message).is_empty())
        .collect();
    DiscussedTopic {
        topic,
        messages: about.len(),
        quotes: about.iter().take(QUOTES).map(|message| Quote::of(message)).collect(),
    }
}

fn no_karma_hello() -> ApiError {
    let reason = "no karma-hello is configured (KARMA_HELLO_URL)";
    let help = "ask karma-hello itself for the chat";
    ApiError::new(StatusCode::NOT_IMPLEMENTED, "no_karma_hello", reason, help)
}

fn no_chat(error: KarmaHelloError, stream_id: &str) -> ApiError {
    match error {
        KarmaHelloError::Refused {
            status: StatusCode::NOT_FOUND,
            ..
        } => {
            let reason = format!("karma-hello holds no chat of stream `{stream_id}`");
            ApiError::not_found("unknown_chat", reason, "ask for another stream")
        }
        other => other.into(),
    }
}
