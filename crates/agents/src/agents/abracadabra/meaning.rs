//! Search by meaning: the segments of one stream whose embeddings point where the question's does, in whatever language.
//!
//! It needs a model for embeddings (`OPENAI_EMBEDDING_MODEL`); there is no answer without one.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::transcript::Transcript;
use crate::error::{ApiError, chain};
use crate::limits;
use crate::llm::{Llm, LlmError};
use crate::profile::round;

/// The most segments of a stream that is searched, and the streams whose vectors are kept for the next question.
const MOST_SEGMENTS: usize = 2000;
const STREAMS_KEPT: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
/// Results, unless told.
const RESULTS: usize = 10;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeaningQuery {
    pub(super) q: String,
    pub(super) stream_id: String,
    pub(super) limit: Option<usize>,
}

/// The segments nearest in meaning.
#[derive(Debug, Serialize)]
pub(super) struct Nearest {
    stream_id: String,
    segments_compared: usize,
    results: Vec<Near>,
}

#[derive(Debug, Serialize)]
struct Near {
    start: f64,
    end: f64,
    speaker: String,
    text: String,
    /// The cosine of the angle between the two; comparable only within one answer of one model.
    similarity: f64,
}

/// The vectors of the streams that were asked for last, by the streams' ids.
#[derive(Debug, Default)]
pub(super) struct Vectors(Mutex<Vec<(String, OfSegments)>>);

/// One vector for each segment.
type OfSegments = Arc<Vec<Vec<f32>>>;

/// The segments of a transcript that are nearest to the question.
pub(super) async fn nearest(
    llm: Option<&Llm>,
    vectors: &Vectors,
    transcript: Transcript,
    query: &MeaningQuery,
) -> Result<Nearest, ApiError> {
    let most = check(query, &transcript)?;
    let llm = llm.filter(|llm| llm.has_embeddings()).ok_or_else(no_embeddings)?;
    let asked = llm.embed(std::slice::from_ref(&query.q)).await.map_err(failed)?;
    let of_segments = vectors.of(llm, &transcript).await?;
    let asked = asked.first().map_or(&[][..], Vec::as_slice);
    let similarities = of_segments.iter().map(|vector| cosine(asked, vector));
    let mut ranked: Vec<(usize, f64)> = similarities.enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let near = |(at, similarity): (usize, f64)| {
        let segment = transcript.transcript[at].clone();
        Near {
            start: segment.start,
            end: segment.end,
            speaker: segment.speaker,
            text: segment.text,
            similarity: round(similarity),
        }
    };
    Ok(Nearest {
        segments_compared: ranked.len(),
        results: ranked.into_iter().take(most).map(near).collect(),
        stream_id: transcript.stream_id,
    })
}

impl Vectors {
    /// One for each segment. A stream has one transcript for ever, so its id stands for it.
    async fn of(&self, llm: &Llm, transcript: &Transcript) -> Result<OfSegments, ApiError> {
        if let Some(known) = self.known(&transcript.stream_id) {
            return Ok(known);
        }
        let texts: Vec<String> = transcript
            .transcript
            .iter()
            .map(|segment| segment.text.clone())
            .collect();
        let vectors = Arc::new(llm.embed(&texts).await.map_err(failed)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(stream_id, _)| *stream_id != transcript.stream_id);
        if kept.len() >= STREAMS_KEPT.get() {
            kept.remove(0);
        }
        kept.push((transcript.stream_id.clone(), vectors.clone()));
        Ok(vectors)
    }

    fn known(&self, stream_id: &str) -> Option<OfSegments> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(known, _)| known == stream_id);
        found.map(|(_, vectors)| vectors.clone())
    }
}

fn check(query: &MeaningQuery, transcript: &Transcript) -> Result<usize, ApiError> {
    let length = query.q.chars().count();
    if query.q.trim().is_empty() || length > limits::TEXT_CHARACTERS {
        let reason = format!("has {length} characters, not 1 to {}", limits::TEXT_CHARACTERS);
        return Err(ApiError::bad_field("q", reason, "say what to look for"));
    }
    let segments = transcript.transcript.len();
    if segments > MOST_SEGMENTS {
        let reason = format!("has {segments} segments, and {MOST_SEGMENTS} is the most that is searched by meaning");
        return Err(ApiError::bad_field("stream_id", reason, "use /search"));
    }
    let limit = query.limit.unwrap_or(RESULTS);
    if !(1..=limits::PAGE).contains(&limit) {
        let reason = format!("{limit} is not from 1 to {}", limits::PAGE);
        return Err(ApiError::bad_field("limit", reason, "ask for less"));
    }
    Ok(limit)
}

fn no_embeddings() -> ApiError {
    let reason = "no model for embeddings is configured (OPENAI_EMBEDDING_MODEL)";
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "no_embeddings",
        reason,
        "use /search, which looks for words",
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: LlmError) -> ApiError {
    let help = "use /search, which looks for words, or ask again later";
    ApiError::new(StatusCode::BAD_GATEWAY, "embeddings_failed", chain(&error), help)
}

fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 { dot(one, other) / lengths } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_count_and_lengths_do_not() {
        let check = |one: &[f32], other: &[f32], expected: f64| assert!((cosine(one, other) - expected).abs() < 1e-9);
        check(&[1.0, 0.0], &[7.0, 0.0], 1.0);
        check(&[1.0, 0.0], &[0.0, 2.0], 0.0);
        check(&[1.0, 0.0], &[-1.0, 0.0], -1.0);
        check(&[0.0, 0.0], &[1.0, 0.0], 0.0);
    }
}
