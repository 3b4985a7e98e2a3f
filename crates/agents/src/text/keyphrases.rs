//! Keyphrases of many short texts: what stands between stop words, ranked by a variant of RAKE.
//!
//! A word scores its degree (how many words stand in runs with it, itself included) divided by its frequency. A phrase
//! scores the sum of its words, times how many words it has, times the square of how many texts hold it; what recurs
//! comes before what one text only holds. See Rose, Engel, Cramer and Cowley, "Automatic Keyword Extraction from Individual
//! Documents" (2010).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{Word, is_stop_word, words};

/// The longest phrase, in words.
const LONGEST: usize = 3;

/// A phrase and how much it stands out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Keyphrase {
    /// In lower case with single spaces, each word as it is first written.
    pub(crate) phrase: String,
    /// In how many texts it stands.
    pub(crate) texts: usize,
    /// The higher, the more it stands out; comparable only within one answer.
    pub(crate) score: f64,
}

/// Words that stand next to each other, with nothing but blanks and hyphens between.
type Run = Vec<String>;

/// The `most` phrases that stand out, best first. None is a part of another. A phrase of one text only is kept when it
/// is a whole run of at least two words.
pub(crate) fn keyphrases<'t>(texts: impl IntoIterator<Item = &'t str>, most: usize) -> Vec<Keyphrase> {
    let mut spellings = HashMap::new();
    let texts: Vec<Vec<Run>> = texts.into_iter().map(|text| runs(text, &mut spellings)).collect();
    let scores = score_words(texts.iter().flatten());
    let mut ranked: Vec<(&[String], Keyphrase)> = candidates(&texts)
        .into_iter()
        .map(|(phrase, texts)| {
            let score: f64 = phrase.iter().map(|word| scores[word.as_str()]).sum();
            let score = score * phrase.len() as f64 * (texts * texts) as f64;
            (
                phrase,
                Keyphrase {
                    phrase: spelled(phrase, &spellings),
                    texts,
                    score: (score * 100.0).round() / 100.0,
                },
            )
        })
        .collect();
    ranked.sort_by(|(phrase, key), (other_phrase, other)| {
        let recurs = (other.texts > 1).cmp(&(key.texts > 1));
        recurs
            .then(other.score.total_cmp(&key.score))
            .then_with(|| phrase.cmp(other_phrase))
    });
    without_parts(ranked, most)
}

/// The runs of a text: words that carry meaning between words that do not.
fn runs(text: &str, spellings: &mut HashMap<String, String>) -> Vec<Run> {
    let (mut runs, mut current, mut last_end) = (Vec::new(), Run::new(), 0);
    for Word { folded, start, end } in words(text) {
        let is_near = text[last_end..start]
            .chars()
            .all(|letter| letter == ' ' || letter == '-');
        if !current.is_empty() && (!is_near || !carries_meaning(&folded)) {
            runs.push(std::mem::take(&mut current));
        }
        if carries_meaning(&folded) {
            spellings
                .entry(folded.clone())
                .or_insert_with(|| text[start..end].to_lowercase());
            current.push(folded);
        }
        last_end = end;
    }
    runs.extend((!current.is_empty()).then_some(current));
    runs
}

fn spelled(phrase: &[String], spellings: &HashMap<String, String>) -> String {
    phrase
        .iter()
        .map(|word| spellings[word].as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn carries_meaning(folded: &str) -> bool {
    folded.chars().count() > 1 && !is_stop_word(folded) && folded.chars().any(char::is_alphabetic)
}

fn score_words<'r>(runs: impl Iterator<Item = &'r Run>) -> HashMap<&'r str, f64> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for run in runs {
        for word in run {
            let (degree, frequency) = counts.entry(word).or_default();
            *degree += run.len();
            *frequency += 1;
        }
    }
    counts
        .into_iter()
        .map(|(word, (degree, frequency))| (word, degree as f64 / frequency as f64))
        .collect()
}

/// Every phrase worth a rank, and how many texts hold it.
fn candidates(texts: &[Vec<Run>]) -> BTreeMap<&[String], usize> {
    let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
    let mut whole: BTreeSet<&[String]> = BTreeSet::new();
    for runs in texts {
        whole.extend(runs.iter().map(Vec::as_slice));
        let phrases: BTreeSet<&[String]> = runs.iter().flat_map(phrases).collect();
        for phrase in phrases {
            *counts.entry(phrase).or_default() += 1;
        }
    }
    counts.retain(|phrase, texts| *texts > 1 || (phrase.len() > 1 && whole.contains(phrase)));
    counts
}

fn phrases(run: &Run) -> impl Iterator<Item = &[String]> {
    (1..=LONGEST).flat_map(|length| run.windows(length))
}

fn without_parts(ranked: Vec<(&[String], Keyphrase)>, most: usize) -> Vec<Keyphrase> {
    let mut chosen: Vec<(&[String], Keyphrase)> = Vec::new();
    for (phrase, keyphrase) in ranked {
        if chosen.len() == most {
            break;
        }
        if chosen
            .iter()
            .all(|(other, _)| !holds(other, phrase) && !holds(phrase, other))
        {
            chosen.push((phrase, keyphrase));
        }
    }
    chosen.into_iter().map(|(_, keyphrase)| keyphrase).collect()
}

fn holds(long: &[String], short: &[String]) -> bool {
    long.windows(short.len()).any(|part| part == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], expected: &[(&str, usize, f64)]) {
        let found = keyphrases(texts.iter().copied(), 3);
        let found: Vec<_> = found
            .iter()
            .map(|key| (key.phrase.as_str(), key.texts, key.score))
            .collect();
        assert_eq!(found, expected, "{texts:?}");
    }

    #[test]
    fn scores_are_those_worked_out_by_hand() {
        // smart: degree 2+2+1, frequency 3; contract: degree 2+2, frequency 2; two words, two texts.
        let texts = ["I wrote a smart contract", "the Smart-Contract is out", "so smart"];
        check(&texts, &[("smart contract", 2, 29.33)]);
    }

    #[test]
    fn commas_and_stop_words_part_phrases() {
        check(
            &["rust, docker", "rust and docker", "RUST!"],
            &[("rust", 3, 9.0), ("docker", 2, 4.0)],
        );
    }

    #[test]
    fn what_recurs_inside_longer_runs_is_found() {
        let texts = [
            "health check failed everywhere",
            "a cheap health check",
            "my health check passed",
            "cats purr",
        ];
        check(&texts, &[("health check", 3, 120.0), ("cats purr", 1, 8.0)]);
    }

    #[test]
    fn what_recurs_comes_first_and_keeps_its_accents() {
        let texts = ["prueba de autorización", "Autorizacion", "dos tokens raros"];
        check(&texts, &[("autorización", 2, 4.0), ("tokens raros", 1, 8.0)]);
    }

    #[test]
    fn nothing_comes_from_nothing() {
        check(&["hola", "the", ""], &[]);
    }
}
