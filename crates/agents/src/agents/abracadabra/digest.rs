//! A transcript in short: the passages that speak of its topics most.

use serde::Serialize;

use super::transcript::{Segment, Transcript};
use crate::text::{Keyphrase, Phrases};

/// How many passages there are at most.
const PASSAGES: usize = 3;

/// A segment, quoted.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Passage {
    start: f64,
    speaker: String,
    text: String,
}

/// The passages with the highest sum of the scores of the topics in them, in the order of the stream. A topic counts
/// for the first passage that holds it, so that three passages do not say the same.
pub(super) fn summary(transcript: &Transcript, topics: &[Keyphrase]) -> Vec<Passage> {
    // Topics come from a text's own words, each phrase once.
    let phrases = Phrases::new(
        topics
            .iter()
            .enumerate()
            .map(|(number, topic)| (topic.phrase.as_str(), number)),
    );
    let Ok(phrases) = phrases else { return Vec::new() };
    let mut topics_left: Vec<Option<f64>> = topics.iter().map(|topic| Some(topic.score)).collect();
    let mut chosen: Vec<usize> = Vec::new();
    for _ in 0..PASSAGES {
        let worth = |segment: &Segment| worth(&phrases.find(&segment.text), &topics_left);
        let candidates = transcript
            .transcript
            .iter()
            .enumerate()
            .map(|(at, segment)| (at, worth(segment)));
        // The reverse makes the first of equals the last maximum.
        let Some((best, _)) = candidates
            .rev()
            .filter(|(_, worth)| *worth > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1))
        else {
            break;
        };
        for topic in phrases.find(&transcript.transcript[best].text) {
            topics_left[topic] = None;
        }
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen
        .into_iter()
        .map(|at| Passage::of(&transcript.transcript[at]))
        .collect()
}

fn worth(topics: &[usize], left: &[Option<f64>]) -> f64 {
    let mut distinct = topics.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.into_iter().filter_map(|topic| left[topic]).sum()
}

impl Passage {
    fn of(segment: &Segment) -> Passage {
        Passage {
            start: segment.start,
            speaker: segment.speaker.clone(),
            text: segment.text.clone(),
        }
    }
}
