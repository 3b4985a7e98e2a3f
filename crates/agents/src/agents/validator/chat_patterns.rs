//! What is suspicious in a chat as a whole: machines that write, and the same said again and again in other words.

use std::collections::BTreeMap;

use super::chat_checks::{ENOUGH, MOST_REGULAR, fraud, pauses, regularity, share};
use super::chat_data::{ChatData, Whole};
use super::score::Deduction;
use crate::text::near_duplicates;

/// People repeat themselves; not from this share of the messages on.
const REPEATING: f64 = 0.2;

/// Much of the chat nearly repeats earlier messages: of the same user, or copied from others.
pub(super) fn repetition(data: &ChatData) -> Vec<Deduction> {
    let mut messages = data.in_order();
    // The very same message twice is another check's.
    messages.dedup_by_key(|message| (message.timestamp, message.user, message.text));
    let written: Vec<(&str, &str)> = messages.iter().map(|message| (message.user, message.text)).collect();
    let repeats = near_duplicates(&written);
    let repeating: Vec<(&Whole, usize)> = messages
        .iter()
        .zip(&repeats)
        .filter_map(|(message, repeats)| repeats.map(|earlier| (message, earlier)))
        .collect();
    let part = share(repeating.len(), messages.len());
    if messages.len() < ENOUGH || part < REPEATING {
        return Vec::new();
    }
    let reason = format!(
        "{} of {} messages nearly repeat an earlier one.",
        repeating.len(),
        messages.len()
    );
    let evidence = repeating
        .iter()
        .map(|(message, earlier)| format!("{} repeats messages[{}]", message.cite(), messages[*earlier].index));
    vec![fraud("repetition", part.min(0.5), reason, evidence)]
}

/// A user's pauses are all alike, as a machine makes them, though the chat's are not.
pub(super) fn machines(data: &ChatData) -> Vec<Deduction> {
    let mut by_user: BTreeMap<String, Vec<Whole>> = BTreeMap::new();
    for message in data.in_order() {
        by_user.entry(message.user.to_lowercase()).or_default().push(message);
    }
    // One user alone is the whole chat, of which `clockwork` speaks.
    if by_user.len() < 2 {
        return Vec::new();
    }
    let is_machine = |messages: &&Vec<Whole>| {
        messages.len() >= ENOUGH && regularity(&pauses(messages)).is_some_and(|varies| varies < MOST_REGULAR)
    };
    let users: Vec<String> = by_user
        .values()
        .filter(is_machine)
        .map(|messages| messages[0].cite())
        .collect();
    if users.is_empty() {
        return Vec::new();
    }
    let reason = format!("{} users write at intervals that no person keeps.", users.len());
    vec![fraud("machines", (0.2 * users.len() as f64).min(0.4), reason, users)]
}
