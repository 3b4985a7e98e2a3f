//! A full-text index: which documents hold a word, ranked by BM25.
//!
//! See Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).

use std::collections::{BTreeMap, HashMap};

use crate::text::words;

/// How soon a further occurrence of a word stops adding to the score.
const SATURATION: f64 = 1.2;
/// How much a document's length counts against it, from 0 to 1.
const LENGTH_WEIGHT: f64 = 0.75;

/// Documents are numbered from 0 in the order of [`Index::add`].
#[derive(Debug, Default)]
pub(super) struct Index {
    /// For each folded word, the documents with it and how often.
    postings: HashMap<String, Vec<(usize, usize)>>,
    /// The words of each document.
    lengths: Vec<usize>,
    all_words: usize,
}

impl Index {
    /// Adds the next document.
    pub(super) fn add(&mut self, text: &str) {
        let document = self.lengths.len();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let words = words(text);
        self.lengths.push(words.len());
        self.all_words += words.len();
        for word in words {
            *counts.entry(word.folded).or_default() += 1;
        }
        for (word, count) in counts {
            self.postings.entry(word).or_default().push((document, count));
        }
    }

    /// The documents with at least one of the words, the best first, equals in their order.
    pub(super) fn rank(&self, words: &[String]) -> Vec<(usize, f64)> {
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        for postings in words.iter().filter_map(|word| self.postings.get(word)) {
            let rarity = self.rarity(postings.len());
            for &(document, count) in postings {
                *scores.entry(document).or_default() += rarity * self.weight(document, count);
            }
        }
        let mut ranked: Vec<(usize, f64)> = scores.into_iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// The inverse document frequency of a word that so many documents hold.
    fn rarity(&self, holding: usize) -> f64 {
        let (all, holding) = (self.lengths.len() as f64, holding as f64);
        (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln()
    }

    fn weight(&self, document: usize, count: usize) -> f64 {
        let mean_length = self.all_words as f64 / self.lengths.len() as f64;
        let length = self.lengths[document] as f64 / mean_length;
        let count = count as f64;
        count * (SATURATION + 1.0) / (count + SATURATION * (1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(documents: &[&str], query: &[&str]) -> Vec<(usize, f64)> {
        let mut index = Index::default();
        for document in documents {
            index.add(document);
        }
        index.rank(&query.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn order(documents: &[&str], query: &[&str]) -> Vec<usize> {
        rank(documents, query)
            .into_iter()
            .map(|(document, _)| document)
            .collect()
    }

    #[test]
    fn the_score_is_that_of_the_formula() {
        // Two documents of two words each; the word stands once in one of them: ln(1 + 1.5/1.5) * 1 * 2.2 / 2.2.
        let found = rank(&["red car", "blue car"], &["red"]);
        assert_eq!(found.len(), 1);
        assert!((found[0].1 - 2.0_f64.ln()).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn rare_words_repeated_words_and_short_documents_win() {
        assert_eq!(order(&["gas car", "gas token", "gas gas gas"], &["token"]), [1]);
        assert_eq!(order(&["gas and a car", "gas gas and gas"], &["gas"]), [1, 0]);
        assert_eq!(order(&["gas in a very long story of nothing", "gas"], &["gas"]), [1, 0]);
        assert_eq!(
            order(&["el contrato del gas", "gas gas gas"], &["contrato", "gas"]),
            [0, 1]
        );
        assert_eq!(order(&["Código", "codigo"], &["codigo"]), [0, 1]);
        assert!(order(&[], &["gas"]).is_empty());
    }

    proptest! {
        #[test]
        fn exactly_the_documents_with_a_word_are_found(
            documents in proptest::collection::vec("[a-c]( [a-c]){0,5}", 1..8),
            query in proptest::collection::btree_set("[a-d]", 1..3),
        ) {
            let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
            let query: Vec<&str> = query.iter().map(String::as_str).collect();
            let mut found = order(&texts, &query);
            found.sort_unstable();
            let holds = |text: &&str| text.split(' ').any(|word| query.contains(&word));
            let expected: Vec<usize> = (0..texts.len()).filter(|&at| holds(&texts[at])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
