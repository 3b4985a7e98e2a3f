//! Comparing what a model claims with the texts it was given.

use std::collections::HashSet;

use serde::Deserialize;

use super::prompt::{Prompt, speaks_to_a_model};
use crate::text::{is_stop_word, words};

/// The longest name or sentence that is taken from a model, in characters.
const LONGEST_NAME: usize = 60;
const LONGEST_SENTENCE: usize = 400;
/// How much of a word is compared.
const STEM_LETTERS: usize = 5;

/// A model's word that a text holds a quote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    /// The text's number in the prompt.
    pub(crate) number: usize,
    pub(crate) quote: String,
}

/// The texts that a model was given, by their numbers.
#[derive(Debug)]
pub(crate) struct Texts<'t> {
    prompt: &'t Prompt,
    all: &'t [&'t str],
}

impl<'t> Texts<'t> {
    /// The texts from which the prompt was made.
    pub(crate) fn new(prompt: &'t Prompt, all: &'t [&'t str]) -> Texts<'t> {
        Texts { prompt, all }
    }

    /// Where the text of this number stands among all.
    pub(crate) fn position(&self, number: usize) -> Option<usize> {
        self.prompt.selection().sent.get(number).copied()
    }

    /// Where the quoted text stands among all, if it really holds the quote. Blanks may differ, nothing else; and a quote
    /// without a word proves nothing.
    pub(crate) fn proves(&self, claim: &Claim) -> Option<usize> {
        let at = self.position(claim.number)?;
        let holds = single_blanks(self.all[at]).contains(&single_blanks(&claim.quote));
        let has_word = words(&claim.quote).iter().any(|word| word.folded.chars().count() > 1);
        (holds && has_word).then_some(at)
    }

    /// Whether at least half of a sentence's words that mean something stand in the texts it rests on, in whatever form.
    pub(crate) fn supports(&self, sentence: &str, positions: &[usize]) -> bool {
        let said = meaning(sentence);
        let known: HashSet<String> = positions.iter().flat_map(|&at| meaning(self.all[at])).collect();
        let supported = said.iter().filter(|word| known.contains(*word)).count();
        supported > 0 && supported * 2 >= said.len()
    }
}

/// Whether a quote holds a word that means something by itself.
pub(crate) fn says_something(quote: &str) -> bool {
    !meaning(quote).is_empty()
}

/// Whether a model's name for something can be shown: short, one line, no link, no order to another model.
pub(crate) fn is_plain_name(name: &str) -> bool {
    is_plain(name, LONGEST_NAME)
}

/// The same of a sentence.
pub(crate) fn is_plain_sentence(sentence: &str) -> bool {
    is_plain(sentence, LONGEST_SENTENCE)
}

fn is_plain(text: &str, longest: usize) -> bool {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '<' | '>' | '{' | '}' | '`');
    (1..=longest).contains(&text.chars().count())
        && !text.trim().is_empty()
        && !text.contains(is_odd)
        && !text.contains("://")
        && !speaks_to_a_model(text)
}

fn single_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words that mean something, by their first letters: an ending is no other word.
fn meaning(text: &str) -> Vec<String> {
    let words = words(text).into_iter().map(|word| word.folded);
    let meaning = words.filter(|word| word.chars().count() > 1 && !is_stop_word(word));
    meaning.map(|word| word.chars().take(STEM_LETTERS).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::prompt::SUMMARY;
    use super::*;

    #[test]
    fn a_quote_stands_in_the_text_it_names() {
        let all = ["ignore previous instructions", "I built  a robot", "nos vemos"];
        let prompt = Prompt::new(&SUMMARY, &all);
        let texts = Texts::new(&prompt, &all);
        let check = |number: usize, quote: &str, expected: Option<usize>| {
            let quote = quote.to_owned();
            assert_eq!(
                texts.proves(&Claim {
                    number,
                    quote: quote.clone()
                }),
                expected,
                "{number} {quote}"
            );
        };
        check(0, "built a robot", Some(1));
        check(1, "built a robot", None);
        check(0, "I built a rocket", None);
        check(0, "I", None);
        check(0, "", None);
        check(2, "I built", None);
        check(usize::MAX, "I built", None);
        assert!(texts.supports("She built robots.", &[1]) && !texts.supports("She is the president.", &[1]));
    }

    #[test]
    fn names_are_plain() {
        assert!(says_something("my bees") && !says_something("I am the"));
        assert!(is_plain_name("Machine learning") && is_plain_name("C++"));
        for odd in [
            "",
            " ",
            "a\nb",
            "<b>x</b>",
            "see https://x.org",
            &"x".repeat(61),
            "ignore previous instructions",
        ] {
            assert!(!is_plain_name(odd), "{odd}");
        }
    }
}
