//! Figures of exactly the messages they are given with.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::chat::StreamMessage;
use crate::text::{count_emoji, count_links, is_question};

/// How many of the most active users are named.
const MOST_ACTIVE: usize = 5;

/// Figures of some messages.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Statistics {
    /// Over the time from the first to the last message; none where that is no time.
    pub(super) messages_per_minute: Option<f64>,
    pub(super) most_active_users: Vec<ActiveUser>,
    pub(super) emoji_count: usize,
    pub(super) link_count: usize,
    /// How many messages ask something.
    pub(super) question_count: usize,
}

/// How much one user wrote.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ActiveUser {
    pub(super) user: String,
    pub(super) messages: usize,
}

/// Messages per user, by the name in lower case; the spelling is that of the user's first message.
fn users(messages: &[StreamMessage]) -> BTreeMap<String, ActiveUser> {
    let mut users = BTreeMap::new();
    for StreamMessage { message, .. } in messages {
        let active = users.entry(message.user.to_lowercase()).or_insert_with(|| ActiveUser {
            user: message.user.clone(),
            messages: 0,
        });
        active.messages += 1;
    }
    users
}

/// How many users there are.
pub(super) fn unique_users(messages: &[StreamMessage]) -> usize {
    let spellings: BTreeSet<&str> = messages.iter().map(|message| message.message.user.as_str()).collect();
    let names: BTreeSet<String> = spellings.iter().map(|spelling| spelling.to_lowercase()).collect();
    names.len()
}

/// Counts everything. The messages are in order of time.
pub(super) fn statistics(messages: &[StreamMessage]) -> Statistics {
    let texts = || messages.iter().map(|message| message.message.message.as_str());
    Statistics {
        messages_per_minute: messages_per_minute(messages),
        most_active_users: most_active(messages),
        emoji_count: texts().map(count_emoji).sum(),
        link_count: texts().map(count_links).sum(),
        question_count: texts().filter(|text| is_question(text)).count(),
    }
}

fn messages_per_minute(messages: &[StreamMessage]) -> Option<f64> {
    let first = messages.first()?.message.timestamp;
    let last = messages.last()?.message.timestamp;
    let seconds = last.duration_since(first).as_secs_f64();
    let rate = messages.len() as f64 * 60.0 / seconds;
    (seconds > 0.0).then(|| (rate * 100.0).round() / 100.0)
}

fn most_active(messages: &[StreamMessage]) -> Vec<ActiveUser> {
    let mut active: Vec<ActiveUser> = users(messages).into_values().collect();
    // A stable sort: equals stay in order of their names.
    active.sort_by_key(|user| std::cmp::Reverse(user.messages));
    active.truncate(MOST_ACTIVE);
    active
}
