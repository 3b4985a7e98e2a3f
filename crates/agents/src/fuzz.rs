//! What parsers must bear: examples of what they read, changed at random, the same in every run.
//!
//! `KARMA_FUZZ_ITERATIONS` says how many changed examples each parser is given.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// So many take a moment, unoptimised too.
const ITERATIONS: u64 = 1_000;

/// No changed example is longer. It is enough for what grows faster than its input to be noticed.
const LONGEST: usize = 16 * 1024;

/// What formats give a meaning to, and what numbers, dates and texts break at.
const TOKENS: [&str; 40] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "=",
    ";",
    "@",
    "#",
    "!",
    " ",
    "\r\n",
    "\n\n",
    "\0",
    "\\u0000",
    "\\ud800",
    "0x",
    "%00",
    "+",
    "-",
    "0",
    "-1",
    "1e308",
    "-1e-400",
    "0.1",
    "255",
    "4294967296",
    "18446744073709551616",
    "null",
    "true",
    "[[[[[[[[",
    "data: ",
    "file:///",
    "ñ",
    "\u{202e}",
    "🔥",
    "2026-02-30T24:00:60Z",
];

/// Gives the parser each example, and then changed ones. What it panics at is printed.
pub(crate) fn fuzz(examples: &[&str], parse: impl Fn(&[u8])) {
    let iterations = env::var("KARMA_FUZZ_ITERATIONS").map_or(ITERATIONS, |text| text.parse().expect("a number"));
    let examples: Vec<&[u8]> = examples.iter().map(|example| example.as_bytes()).collect();
    let give = |bytes: &[u8]| {
        let outcome = catch_unwind(AssertUnwindSafe(|| parse(bytes)));
        assert!(outcome.is_ok(), "the parser panicked at \"{}\"", bytes.escape_ascii());
    };
    for example in &examples {
        give(example);
    }
    for seed in 0..iterations {
        give(&changed(&examples, &mut Numbers(seed)));
    }
}

/// The same for a parser that is only ever given text.
pub(crate) fn fuzz_text(examples: &[&str], parse: impl Fn(&str)) {
    fuzz(examples, |bytes| parse(&String::from_utf8_lossy(bytes)));
}

/// One of the examples with one to eight changes.
fn changed(examples: &[&[u8]], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = examples[numbers.below(examples.len())].to_vec();
    for _ in 0..=numbers.below(8) {
        change(&mut bytes, examples, numbers);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, examples: &[&[u8]], numbers: &mut Numbers) {
    let (begin, end) = numbers.range(bytes.len());
    match numbers.below(7) {
        0 => drop(bytes.drain(begin..end)),
        1 => bytes.truncate(begin),
        2 => bytes[begin..end].reverse(),
        3 if begin < end => bytes[begin] ^= 1 << numbers.below(8),
        // What is nested or listed, again and again.
        4 => {
            let again = bytes[begin..end].repeat(1 + numbers.below(64));
            bytes.splice(begin..begin, again);
        }
        5 => {
            let other = examples[numbers.below(examples.len())];
            let (first, last) = numbers.range(other.len());
            bytes.splice(begin..end, other[first..last].iter().copied());
        }
        _ => {
            let token = TOKENS[numbers.below(TOKENS.len())];
            // In place of nothing, or of what stands there.
            let end = if numbers.below(2) == 0 { begin } else { end };
            bytes.splice(begin..end, token.bytes());
        }
    }
}

/// Numbers without a pattern: <https://prng.di.unimi.it/splitmix64.c>.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits are a usize") % bound.max(1)
    }

    /// A short piece, as a rule, of something so long.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let begin = self.below(length + 1);
        let longest = if self.below(4) == 0 { length } else { length.min(16) };
        (begin, length.min(begin + self.below(longest + 1)))
    }
}

#[test]
fn changes_are_many_and_the_same_in_every_run() {
    let examples: [&[u8]; 2] = [br#"{"users":["ana"],"limit":7}"#, b""];
    let all = || (0..200).map(|seed| changed(&examples, &mut Numbers(seed)));
    let different: std::collections::BTreeSet<_> = all().collect();
    assert!(different.len() > 150, "{}", different.len());
    assert!(all().eq(all()));
    assert!(all().all(|bytes| bytes.len() <= LONGEST));
}
