//! The transcripts in memory, and the index over their segments.

use std::collections::BTreeMap;

use axum::http::StatusCode;

use super::index::Index;
use super::transcript::{Segment, Transcript};
use crate::error::ApiError;
use crate::limits;

/// Everything abracadabra knows.
#[derive(Debug, Default)]
pub(super) struct Store {
    transcripts: BTreeMap<String, Transcript>,
    index: Index,
    /// The segment that each document of the index is.
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    stream_id: String,
    segment: usize,
}

impl Store {
    /// Takes a transcript; says whether it was new. A stream has one transcript, so another one is refused.
    pub(super) fn add(&mut self, transcript: Transcript) -> Result<bool, ApiError> {
        if let Some(known) = self.transcripts.get(&transcript.stream_id) {
            return if *known == transcript {
                Ok(false)
            } else {
                Err(contradiction(&transcript.stream_id))
            };
        }
        self.check_room(transcript.transcript.len())?;
        for (segment, Segment { text, .. }) in transcript.transcript.iter().enumerate() {
            self.index.add(text);
            self.places.push(Place {
                stream_id: transcript.stream_id.clone(),
                segment,
            });
        }
        self.transcripts.insert(transcript.stream_id.clone(), transcript);
        Ok(true)
    }

    /// Every transcript, by stream.
    pub(super) fn transcripts(&self) -> impl Iterator<Item = &Transcript> {
        self.transcripts.values()
    }

    /// The transcript of a stream.
    pub(super) fn transcript(&self, stream_id: &str) -> Option<&Transcript> {
        self.transcripts.get(stream_id)
    }

    /// The segments that hold one of the words, best first, with their scores.
    pub(super) fn ranked(&self, words: &[String]) -> impl Iterator<Item = (&Transcript, &Segment, f64)> {
        self.index.rank(words).into_iter().map(|(document, score)| {
            let place = &self.places[document];
            let transcript = &self.transcripts[&place.stream_id];
            (transcript, &transcript.transcript[place.segment], score)
        })
    }

    fn check_room(&self, more: usize) -> Result<(), ApiError> {
        if self.places.len() + more <= limits::STORED_SEGMENTS {
            return Ok(());
        }
        let reason = format!(
            "{} segments are held, and {} is the most",
            self.places.len(),
            limits::STORED_SEGMENTS
        );
        Err(ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            reason,
            "ask another agent to keep it",
        ))
    }
}

fn contradiction(stream_id: &str) -> ApiError {
    let reason = format!("stream `{stream_id}` has another transcript already");
    ApiError::new(
        StatusCode::CONFLICT,
        "contradiction",
        reason,
        "choose another stream_id",
    )
}
