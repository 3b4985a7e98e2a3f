//! The terms that are looked for, and finding them in a text.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::text::Phrases;

/// What a term says of those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
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
    /// Words of one who speaks of being paid: "my client", "freelance".
    paid: Vec<String>,
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
    paid: Phrases,
    version: String,
}

/// What a text was found to hold.
#[derive(Debug)]
pub(super) struct Found {
    /// Indices of terms, each once.
    pub(super) terms: BTreeSet<usize>,
    /// Whether the writer speaks of what he did himself, with one of them.
    pub(super) is_practice: bool,
}

impl Dictionary {
    /// Refuses a spelling that stands twice or that no text can hold.
    pub(super) fn new(file: File, version: String) -> Result<Dictionary, String> {
        let spellings = file.terms.iter().enumerate();
        let spellings =
            spellings.flat_map(|(index, term)| term.spellings.iter().map(move |spelling| (spelling, index)));
        Ok(Dictionary {
            spellings: Phrases::new(spellings)?,
            practice: Phrases::new(file.practice.iter().map(|phrase| (phrase, 0)))?,
            paid: Phrases::new(file.paid.iter().map(|phrase| (phrase, 0)))?,
            version,
            terms: file.terms,
        })
    }

    /// The term of an index that [`Dictionary::find`] gave.
    pub(super) fn term(&self, index: usize) -> &Term {
        &self.terms[index]
    }

    /// The term of this kind that a name is a spelling of.
    pub(super) fn named(&self, name: &str, kind: Kind) -> Option<&Term> {
        let is_it = |term: &&Term| term.kind == kind && term.name.eq_ignore_ascii_case(name.trim());
        self.terms.iter().find(is_it)
    }

    /// What a text holds.
    pub(super) fn find(&self, text: &str) -> Found {
        let terms: BTreeSet<usize> = self.spellings.find(text).into_iter().collect();
        let is_practice = !terms.is_empty() && self.is_practice(text);
        Found { terms, is_practice }
    }

    /// Whether a text's writer speaks of what he did himself.
    pub(super) fn is_practice(&self, text: &str) -> bool {
        !self.practice.find(text).is_empty()
    }

    /// Whether a text's writer speaks of being paid.
    pub(super) fn is_paid(&self, text: &str) -> bool {
        !self.paid.find(text).is_empty()
    }

    /// Which edition it is.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn dictionary() -> Dictionary {
        let file = json!({ "practice": ["I built", "hice"], "paid": ["my client"], "terms": [
            { "name": "Machine learning", "kind": "skill", "parent": "AI", "spellings": ["machine learning", "ML"] },
            { "name": "Teaching", "kind": "interest", "parent": "People", "spellings": ["learning", "enseñar"] },
            { "name": "C++", "kind": "tool", "parent": "Languages", "spellings": ["C++"] },
        ]});
        Dictionary::new(serde_json::from_value(file).unwrap(), "test".into()).unwrap()
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
        let file = json!({ "practice": [], "paid": [], "terms": [
            { "name": "A", "kind": "tool", "parent": "P", "spellings": ["a b"] },
            { "name": "B", "kind": "tool", "parent": "P", "spellings": ["A-B"] },
        ]});
        let error = Dictionary::new(serde_json::from_value(file).unwrap(), "test".into()).unwrap_err();
        assert_eq!(error, "`A-B` stands twice");
    }
}
