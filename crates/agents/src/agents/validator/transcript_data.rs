//! Reading a transcript that may be wrong in any way.

use serde_json::{Map, Value};

use super::chat_data::list;
use crate::error::ApiError;
use crate::text::words;

/// A transcript as far as it can be read.
#[derive(Debug)]
pub(super) struct TranscriptData<'d> {
    pub(super) segments: Vec<ReadSegment<'d>>,
    /// In seconds, as claimed.
    pub(super) duration: Option<f64>,
    pub(super) claimed_words: Option<u64>,
}

/// A segment as far as it can be read. Times are seconds from the stream's beginning.
#[derive(Debug)]
pub(super) struct ReadSegment<'d> {
    pub(super) index: usize,
    pub(super) start: Option<f64>,
    pub(super) end: Option<f64>,
    pub(super) speaker: Option<&'d str>,
    pub(super) text: Option<&'d str>,
}

/// A segment with both its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed<'d> {
    pub(super) index: usize,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) speaker: Option<&'d str>,
    pub(super) text: Option<&'d str>,
}

impl<'d> TranscriptData<'d> {
    /// Refuses only what has no segments to look at.
    pub(super) fn read(data: &'d Map<String, Value>) -> Result<TranscriptData<'d>, ApiError> {
        let segments = list(data, "transcript")?;
        let statistic = |name| data.get("statistics").and_then(|all| all.get(name));
        Ok(TranscriptData {
            segments: segments
                .iter()
                .enumerate()
                .map(|(index, segment)| ReadSegment::read(index, segment))
                .collect(),
            duration: data.get("duration_seconds").and_then(Value::as_f64),
            claimed_words: statistic("total_words").and_then(Value::as_u64),
        })
    }

    /// The words of all texts.
    pub(super) fn words(&self) -> usize {
        self.segments
            .iter()
            .filter_map(|segment| segment.text)
            .map(|text| words(text).len())
            .sum()
    }

    /// The segments whose times can be read, as they stand in the transcript.
    pub(super) fn timed(&self) -> Vec<Timed<'d>> {
        self.segments.iter().filter_map(ReadSegment::timed).collect()
    }
}

impl<'d> ReadSegment<'d> {
    fn read(index: usize, segment: &'d Value) -> ReadSegment<'d> {
        let text = |name| {
            segment
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
        };
        let seconds = |name| segment.get(name).and_then(Value::as_f64);
        ReadSegment {
            index,
            start: seconds("start"),
            end: seconds("end"),
            speaker: text("speaker"),
            text: text("text"),
        }
    }

    fn timed(&self) -> Option<Timed<'d>> {
        let (start, end) = (self.start?, self.end?);
        Some(Timed {
            index: self.index,
            start,
            end,
            speaker: self.speaker,
            text: self.text,
        })
    }
}

impl Timed<'_> {
    /// Where it stands and what it says, as evidence.
    pub(super) fn cite(&self) -> String {
        let text: String = self.text.unwrap_or_default().chars().take(80).collect();
        format!("transcript[{}] {} to {}: {text}", self.index, self.start, self.end)
    }
}
