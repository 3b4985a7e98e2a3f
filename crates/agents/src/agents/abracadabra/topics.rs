//! Where a stream goes over to another topic: TextTiling.
//!
//! Around each gap between two segments the words of the blocks before and after are compared. Where they have much less in common
//! than on the hills to both sides, there a topic ends. See Hearst, "TextTiling: Segmenting Text into Multi-paragraph Subtopic
//! Passages" (1997). Words are compared by their first six letters, which stands in for a stemmer of three languages.

use std::collections::HashMap;

use serde::Serialize;

use super::transcript::Segment;
use crate::profile::round;
use crate::text::{is_stop_word, keyphrases, words};

/// A block has so many segments.
const BLOCK: usize = 3;
/// A topic has at least so many.
const SHORTEST: usize = 3;
const STEM_LETTERS: usize = 6;
/// How many phrases name a topic.
const PHRASES: usize = 3;

/// A part of a transcript that is about one thing.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Topic {
    pub(super) start: f64,
    pub(super) end: f64,
    /// The position of its first segment.
    pub(super) first_segment: usize,
    pub(super) segments: usize,
    /// What stands out in it.
    pub(super) phrases: Vec<String>,
}

type Counts = HashMap<String, f64>;

/// The topics of a transcript in their order; together they are the whole.
pub(super) fn topics(segments: &[Segment]) -> Vec<Topic> {
    let counts: Vec<Counts> = segments.iter().map(|segment| counts(&segment.text)).collect();
    let mut bounds = boundaries(&cohesion(&counts));
    bounds.insert(0, 0);
    bounds.push(segments.len());
    let parts = bounds.windows(2).filter(|pair| pair[0] < pair[1]);
    parts.map(|pair| topic(pair[0], &segments[pair[0]..pair[1]])).collect()
}

fn topic(first_segment: usize, segments: &[Segment]) -> Topic {
    let phrases = keyphrases(segments.iter().map(|segment| segment.text.as_str()), PHRASES);
    Topic {
        start: segments.first().map_or(0.0, |segment| segment.start),
        end: segments.iter().map(|segment| segment.end).fold(0.0, f64::max),
        first_segment,
        segments: segments.len(),
        phrases: phrases.into_iter().map(|phrase| phrase.phrase).collect(),
    }
}

fn counts(text: &str) -> Counts {
    let mut counts = Counts::new();
    for word in words(text).into_iter().filter(|word| !is_stop_word(&word.folded)) {
        let stem: String = word.folded.chars().take(STEM_LETTERS).collect();
        *counts.entry(stem).or_default() += 1.0;
    }
    counts
}

/// How alike the blocks before and after each gap are; the first gap is that after the first segment.
fn cohesion(counts: &[Counts]) -> Vec<f64> {
    let block = |part: &[Counts]| {
        let mut sum = Counts::new();
        for (stem, count) in part.iter().flatten() {
            *sum.entry(stem.clone()).or_default() += count;
        }
        sum
    };
    (1..counts.len())
        .map(|gap| {
            let before = block(&counts[gap.saturating_sub(BLOCK)..gap]);
            let after = block(&counts[gap..counts.len().min(gap + BLOCK)]);
            cosine(&before, &after)
        })
        .collect()
}

fn cosine(one: &Counts, other: &Counts) -> f64 {
    let length = |counts: &Counts| counts.values().map(|count| count * count).sum::<f64>().sqrt();
    let shared: f64 = one
        .iter()
        .filter_map(|(stem, count)| Some(count * other.get(stem)?))
        .sum();
    let lengths = length(one) * length(other);
    // The sum depends on the order of a map; rounding makes it the same in every run.
    if lengths > 0.0 { round(shared / lengths) } else { 0.0 }
}

/// The gaps that are deep enough: deeper than the mean depth and half a standard deviation, and no two too near.
fn boundaries(cohesion: &[f64]) -> Vec<usize> {
    let depths: Vec<f64> = (0..cohesion.len()).map(|gap| depth(cohesion, gap)).collect();
    let count = depths.len() as f64;
    let mean = depths.iter().sum::<f64>() / count;
    let deviation = (depths.iter().map(|depth| (depth - mean).powi(2)).sum::<f64>() / count).sqrt();
    let mut deepest: Vec<usize> = (0..depths.len())
        .filter(|&gap| depths[gap] > 0.0 && depths[gap] > mean + deviation / 2.0)
        .collect();
    deepest.sort_by(|&a, &b| depths[b].total_cmp(&depths[a]).then(a.cmp(&b)));
    let mut chosen: Vec<usize> = Vec::new();
    for first in deepest.into_iter().map(|gap| gap + 1) {
        let is_apart = chosen.iter().all(|&other| other.abs_diff(first) >= SHORTEST);
        if is_apart && first >= SHORTEST && cohesion.len() + 1 - first >= SHORTEST {
            chosen.push(first);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// How far one climbs from a gap to the nearest hills on both sides.
fn depth(cohesion: &[f64], gap: usize) -> f64 {
    let climb = |path: &mut dyn Iterator<Item = f64>| {
        let mut top = cohesion[gap];
        for height in path {
            if height < top {
                break;
            }
            top = height;
        }
        top - cohesion[gap]
    };
    climb(&mut cohesion[..gap].iter().rev().copied()) + climb(&mut cohesion[gap + 1..].iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::library::tests::transcript;
    use super::*;

    #[test]
    fn a_stream_of_two_topics_is_parted_between_them() {
        let texts = [
            "el contrato guarda saldos",
            "un contrato con saldos y pagos",
            "los pagos del contrato",
            "saldos, pagos y contrato",
            "ahora la guitarra y los acordes",
            "la guitarra suena con acordes menores",
            "acordes en la guitarra",
            "más guitarra",
        ];
        let found = topics(&transcript("a", &texts).transcript);
        let bounds: Vec<_> = found
            .iter()
            .map(|topic| (topic.first_segment, topic.segments, topic.start))
            .collect();
        assert_eq!(bounds, [(0, 4, 0.0), (4, 4, 40.0)]);
        assert!(found[0].phrases.contains(&"contrato".to_owned()), "{found:?}");
        assert!(found[1].phrases.contains(&"guitarra".to_owned()), "{found:?}");
    }

    #[test]
    fn one_topic_is_one() {
        let texts = [
            "el contrato",
            "el contrato",
            "el contrato",
            "el contrato",
            "el contrato",
            "el contrato",
        ];
        assert_eq!(topics(&transcript("a", &texts).transcript).len(), 1);
        assert!(topics(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn topics_together_are_the_whole(texts in proptest::collection::vec("[a-e]{2}( [a-e]{2}){0,4}", 0..25)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let transcript = transcript("a", &texts).transcript;
            let found = topics(&transcript);
            let mut next = 0;
            for topic in &found {
                prop_assert_eq!(topic.first_segment, next);
                prop_assert!(topic.segments >= SHORTEST.min(texts.len()));
                next += topic.segments;
            }
            prop_assert_eq!(next, texts.len());
            prop_assert_eq!(topics(&transcript), found);
        }
    }
}
