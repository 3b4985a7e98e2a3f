//! What can be wrong with a transcript.

use std::collections::{BTreeMap, BTreeSet};

use super::chat_checks::{claim, found, fraud, quality, share};
use super::score::Deduction;
use super::transcript_data::{Timed, TranscriptData};
use crate::text::words;

/// Nobody speaks faster, in words per minute; short segments are not judged.
const FASTEST: f64 = 300.0;
const JUDGED_SECONDS: f64 = 3.0;
/// Times are rounded; less than this is no overlap.
const ROUNDING: f64 = 0.05;
/// A silence of so many seconds is a gap.
const GAP_SECONDS: f64 = 120.0;

type Check = fn(&TranscriptData) -> Vec<Deduction>;

const CHECKS: [Check; 10] = [
    empty,
    word_claim,
    unreadable,
    negative_spans,
    disorder,
    overlaps,
    beyond_the_end,
    gaps,
    duplicates,
    impossible_speech,
];

/// Everything wrong with the transcript, in the order of the checks.
pub(super) fn deductions(data: &TranscriptData) -> Vec<Deduction> {
    CHECKS.iter().flat_map(|check| check(data)).collect()
}

fn empty(data: &TranscriptData) -> Vec<Deduction> {
    if !data.segments.is_empty() {
        return Vec::new();
    }
    vec![quality("empty", 1.0, "There is no segment.".to_owned(), [])]
}

fn word_claim(data: &TranscriptData) -> Vec<Deduction> {
    claim("declared_words", "words", data.claimed_words, data.words(), 0.3, 0.3)
}

fn unreadable(data: &TranscriptData) -> Vec<Deduction> {
    let is_broken = |segment: &&super::transcript_data::ReadSegment| {
        segment.start.is_none() || segment.end.is_none() || segment.text.is_none()
    };
    let broken = data.segments.iter().filter(is_broken);
    let broken: Vec<String> = broken.map(|segment| format!("transcript[{}]", segment.index)).collect();
    let reason = format!(
        "{} of {} segments lack a time or a text.",
        broken.len(),
        data.segments.len()
    );
    let points = share(broken.len(), data.segments.len()).min(0.5);
    found(broken, |broken| quality("unreadable", points, reason, broken))
}

fn negative_spans(data: &TranscriptData) -> Vec<Deduction> {
    let negative = cite(&data.timed(), |segment| {
        segment.end < segment.start || segment.start < 0.0
    });
    let reason = format!(
        "{} segments end before they begin, or begin before the stream.",
        negative.len()
    );
    let points = share(negative.len(), data.segments.len()).clamp(0.05, 0.4);
    found(negative, |negative| quality("negative_spans", points, reason, negative))
}

fn disorder(data: &TranscriptData) -> Vec<Deduction> {
    let segments = data.timed();
    let backwards = segments.windows(2).filter(|pair| pair[1].start < pair[0].start);
    let backwards: Vec<String> = backwards.map(|pair| pair[1].cite()).collect();
    let reason = format!("{} segments stand after later ones.", backwards.len());
    let points = (share(backwards.len(), segments.len()) / 2.0).clamp(0.02, 0.2);
    found(backwards, |backwards| quality("disorder", points, reason, backwards))
}

/// People interrupt one another; one person does not speak twice at once.
fn overlaps(data: &TranscriptData) -> Vec<Deduction> {
    let mut segments = data.timed();
    segments.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut spoken_until: BTreeMap<Option<&str>, f64> = BTreeMap::new();
    let overlapping = cite(&segments, |segment| {
        let until = spoken_until.entry(segment.speaker).or_insert(f64::NEG_INFINITY);
        let overlaps = segment.start + ROUNDING < *until;
        *until = until.max(segment.end);
        overlaps
    });
    let reason = format!("In {} segments a speaker speaks twice at once.", overlapping.len());
    let points = share(overlapping.len(), segments.len()).min(0.3);
    found(overlapping, |overlapping| {
        quality("overlaps", points, reason, overlapping)
    })
}

fn beyond_the_end(data: &TranscriptData) -> Vec<Deduction> {
    let Some(duration) = data.duration else {
        return Vec::new();
    };
    let beyond = cite(&data.timed(), |segment| segment.end > duration + 1.0);
    let reason = format!("{} segments lie beyond the stream's {duration} seconds.", beyond.len());
    let points = share(beyond.len(), data.segments.len()).clamp(0.05, 0.3);
    found(beyond, |beyond| quality("beyond_the_end", points, reason, beyond))
}

fn gaps(data: &TranscriptData) -> Vec<Deduction> {
    let mut segments = data.timed();
    segments.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut heard_until = 0.0_f64;
    let mut holes = Vec::new();
    for segment in &segments {
        if segment.start - heard_until > GAP_SECONDS {
            holes.push(format!(
                "{:.0} seconds before {}",
                segment.start - heard_until,
                segment.cite()
            ));
        }
        heard_until = heard_until.max(segment.end);
    }
    let rest = data.duration.map_or(0.0, |duration| duration - heard_until);
    if rest > GAP_SECONDS {
        holes.push(format!("{rest:.0} seconds before the stream's end"));
    }
    let reason = format!("{} silences last longer than {GAP_SECONDS} seconds.", holes.len());
    let points = (0.05 * holes.len() as f64).min(0.2);
    found(holes, |holes| quality("gaps", points, reason, holes))
}

fn duplicates(data: &TranscriptData) -> Vec<Deduction> {
    let mut seen = BTreeSet::new();
    let again = cite(&data.timed(), |segment| {
        segment
            .text
            .is_some_and(|text| words(text).len() >= 4 && !seen.insert(text))
    });
    let part = share(again.len(), data.segments.len());
    let reason = format!("{} segments repeat an earlier one word for word.", again.len());
    let suspicious = found(again.clone(), |again| {
        fraud("duplicates", (part / 2.0).min(0.3), reason.clone(), again)
    });
    found(again, |again| quality("duplicates", part.min(0.4), reason, again))
        .into_iter()
        .chain(suspicious)
        .collect()
}

fn impossible_speech(data: &TranscriptData) -> Vec<Deduction> {
    let is_impossible = |segment: &Timed| {
        let seconds = segment.end - segment.start;
        let count = words(segment.text.unwrap_or_default()).len();
        seconds >= JUDGED_SECONDS && count as f64 * 60.0 / seconds > FASTEST
    };
    let impossible = cite(&data.timed(), is_impossible);
    let reason = format!(
        "{} segments are faster than {FASTEST} words per minute.",
        impossible.len()
    );
    let points = share(impossible.len(), data.segments.len()).clamp(0.05, 0.4);
    found(impossible, |impossible| {
        fraud("impossible_speech", points, reason, impossible)
    })
}

fn cite<'d>(segments: &[Timed<'d>], mut is_wrong: impl FnMut(&Timed<'d>) -> bool) -> Vec<String> {
    segments
        .iter()
        .filter(|segment| is_wrong(segment))
        .map(Timed::cite)
        .collect()
}
