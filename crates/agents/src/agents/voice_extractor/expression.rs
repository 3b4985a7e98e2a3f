//! How a user shows feeling: emoji, laughter, exclamations.

use serde::Serialize;

use super::lexicon::Lexicon;
use super::{ratio, share};
use crate::text::count_emoji;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Expression {
    emoji: usize,
    emoji_per_message: Option<f64>,
    /// The share of messages with an emoji.
    emoji_share: Option<f64>,
    /// The share of messages with a written laugh.
    laughter_share: Option<f64>,
    /// The share of messages with an exclamation mark.
    exclamation_share: Option<f64>,
}

impl Expression {
    pub(super) fn of(lexicon: &Lexicon, texts: &[&str]) -> Expression {
        let emoji = texts.iter().map(|text| count_emoji(text)).sum();
        Expression {
            emoji,
            emoji_per_message: ratio(emoji, texts.len()),
            emoji_share: share(texts, |text| count_emoji(text) > 0),
            laughter_share: share(texts, |text| !lexicon.laughter.find(text).is_empty()),
            exclamation_share: share(texts, |text| text.contains('!')),
        }
    }
}
