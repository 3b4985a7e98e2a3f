//! The terms that are looked for, and finding them in a text.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::text::Phrases;

/// What a term says of those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Something one can do.
    Skill,
    /// Something one works with.
    Tool,
    /// Something one cares for.
    Interest,
}

/// The file `terms.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Words of one who speaks of what he did himself: "I built", "hice".
    practice: Vec<String>,
    terms: Vec<Term>,
}

/// A term under all its spellings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Term {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The wider field it belongs to.
    pub(super) parent: String,
    spellings: Vec<String>,
}

/// The terms, ready for looking them up.
#[derive(Debug)]
pub(super) struct Dictionary {
    terms: Vec<Term>,
    spellings: Phrases,
    practice: Phrases,
}

/// What a text was found to hold.
#[derive(Debug)]
pub(super) struct Found {
    /// Indices of terms, each once.
    pub(super) terms: BTreeSet<usize>,
    /// Whether the writer speaks of what he did himself.
    pub(super) is_practice: bool,
}

impl Dictionary {
    /// Refuses a spelling that stands twice or that no text can hold.
    pub(super) fn new(file: File) -> Result<Dictionary, String> {
        let spellings = file.terms.iter().enumerate();
        let spellings =
            spellings.flat_map(|(index, term)| term.spellings.iter().map(move |spelling| (spelling, index)));
        Ok(Dictionary {
            spellings: Phrases::new(spellings)?,
            practice: Phrases::new(file.practice.iter().map(|phrase| (phrase, 0)))?,
            terms: file.terms,
        })
    }

    /// The term of an index that [`Dictionary::find`] gave.
    pub(super) fn term(&self, index: usize) -> &Term {
        &self.terms[index]
    }

    /// What a text holds.
    pub(super) fn find(&self, text: &str) -> Found {
        let terms = self.spellings.find(text).into_iter().collect();
        Found {
            terms,
            is_practice: !self.practice.find(text).is_empty(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn dictionary() -> Dictionary {
        let file = json!({ "practice": ["I built", "hice"], "terms": [
            { "name": "Machine learning", "kind": "skill", "parent": "AI", "spellings": ["machine learning", "ML"] },
            { "name": "Teaching", "kind": "interest", "parent": "People", "spellings": ["learning", "enseñar"] },
            { "name": "C++", "kind": "tool", "parent": "Languages", "spellings": ["C++"] },
        ]});
        Dictionary::new(serde_json::from_value(file).unwrap()).unwrap()
    }

    fn check(text: &str, terms: &[&str], is_practice: bool) {
        let dictionary = dictionary();
        let found = dictionary.find(text);
        let names: Vec<&str> = found
            .terms
            .iter()
            .map(|&term| dictionary.term(term).name.as_str())
            .collect();
        assert_eq!((names.as_slice(), found.is_practice), (terms, is_practice), "{text}");
    }

    #[test]
    fn the_longest_spelling_counts_once() {
        check("Machine-learning is learning", &["Machine learning", "Teaching"], false);
        check("ml, ML and machine learning!", &["Machine learning"], false);
        check("i built it in c++.", &["C++"], true);
        check("HICE algo para ENSENAR", &["Teaching"], true);
        check("html", &[], false);
        check("", &[], false);
    }

    #[test]
    fn a_spelling_stands_once() {
        let file = json!({ "practice": [], "terms": [
            { "name": "A", "kind": "tool", "parent": "P", "spellings": ["a b"] },
            { "name": "B", "kind": "tool", "parent": "P", "spellings": ["A-B"] },
        ]});
        let error = Dictionary::new(serde_json::from_value(file).unwrap()).unwrap_err();
        assert_eq!(error, "`A-B` stands twice");
    }
}
