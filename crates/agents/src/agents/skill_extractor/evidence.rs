//! From messages to traits: what is told how often, and quoted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dictionary::{Dictionary, Kind};
use crate::chat::StreamMessage;
use crate::profile::{Quote, confidence};

/// How much evidence makes one half sure.
const HALF_SURE: usize = 3;
/// A message in which the user tells what he did himself proves a skill better than one that only names it.
const PRACTICE_WEIGHT: usize = 2;
/// How many messages are quoted for a trait.
const QUOTES: usize = 3;

/// A skill, a tool or an interest, with its proof.
#[derive(Debug, Serialize)]
pub(super) struct Trait {
    pub(super) name: String,
    parent: String,
    /// From 0 towards 1; grows with the evidence only.
    pub(super) confidence: f64,
    /// How many messages tell of it.
    pub(super) messages: usize,
    /// In how many of them the user tells what he did himself.
    pub(super) practised: usize,
    /// Of these messages the best: told from practice first, then the earliest.
    evidence: Vec<Quote>,
}

#[derive(Default)]
struct Proof<'m> {
    practised: Vec<&'m StreamMessage>,
    named: Vec<&'m StreamMessage>,
}

/// The traits of one kind, the surest first. The same text sent again is no further evidence.
pub(super) fn traits(dictionary: &Dictionary, kind: Kind, messages: &[StreamMessage]) -> Vec<Trait> {
    let mut proofs: BTreeMap<usize, Proof> = BTreeMap::new();
    for message in messages {
        let found = dictionary.find(&message.message.message);
        for term in found
            .terms
            .into_iter()
            .filter(|&term| dictionary.term(term).kind == kind)
        {
            proofs.entry(term).or_default().add(message, found.is_practice);
        }
    }
    let mut traits: Vec<Trait> = proofs
        .into_iter()
        .map(|(term, proof)| proof.of(dictionary, term))
        .collect();
    traits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.name.cmp(&b.name)));
    traits
}

impl<'m> Proof<'m> {
    fn add(&mut self, message: &'m StreamMessage, is_practice: bool) {
        let text = &message.message.message;
        let list = if is_practice {
            &mut self.practised
        } else {
            &mut self.named
        };
        if list.iter().all(|known| known.message.message != *text) {
            list.push(message);
        }
    }

    fn of(self, dictionary: &Dictionary, term: usize) -> Trait {
        let term = dictionary.term(term);
        let (practised, named) = (self.practised.len(), self.named.len());
        Trait {
            name: term.name.clone(),
            parent: term.parent.clone(),
            confidence: confidence(practised * PRACTICE_WEIGHT + named, HALF_SURE),
            messages: practised + named,
            practised,
            evidence: self
                .practised
                .iter()
                .chain(&self.named)
                .take(QUOTES)
                .map(|message| Quote::of(message))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dictionary::tests::dictionary;
    use super::*;
    use crate::chat::Message;

    fn message(second: i64, text: &str) -> StreamMessage {
        let timestamp = jiff::Timestamp::from_second(1_768_240_800 + second).unwrap();
        let message = Message {
            timestamp,
            user: "ana".into(),
            message: text.into(),
            user_badges: Vec::new(),
        };
        StreamMessage {
            stream_id: "s1".into(),
            message,
        }
    }

    fn check(texts: &[&str], expected: &[(&str, f64, usize, usize)]) {
        let messages: Vec<_> = (0..).zip(texts).map(|(second, text)| message(second, text)).collect();
        let traits = traits(&dictionary(), Kind::Tool, &messages);
        let found: Vec<_> = traits
            .iter()
            .map(|t| (t.name.as_str(), t.confidence, t.messages, t.practised))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn confidence_grows_with_the_evidence() {
        check(&["hello"], &[]);
        check(&["C++ is old"], &[("C++", 0.25, 1, 0)]);
        check(&["C++ is old", "C++ is fast"], &[("C++", 0.4, 2, 0)]);
        check(&["I built it in C++"], &[("C++", 0.4, 1, 1)]);
    }

    #[test]
    fn repeating_oneself_proves_nothing() {
        check(&["C++ is old", "C++ is old", "C++ is old"], &[("C++", 0.25, 1, 0)]);
    }

    #[test]
    fn practice_is_quoted_first() {
        let messages = [message(0, "C++ is old"), message(1, "I built it in C++")];
        let traits = traits(&dictionary(), Kind::Tool, &messages);
        let quotes = serde_json::to_value(&traits[0].evidence).unwrap();
        assert_eq!(quotes[0]["message"], "I built it in C++");
        assert_eq!(quotes[1]["message"], "C++ is old");
    }
}
