//! A list of words and phrases, and where a text holds them.

use std::collections::HashMap;

use super::words;

/// Phrases to look for, each with a number of its owner's.
#[derive(Debug)]
pub(crate) struct Phrases {
    /// By their folded words with single spaces.
    numbers: HashMap<String, usize>,
    /// The words of the longest.
    longest: usize,
}

impl Phrases {
    /// Refuses a phrase that stands twice, or that no text can hold.
    pub(crate) fn new(phrases: impl IntoIterator<Item = (impl AsRef<str>, usize)>) -> Result<Phrases, String> {
        let mut numbers = HashMap::new();
        for (phrase, number) in phrases {
            let phrase = phrase.as_ref();
            let key = folded(phrase).join(" ");
            if key.is_empty() {
                return Err(format!("`{phrase}` holds no word"));
            }
            if numbers.insert(key, number).is_some() {
                return Err(format!("`{phrase}` stands twice"));
            }
        }
        let longest = numbers
            .keys()
            .map(|phrase| phrase.split(' ').count())
            .max()
            .unwrap_or(0);
        Ok(Phrases { numbers, longest })
    }

    /// The numbers of the phrases in a text, in their order, each as often as it stands there. Where phrases overlap,
    /// the longest counts: "machine learning" is not "learning".
    pub(crate) fn find(&self, text: &str) -> Vec<usize> {
        let words = folded(text);
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let longest_first = (1..=self.longest.min(words.len() - at)).rev();
            let hit = longest_first
                .map(|length| (self.numbers.get(&words[at..at + length].join(" ")), length))
                .find_map(|(number, length)| number.map(|&number| (number, length)));
            found.extend(hit.map(|(number, _)| number));
            at += hit.map_or(1, |(_, length)| length);
        }
        found
    }
}

fn folded(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.folded).collect()
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
