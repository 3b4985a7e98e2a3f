//! How formally a user writes.

use serde::Serialize;

use super::lexicon::Lexicon;
use super::share;
use crate::profile::round;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Formality {
    /// From 0 (slang, neither capitals nor full stops) to 1: the mean of the three shares below.
    score: Option<f64>,
    /// Formal words among the formal and informal ones; none where there are neither.
    formal_word_share: Option<f64>,
    /// The share of messages that begin with a capital.
    capitalised_share: Option<f64>,
    /// The share of messages that end with a mark.
    punctuated_share: Option<f64>,
    formal_words: usize,
    informal_words: usize,
}

impl Formality {
    pub(super) fn of(lexicon: &Lexicon, texts: &[&str]) -> Formality {
        let formal_words = texts.iter().map(|text| lexicon.formal.find(text).len()).sum();
        let informal_words = texts.iter().map(|text| lexicon.informal.find(text).len()).sum();
        let formal_word_share = super::ratio(formal_words, formal_words + informal_words);
        let capitalised_share = share(texts, is_capitalised);
        let punctuated_share = share(texts, is_punctuated);
        let score = mean(&[formal_word_share, capitalised_share, punctuated_share]);
        Formality {
            score,
            formal_word_share,
            capitalised_share,
            punctuated_share,
            formal_words,
            informal_words,
        }
    }
}

fn is_capitalised(text: &str) -> bool {
    text.chars()
        .find(|letter| letter.is_alphabetic())
        .is_some_and(char::is_uppercase)
}

fn is_punctuated(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', '…'])
}

fn mean(shares: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = shares.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| round(known.iter().sum::<f64>() / known.len() as f64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn score(texts: &[&str]) -> f64 {
        let file = json!({ "formal": ["please"], "informal": ["gonna"], "laughter": [], "idioms": [] });
        let lexicon = Lexicon::new(serde_json::from_value(file).unwrap(), "test".into()).unwrap();
        Formality::of(&lexicon, texts).score.unwrap()
    }

    #[test]
    fn the_score_is_the_mean_of_what_is_known() {
        assert!((score(&["Please, tell me."]) - 1.0).abs() < f64::EPSILON);
        assert!(score(&["gonna go"]).abs() < f64::EPSILON);
        assert!(
            (score(&["Sure"]) - 0.5).abs() < f64::EPSILON,
            "a capital, no mark, no telling word"
        );
    }
}
