//! A list of words and phrases, and where a text holds them.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::words;

/// Phrases to look for, each with a number of its owner's.
#[derive(Debug)]
pub(crate) struct Phrases {
    automaton: AhoCorasick,
    /// By the number of the pattern in the automaton.
    numbers: Vec<usize>,
}

impl Phrases {
    /// Refuses a phrase that stands twice, or that no text can hold.
    pub(crate) fn new(phrases: impl IntoIterator<Item = (impl AsRef<str>, usize)>) -> Result<Phrases, String> {
        let (mut patterns, mut numbers, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (phrase, number) in phrases {
            let phrase = phrase.as_ref();
            let pattern = apart(phrase);
            if pattern.is_empty() {
                return Err(format!("`{phrase}` holds no word"));
            }
            if !seen.insert(pattern.clone()) {
                return Err(format!("`{phrase}` stands twice"));
            }
            patterns.push(pattern);
            numbers.push(number);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns);
        let automaton = automaton.map_err(|error| error.to_string())?;
        Ok(Phrases { automaton, numbers })
    }

    /// The numbers of the phrases in a text, in their order, each as often as it stands there. Where phrases overlap,
    /// the longest counts: "machine learning" is not "learning".
    pub(crate) fn find(&self, text: &str) -> Vec<usize> {
        let text = apart(text);
        let matches = self.automaton.find_iter(&text);
        matches.map(|found| self.numbers[found.pattern().as_usize()]).collect()
    }
}

/// The folded words of a text with a blank before and after each, so that a phrase begins and ends with words and
/// neighbours share no blank.
fn apart(text: &str) -> String {
    let mut apart = String::with_capacity(text.len() + 16);
    for word in words(text) {
        apart.push(' ');
        apart.push_str(&word.folded);
        apart.push(' ');
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_counts() {
        let phrases = Phrases::new([("learning", 1), ("machine learning", 2), ("de vez en cuando", 3)]).unwrap();
        assert_eq!(
            phrases.find("Machine-learning, learning; de vez en cuándo, de vez"),
            [2, 1, 3]
        );
        assert!(phrases.find("").is_empty());
    }

    #[test]
    fn a_phrase_stands_once_and_holds_a_word() {
        assert_eq!(
            Phrases::new([("a b", 1), ("A-B", 2)]).unwrap_err(),
            "`A-B` stands twice"
        );
        assert_eq!(Phrases::new([("?!", 1)]).unwrap_err(), "`?!` holds no word");
    }
}
