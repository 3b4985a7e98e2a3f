//! How much a user turns to others.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ratio;
use crate::chat::StreamMessage;
use crate::text::{count_links, mentions};

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Engagement {
    /// The share of messages that address someone by name.
    mention_share: Option<f64>,
    /// How many different users are addressed.
    users_mentioned: usize,
    links_shared: usize,
    streams_attended: usize,
}

impl Engagement {
    pub(super) fn of(messages: &[StreamMessage]) -> Engagement {
        let texts = || messages.iter().map(|message| message.message.message.as_str());
        let addressing = texts().filter(|text| !mentions(text).is_empty()).count();
        let streams: BTreeSet<&str> = messages.iter().map(|message| message.stream_id.as_str()).collect();
        Engagement {
            mention_share: ratio(addressing, messages.len()),
            users_mentioned: texts().flat_map(mentions).collect::<BTreeSet<_>>().len(),
            links_shared: texts().map(count_links).sum(),
            streams_attended: streams.len(),
        }
    }
}
