//! From messages to traits: what is told how often, and quoted.

use std::collections::{BTreeMap, HashSet};

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
    /// From 0 towards 1; grows with the evidence only, whoever found it.
    pub(super) confidence: f64,
    /// How many messages tell of it.
    pub(super) messages: usize,
    /// In how many of them the user tells what he did himself.
    pub(super) practised: usize,
    found_by: FoundBy,
    /// Of these messages the best: told from practice first, then the earliest.
    evidence: Vec<Quote>,
}

/// Who has seen a trait in the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FoundBy {
    Dictionary,
    LanguageModel,
    Both,
}

/// A trait that somebody names, before it is proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'n> {
    pub(super) kind: Kind,
    pub(super) name: &'n str,
    pub(super) parent: &'n str,
}

/// What the messages prove.
#[derive(Debug, Default)]
pub(super) struct Evidence<'m> {
    proofs: BTreeMap<(Kind, String), Proof<'m>>,
}

#[derive(Debug)]
struct Proof<'m> {
    parent: String,
    found_by: FoundBy,
    /// The same text sent again is no further evidence.
    texts: HashSet<&'m str>,
    practised: Vec<&'m StreamMessage>,
    named: Vec<&'m StreamMessage>,
}

impl<'m> Evidence<'m> {
    /// What the dictionary finds in the messages.
    pub(super) fn of(dictionary: &Dictionary, messages: &'m [StreamMessage]) -> Evidence<'m> {
        let mut evidence = Evidence::default();
        for message in messages {
            let found = dictionary.find(&message.message.message);
            for term in found.terms.iter().map(|&term| dictionary.term(term)) {
                let named = Named {
                    kind: term.kind,
                    name: &term.name,
                    parent: &term.parent,
                };
                let proof = evidence.proof(named, FoundBy::Dictionary);
                proof.add(message, found.is_practice);
            }
        }
        evidence
    }

    /// Adds messages that a language model has pointed to. One that the dictionary has found already counts once.
    pub(super) fn add_claim(&mut self, dictionary: &Dictionary, named: Named<'_>, messages: &[&'m StreamMessage]) {
        let proof = self.proof(named, FoundBy::LanguageModel);
        for message in messages {
            proof.add(message, dictionary.is_practice(&message.message.message));
        }
    }

    /// The traits of one kind, the surest first.
    pub(super) fn traits(&self, kind: Kind) -> Vec<Trait> {
        let of_kind = self.proofs.iter().filter(|((of, _), _)| *of == kind);
        let mut traits: Vec<Trait> = of_kind.map(|((_, name), proof)| proof.to_trait(name)).collect();
        traits.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.name.cmp(&b.name)));
        traits
    }

    /// The messages in which the user tells of doing this himself.
    pub(super) fn practised(&self, kind: Kind, name: &str) -> &[&'m StreamMessage] {
        let proof = self.proofs.get(&(kind, name.to_owned()));
        proof.map_or(&[], |proof| &proof.practised)
    }

    fn proof(&mut self, named: Named<'_>, found_by: FoundBy) -> &mut Proof<'m> {
        let key = (named.kind, named.name.to_owned());
        let proof = self.proofs.entry(key).or_insert_with(|| Proof {
            parent: named.parent.to_owned(),
            found_by,
            texts: HashSet::new(),
            practised: Vec::new(),
            named: Vec::new(),
        });
        if proof.found_by != found_by {
            proof.found_by = FoundBy::Both;
        }
        proof
    }
}

impl<'m> Proof<'m> {
    fn add(&mut self, message: &'m StreamMessage, is_practice: bool) {
        if self.texts.insert(&message.message.message) {
            let list = if is_practice {
                &mut self.practised
            } else {
                &mut self.named
            };
            list.push(message);
        }
    }

    fn to_trait(&self, name: &str) -> Trait {
        let (practised, named) = (self.practised.len(), self.named.len());
        let best = self.practised.iter().chain(&self.named).take(QUOTES);
        Trait {
            name: name.to_owned(),
            parent: self.parent.clone(),
            confidence: confidence(practised * PRACTICE_WEIGHT + named, HALF_SURE),
            messages: practised + named,
            practised,
            found_by: self.found_by,
            evidence: best.map(|message| Quote::of(message)).collect(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::dictionary::tests::dictionary;
    use super::*;
    use crate::chat::Message;

    pub(in super::super) fn message(second: i64, text: &str) -> StreamMessage {
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
        let traits = Evidence::of(&dictionary(), &messages).traits(Kind::Tool);
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
        let traits = Evidence::of(&dictionary(), &messages).traits(Kind::Tool);
        let quotes = serde_json::to_value(&traits[0].evidence).unwrap();
        assert_eq!(quotes[0]["message"], "I built it in C++");
        assert_eq!(quotes[1]["message"], "C++ is old");
    }
}
