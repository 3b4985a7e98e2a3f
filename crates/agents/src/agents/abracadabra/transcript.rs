//! Transcripts, as abracadabra takes and gives them, and what they must be to be taken.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::limits;
use crate::text::Language;

/// What was said in one stream: a file `transcription_YYYYMMDD.json`, or the body of `POST /transcripts`.
///
/// `summary`, `key_topics`, `entities`, `statistics` and `metadata`, which files may hold, are not read: what is told
/// of a transcript is computed from its segments.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Transcript {
    pub(super) stream_id: String,
    pub(super) stream_date: Date,
    pub(super) stream_title: String,
    pub(super) streamer: String,
    pub(super) duration_seconds: f64,
    pub(super) language: Language,
    /// In the order of their beginnings.
    pub(super) transcript: Vec<Segment>,
}

/// What one speaker said without a pause. Times are seconds from the stream's beginning.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Segment {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) speaker: String,
    pub(super) text: String,
    /// How sure the transcriber was of the words, from 0 to 1, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f64>,
}

impl Transcript {
    /// Everything but the segments, of which there are so many.
    pub(super) fn heading(&self, segments: usize) -> Value {
        json!({
            "stream_id": self.stream_id,
            "stream_date": self.stream_date,
            "stream_title": self.stream_title,
            "streamer": self.streamer,
            "duration_seconds": self.duration_seconds,
            "language": self.language,
            "segments": segments,
        })
    }
}

/// Refuses a transcript with an empty or endless text, or with times that cannot be.
pub(super) fn check_transcript(transcript: &Transcript) -> Result<(), ApiError> {
    check_text("stream_id", &transcript.stream_id, limits::NAME_CHARACTERS)?;
    check_text("streamer", &transcript.streamer, limits::NAME_CHARACTERS)?;
    check_text("stream_title", &transcript.stream_title, limits::TEXT_CHARACTERS)?;
    let mut earliest = 0.0;
    for (index, segment) in transcript.transcript.iter().enumerate() {
        let field = |name| format!("transcript[{index}].{name}");
        check_text(&field("speaker"), &segment.speaker, limits::NAME_CHARACTERS)?;
        check_text(&field("text"), &segment.text, limits::TEXT_CHARACTERS)?;
        check_time(field("start"), segment.start, earliest, transcript.duration_seconds)?;
        check_time(field("end"), segment.end, segment.start, transcript.duration_seconds)?;
        earliest = segment.start;
    }
    Ok(())
}

fn check_time(field: String, time: f64, earliest: f64, latest: f64) -> Result<(), ApiError> {
    if (earliest..=latest).contains(&time) {
        return Ok(());
    }
    let reason = format!("{time} is not between {earliest} and {latest}");
    Err(ApiError::bad_field(
        field,
        reason,
        "order the segments by start, inside duration_seconds",
    ))
}

fn check_text(field: &str, text: &str, longest: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > longest {
        let reason = format!("has {length} characters, not 1 to {longest}");
        return Err(ApiError::bad_field(field, reason, "give a text of that length"));
    }
    Ok(())
}
