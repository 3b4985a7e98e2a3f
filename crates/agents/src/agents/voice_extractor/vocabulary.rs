//! How rich a user's words are.

use std::collections::HashMap;

use serde::Serialize;

use super::ratio;
use crate::profile::round;
use crate::text::words;

/// Richness is measured in windows of so many words, since a longer text repeats itself more.
const WINDOW: usize = 50;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Vocabulary {
    words: usize,
    distinct_words: usize,
    /// Distinct words per word, the mean over all runs of 50 words (of the whole, where it is shorter).
    /// See Covington and `McFall`, "Cutting the Gordian Knot: The Moving-Average Type–Token Ratio" (2010).
    richness: Option<f64>,
    /// The share of the distinct words that are used once only.
    used_once: Option<f64>,
    /// In letters.
    mean_word_length: Option<f64>,
}

impl Vocabulary {
    pub(super) fn of(texts: &[&str]) -> Vocabulary {
        let words: Vec<String> = texts
            .iter()
            .flat_map(|text| words(text))
            .map(|word| word.folded)
            .collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in &words {
            *counts.entry(word).or_default() += 1;
        }
        Vocabulary {
            words: words.len(),
            distinct_words: counts.len(),
            richness: richness(&words),
            used_once: ratio(counts.values().filter(|&&count| count == 1).count(), counts.len()),
            mean_word_length: ratio(words.iter().map(|word| word.chars().count()).sum(), words.len()),
        }
    }
}

fn richness(words: &[String]) -> Option<f64> {
    let window = WINDOW.min(words.len());
    if window == 0 {
        return None;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut distinct = 0;
    for (index, word) in words.iter().enumerate() {
        *counts.entry(word).or_default() += 1;
        if let Some(leaving) = index.checked_sub(window) {
            leave(&mut counts, &words[leaving]);
        }
        if index + 1 >= window {
            distinct += counts.len();
        }
    }
    let windows = words.len() - window + 1;
    Some(round(distinct as f64 / (windows * window) as f64))
}

fn leave<'w>(counts: &mut HashMap<&'w str, usize>, word: &'w str) {
    match counts.get_mut(word) {
        Some(count) if *count > 1 => *count -= 1,
        _ => drop(counts.remove(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_out_by_hand() {
        let found = Vocabulary::of(&["la casa es la casa", "mi casa"]);
        let expected = Vocabulary {
            words: 7,
            distinct_words: 4,
            richness: Some(0.571),
            used_once: Some(0.5),
            mean_word_length: Some(2.857),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn richness_does_not_fall_because_one_writes_more() {
        let fifty: Vec<String> = (0..50).map(|number| format!("w{number}")).collect();
        let once = fifty.join(" ");
        assert_eq!(
            Vocabulary::of(&[&once]).richness,
            Vocabulary::of(&[&once, &once, &once]).richness
        );
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(Vocabulary::of(&["🔥"]).richness, None);
    }
}
