//! How a user builds sentences.

use serde::Serialize;

use super::ratio;
use crate::profile::round;
use crate::text::{sentences, words};

/// A sentence of at most so many words is a short one.
const SHORT: usize = 4;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Sentences {
    sentences: usize,
    mean_words: Option<f64>,
    /// The standard deviation of the words per sentence: small where all are alike.
    spread: Option<f64>,
    longest_words: usize,
    /// The share of sentences of at most four words.
    short_share: Option<f64>,
    per_message: Option<f64>,
}

impl Sentences {
    pub(super) fn of(texts: &[&str]) -> Sentences {
        let lengths: Vec<usize> = texts
            .iter()
            .flat_map(|text| sentences(text))
            .map(|one| words(one).len())
            .collect();
        Sentences {
            sentences: lengths.len(),
            mean_words: ratio(lengths.iter().sum(), lengths.len()),
            spread: spread(&lengths),
            longest_words: lengths.iter().copied().max().unwrap_or(0),
            short_share: ratio(lengths.iter().filter(|&&length| length <= SHORT).count(), lengths.len()),
            per_message: ratio(lengths.len(), texts.len()),
        }
    }
}

fn spread(lengths: &[usize]) -> Option<f64> {
    let count = lengths.len() as f64;
    let mean = lengths.iter().sum::<usize>() as f64 / count;
    let variance = lengths
        .iter()
        .map(|&length| (length as f64 - mean).powi(2))
        .sum::<f64>()
        / count;
    (!lengths.is_empty()).then(|| round(variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_out_by_hand() {
        let found = Sentences::of(&["Hola. ¿Vienes hoy al taller de Rust?", "Sí!"]);
        let expected = Sentences {
            sentences: 3,
            mean_words: Some(2.667),
            spread: Some(2.357),
            longest_words: 6,
            short_share: Some(0.667),
            per_message: Some(1.5),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(Sentences::of(&["🔥"]).spread, None);
    }
}
