//! Comparing what a model claims with the texts it was given.

use serde::Deserialize;

use super::prompt::{Prompt, speaks_to_a_model};
use crate::text::{is_stop_word, words};

/// The longest name or sentence that is taken from a model, in characters.
const LONGEST_NAME: usize = 60;
const LONGEST_SENTENCE: usize = 400;

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

    /// Where the quoted text stands among all, if it really holds the quote. Blanks may differ, nothing else; and a
    /// quote without a word that means something proves nothing.
    pub(crate) fn proves(&self, claim: &Claim) -> Option<usize> {
        let at = self.position(claim.number)?;
        let holds = single_blanks(self.all[at]).contains(&single_blanks(&claim.quote));
        (holds && !meaning(&claim.quote).is_empty()).then_some(at)
    }

    /// Whether a sentence shares a word that means something with one of the texts it rests on.
    pub(crate) fn supports(&self, sentence: &str, positions: &[usize]) -> bool {
        let said = meaning(sentence);
        positions
            .iter()
            .any(|&at| meaning(self.all[at]).iter().any(|word| said.contains(word)))
    }
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

fn meaning(text: &str) -> Vec<String> {
    let words = words(text).into_iter().map(|word| word.folded);
    words
        .filter(|word| word.chars().count() > 1 && !is_stop_word(word))
        .collect()
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
        assert!(texts.supports("She builds a robot.", &[1]) && !texts.supports("She is the president.", &[1]));
    }

    #[test]
    fn names_are_plain() {
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
