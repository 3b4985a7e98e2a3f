//! Which idioms a user uses.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lexicon::Lexicon;
use crate::chat::StreamMessage;
use crate::profile::Quote;
use crate::text::Language;

/// An idiom in use.
#[derive(Debug, Serialize)]
pub(super) struct Idiom {
    idiom: String,
    language: Language,
    times: usize,
    /// The first message with it.
    example: Quote,
}

/// The idioms in the messages, the commonest first.
pub(super) fn idioms(lexicon: &Lexicon, messages: &[StreamMessage]) -> Vec<Idiom> {
    let mut found: BTreeMap<usize, (usize, &StreamMessage)> = BTreeMap::new();
    for message in messages {
        for number in lexicon.idioms.find(&message.message.message) {
            found.entry(number).or_insert((0, message)).0 += 1;
        }
    }
    let idiom = |(number, (times, message)): (usize, (usize, &StreamMessage))| {
        let expression = lexicon.expressions[number].clone();
        Idiom {
            idiom: expression.phrase,
            language: expression.language,
            times,
            example: Quote::of(message),
        }
    };
    let mut idioms: Vec<Idiom> = found.into_iter().map(idiom).collect();
    idioms.sort_by_key(|idiom| std::cmp::Reverse(idiom.times));
    idioms
}
