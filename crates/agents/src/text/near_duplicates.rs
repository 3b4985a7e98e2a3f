//! Which of many short texts nearly repeat an earlier one: MinHash with locality-sensitive hashing.
//!
//! A text is the set of its shingles, the runs of four letters of its folded words. Two sets of hashes whose smallest members agree
//! in so many of 64 permutations are about that much alike (Broder, "On the resemblance and containment of documents", 1997). Texts
//! whose smallest members agree in all four rows of one of 16 bands are compared, and no others (Leskovec, Rajaraman and Ullman,
//! "Mining of Massive Datasets", chapter 3); the comparison itself is exact.

use std::collections::{BTreeSet, HashMap};

use super::words;

const SHINGLE: usize = 4;
const BANDS: usize = 16;
const ROWS: usize = 4;
/// So alike are two texts that say the same: shared shingles by all shingles.
const ALIKE: f64 = 0.8;
/// Shorter texts ("gg", "jajaja") of different users say the same without anyone copying.
const COPIED_WORDS: usize = 5;

/// For each text of a user, the first earlier one that it nearly repeats: of the same user, or, where it is of five words or
/// more, of anybody.
pub(crate) fn near_duplicates(written: &[(impl AsRef<str>, &str)]) -> Vec<Option<usize>> {
    let mut bands: HashMap<(usize, [u64; ROWS]), Vec<usize>> = HashMap::new();
    let shingled: Vec<Shingled> = written
        .iter()
        .map(|(user, text)| Shingled::of(user.as_ref(), text))
        .collect();
    let mut repeats = Vec::with_capacity(written.len());
    for (at, text) in shingled.iter().enumerate() {
        let mut candidates = BTreeSet::new();
        for (band, rows) in text.bands() {
            let same = bands.entry((band, rows)).or_default();
            candidates.extend(same.iter().copied());
            same.push(at);
        }
        repeats.push(candidates.into_iter().find(|&earlier| text.repeats(&shingled[earlier])));
    }
    repeats
}

struct Shingled<'t> {
    user: &'t str,
    words: usize,
    shingles: BTreeSet<u64>,
}

impl<'t> Shingled<'t> {
    fn of(user: &'t str, text: &str) -> Shingled<'t> {
        let words = words(text);
        let folded: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
        // A text without a word is its letters: emoji repeat as well.
        let text = if folded.is_empty() {
            text.trim().to_owned()
        } else {
            folded.join(" ")
        };
        let letters: Vec<char> = text.chars().collect();
        let shingles = letters.windows(SHINGLE.min(letters.len()).max(1)).map(hash).collect();
        Shingled {
            user,
            words: words.len(),
            shingles,
        }
    }

    /// The smallest members under each permutation, in bands.
    fn bands(&self) -> impl Iterator<Item = (usize, [u64; ROWS])> {
        (0..BANDS).map(|band| {
            let smallest = |row: usize| {
                let seed = (band * ROWS + row) as u64;
                let permuted = self.shingles.iter().map(|shingle| mix(shingle ^ mix(seed)));
                permuted.min().unwrap_or_default()
            };
            (band, std::array::from_fn(smallest))
        })
    }

    fn repeats(&self, earlier: &Shingled<'_>) -> bool {
        let may = self.user == earlier.user || self.words.min(earlier.words) >= COPIED_WORDS;
        let shared = self.shingles.intersection(&earlier.shingles).count();
        let all = self.shingles.len() + earlier.shingles.len() - shared;
        may && shared > 0 && shared as f64 >= ALIKE * all as f64
    }
}

fn hash(letters: &[char]) -> u64 {
    letters
        .iter()
        .fold(letters.len() as u64, |sum, &letter| mix(sum ^ u64::from(letter)))
}

/// A permutation of all numbers that leaves no pattern: the finaliser of SplitMix64.
/// See Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(written: &[(&str, &str)], expected: &[Option<usize>]) {
        assert_eq!(near_duplicates(written), expected, "{written:?}");
    }

    #[test]
    fn repetition_is_told_from_agreement() {
        check(&[("a", "gg"), ("a", "GG!"), ("b", "gg")], &[None, Some(0), None]);
        check(&[("a", "🔥🔥"), ("a", "🔥🔥"), ("a", "🎸")], &[None, Some(0), None]);
        let spam = "get cheap followers at example dot org today";
        let nearly = "Get cheap FOLLOWERS at example dot org today!!";
        check(
            &[("a", spam), ("b", nearly), ("c", "a followers question")],
            &[None, Some(0), None],
        );
        check(
            &[("a", "the deploy failed again"), ("a", "the deploy passed at last")],
            &[None, None],
        );
        check(&[("a", ""), ("a", ""), ("b", "")], &[None, None, None]);
    }

    proptest! {
        #[test]
        fn a_text_sent_again_by_its_user_is_found(texts in proptest::collection::vec("[a-z]{1,6}( [a-zñ🔥]{1,6}){0,8}", 1..12), again in any::<prop::sample::Index>()) {
            let copied = texts[again.index(texts.len())].clone();
            let mut written: Vec<(&str, &str)> = texts.iter().map(|text| ("ana", text.as_str())).collect();
            written.push(("ana", &copied));
            prop_assert!(near_duplicates(&written).last().unwrap().is_some());
        }

        #[test]
        fn what_is_repeated_stands_earlier_and_is_alike(texts in proptest::collection::vec(".{0,20}", 0..10)) {
            let written: Vec<(&str, &str)> = texts.iter().map(|text| ("ana", text.as_str())).collect();
            for (at, repeats) in near_duplicates(&written).into_iter().enumerate() {
                prop_assert!(repeats.is_none_or(|earlier| earlier < at));
            }
        }
    }
}
