//! The lists of words that tell a manner: the file `lexicon.json`.

use serde::Deserialize;

use crate::text::{Language, Phrases};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Courtesy and care: "please", "usted".
    formal: Vec<String>,
    /// Slang and short cuts: "gonna", "xq".
    informal: Vec<String>,
    /// "haha", "jajaja", "lol".
    laughter: Vec<String>,
    idioms: Vec<Expression>,
}

/// An idiom of a language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expression {
    pub(super) phrase: String,
    pub(super) language: Language,
}

/// The lists, ready for looking them up.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub(super) formal: Phrases,
    pub(super) informal: Phrases,
    pub(super) laughter: Phrases,
    /// The numbers are those of `expressions`.
    pub(super) idioms: Phrases,
    pub(super) expressions: Vec<Expression>,
    /// Which edition it is.
    pub(super) version: String,
}

impl Lexicon {
    /// Refuses a list with a phrase that stands twice or holds no word.
    pub(super) fn new(file: File, version: String) -> Result<Lexicon, String> {
        let list = |phrases: &[String]| Phrases::new(phrases.iter().map(|phrase| (phrase.as_str(), 0)));
        let idioms = (0..)
            .zip(&file.idioms)
            .map(|(number, idiom)| (idiom.phrase.as_str(), number));
        Ok(Lexicon {
            formal: list(&file.formal)?,
            informal: list(&file.informal)?,
            laughter: list(&file.laughter)?,
            idioms: Phrases::new(idioms)?,
            expressions: file.idioms,
            version,
        })
    }
}
