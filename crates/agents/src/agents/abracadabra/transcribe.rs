//! Transcripts as Amazon Transcribe writes them.
//!
//! Numbers are strings there; words and marks are items, and newer outputs also have them put together as audio segments.
//! See <https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output>.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::transcript::{Segment, Transcript};
use crate::error::ApiError;
use crate::limits;
use crate::text::Language;

/// A pause of so many seconds ends a segment, and so does a sentence's end after so many words, or as many as nobody reads at once.
const PAUSE_SECONDS: f64 = 1.5;
const SENTENCE_WORDS: usize = 8;
const MOST_WORDS: usize = 60;

/// The body of `POST /aws_transcripts`: what Transcribe does not know of a stream, and its output.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AwsTranscript {
    stream_id: String,
    stream_date: Date,
    stream_title: String,
    streamer: String,
    /// If the output does not say it.
    language: Option<Language>,
    /// Until the end of the last segment, unless told.
    duration_seconds: Option<f64>,
    transcribe: Output,
}

#[derive(Debug, Deserialize)]
struct Output {
    results: OutputResults,
}

#[derive(Debug, Deserialize)]
struct OutputResults {
    language_code: Option<String>,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    audio_segments: Vec<AudioSegment>,
}

#[derive(Debug, Deserialize)]
struct Item {
    r#type: ItemType,
    #[serde(default, deserialize_with = "number")]
    start_time: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    end_time: Option<f64>,
    speaker_label: Option<String>,
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ItemType {
    Pronunciation,
    Punctuation,
}

#[derive(Debug, Deserialize)]
struct Alternative {
    #[serde(default, deserialize_with = "number")]
    confidence: Option<f64>,
    content: String,
}

#[derive(Debug, Deserialize)]
struct AudioSegment {
    transcript: String,
    #[serde(default, deserialize_with = "number")]
    start_time: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    end_time: Option<f64>,
    speaker_label: Option<String>,
    /// The numbers of its items.
    #[serde(default)]
    items: Vec<usize>,
}

/// A segment that items are still added to.
#[derive(Debug, Default)]
struct Growing {
    text: String,
    start: f64,
    end: f64,
    speaker: Option<String>,
    words: usize,
    confidences: Vec<f64>,
}

impl AwsTranscript {
    /// As a transcript of ours.
    pub(super) fn into_transcript(self) -> Result<Transcript, ApiError> {
        let results = &self.transcribe.results;
        let told = results.language_code.as_deref().and_then(Language::of_code);
        let language = self.language.or(told).ok_or_else(unknown_language)?;
        let segments = if results.audio_segments.is_empty() {
            from_items(&results.items, &self.streamer)
        } else {
            from_audio_segments(results, &self.streamer)
        };
        let last = segments.iter().map(|segment| segment.end).fold(0.0, f64::max);
        Ok(Transcript {
            duration_seconds: self.duration_seconds.unwrap_or(last),
            stream_id: self.stream_id,
            stream_date: self.stream_date,
            stream_title: self.stream_title,
            streamer: self.streamer,
            language,
            transcript: segments,
        })
    }
}

fn unknown_language() -> ApiError {
    ApiError::bad_field(
        "language",
        "is not given, and the output names none that is known",
        "give en, es or pt",
    )
}

fn from_audio_segments(results: &OutputResults, streamer: &str) -> Vec<Segment> {
    let segment = |audio: &AudioSegment| {
        let confidences = audio
            .items
            .iter()
            .filter_map(|&at| results.items.get(at))
            .filter_map(confidence);
        Some(Segment {
            start: audio.start_time?,
            end: audio.end_time?,
            speaker: speaker(audio.speaker_label.as_deref(), streamer),
            text: audio.transcript.trim().to_owned(),
            confidence: mean(&confidences.collect::<Vec<_>>()),
        })
    };
    let segments = results.audio_segments.iter().filter_map(segment);
    segments.filter(|segment| !segment.text.is_empty()).collect()
}

fn from_items(items: &[Item], streamer: &str) -> Vec<Segment> {
    let (mut segments, mut growing) = (Vec::new(), Growing::default());
    for item in items {
        if growing.ends_before(item) {
            segments.extend(std::mem::take(&mut growing).finish(streamer));
        }
        growing.add(item);
    }
    segments.extend(growing.finish(streamer));
    segments
}

impl Growing {
    fn ends_before(&self, item: &Item) -> bool {
        let Some(start) = item.start_time.filter(|_| item.r#type == ItemType::Pronunciation) else {
            return false;
        };
        let ends_sentence = self.text.ends_with(['.', '?', '!']) && self.words >= SENTENCE_WORDS;
        self.words > 0
            && (item.speaker_label != self.speaker
                || start - self.end > PAUSE_SECONDS
                || ends_sentence
                || self.words >= MOST_WORDS
                || self.text.chars().count() + limits::NAME_CHARACTERS > limits::TEXT_CHARACTERS)
    }

    fn add(&mut self, item: &Item) {
        let Some(best) = item.alternatives.first() else { return };
        if item.r#type == ItemType::Punctuation {
            self.text.push_str(&best.content);
            return;
        }
        if self.words == 0 {
            self.start = item.start_time.unwrap_or(self.end);
            self.speaker.clone_from(&item.speaker_label);
        } else {
            self.text.push(' ');
        }
        self.text.push_str(&best.content);
        self.end = item.end_time.unwrap_or(self.end).max(self.start);
        self.words += 1;
        self.confidences.extend(confidence(item));
    }

    /// Marks before the first word say nothing.
    fn finish(self, streamer: &str) -> Option<Segment> {
        (self.words > 0).then(|| Segment {
            start: self.start,
            end: self.end,
            speaker: speaker(self.speaker.as_deref(), streamer),
            text: self.text,
            confidence: mean(&self.confidences),
        })
    }
}

/// Transcribe numbers the speakers; where it does not tell them apart, it is the streamer.
fn speaker(label: Option<&str>, streamer: &str) -> String {
    label.unwrap_or(streamer).to_owned()
}

fn confidence(item: &Item) -> Option<f64> {
    let best = item.alternatives.first()?;
    best.confidence.filter(|_| item.r#type == ItemType::Pronunciation)
}

fn mean(confidences: &[f64]) -> Option<f64> {
    let mean = confidences.iter().sum::<f64>() / confidences.len() as f64;
    (!confidences.is_empty()).then(|| crate::profile::round(mean))
}

/// A number, or a string that holds one.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number, as such or as a string")]
    enum Number {
        Plain(f64),
        Text(String),
    }
    match Option::<Number>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Number::Plain(number)) => Ok(Some(number)),
        Some(Number::Text(text)) => {
            let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
            let error = || serde::de::Error::custom(format!("`{text}` is not a number"));
            number.map(Some).ok_or_else(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::transcript::check_transcript;
    use super::*;
    use crate::fuzz::fuzz;

    fn word(start: f64, end: f64, content: &str, confidence: &str, speaker: &str) -> Value {
        json!({
            "type": "pronunciation", "start_time": start.to_string(), "end_time": end.to_string(),
            "speaker_label": speaker, "alternatives": [{ "confidence": confidence, "content": content }],
        })
    }

    fn mark(content: &str) -> Value {
        json!({ "type": "punctuation", "alternatives": [{ "confidence": "0.0", "content": content }] })
    }

    fn read(results: &Value) -> Result<Transcript, ApiError> {
        let body = json!({
            "stream_id": "s", "stream_date": "2026-02-01", "stream_title": "T", "streamer": "eva",
            "transcribe": { "jobName": "j", "status": "COMPLETED", "results": results },
        });
        serde_json::from_value::<AwsTranscript>(body).unwrap().into_transcript()
    }

    #[test]
    fn items_become_segments_with_the_mean_confidence_of_their_words() {
        let results = json!({ "language_code": "es-US", "transcripts": [{ "transcript": "…" }], "items": [
            word(0.5, 1.0, "Hola", "0.9", "spk_0"), mark(","), word(1.1, 1.5, "chat", "0.8", "spk_0"), mark("."),
            word(1.6, 2.0, "Hola", "1.0", "spk_1"),
            word(5.0, 5.5, "Sigo", "0.5", "spk_1"),
        ]});
        let transcript = read(&results).unwrap();
        let found: Vec<_> = transcript
            .transcript
            .iter()
            .map(|one| {
                (
                    one.start,
                    one.end,
                    one.speaker.as_str(),
                    one.text.as_str(),
                    one.confidence,
                )
            })
            .collect();
        let expected = [
            (0.5, 1.5, "spk_0", "Hola, chat.", Some(0.85)),
            (1.6, 2.0, "spk_1", "Hola", Some(1.0)),
            (5.0, 5.5, "spk_1", "Sigo", Some(0.5)),
        ];
        assert_eq!(found, expected);
        assert_eq!(
            (transcript.language, transcript.duration_seconds),
            (Language::Spanish, 5.5)
        );
        check_transcript(&transcript).unwrap();
    }

    #[test]
    fn audio_segments_are_taken_as_they_are() {
        let results = json!({ "language_code": "pt-BR",
            "items": [word(0.0, 1.0, "Olá", "0.6", "spk_0"), word(1.0, 2.0, "gente", "0.8", "spk_0")],
            "audio_segments": [
                { "id": 0, "transcript": "Olá gente", "start_time": "0.0", "end_time": "2.0", "items": [0, 1] },
                { "id": 1, "transcript": " ", "start_time": "2.0", "end_time": "3.0", "items": [] },
            ],
        });
        let transcript = read(&results).unwrap();
        let expected = [Segment {
            start: 0.0,
            end: 2.0,
            speaker: "eva".into(),
            text: "Olá gente".into(),
            confidence: Some(0.7),
        }];
        assert_eq!(transcript.transcript, expected);
    }

    #[test]
    fn long_speech_is_parted_at_sentences() {
        let mut items: Vec<Value> = (0..9)
            .map(|at| word(f64::from(at), f64::from(at) + 0.9, "bla", "1.0", "spk_0"))
            .collect();
        items.extend([mark("."), word(9.0, 9.9, "Fin", "1.0", "spk_0")]);
        let transcript = read(&json!({ "language_code": "en-US", "items": items })).unwrap();
        assert_eq!(transcript.transcript.len(), 2);
        assert!(transcript.transcript[0].text.ends_with("bla."));
    }

    #[test]
    fn an_unknown_language_is_asked_for() {
        assert_eq!(
            read(&json!({ "language_code": "de-DE" })).unwrap_err().field.as_deref(),
            Some("language")
        );
    }

    proptest! {
        #[test]
        fn every_word_is_in_one_segment_and_times_never_go_back(
            words in proptest::collection::vec((0_u8..30, 1_u8..20, 0_u8..3, any::<bool>()), 0..150),
        ) {
            let (mut items, mut now) = (Vec::new(), 0.0);
            for (pause, length, speaker, ends) in &words {
                let start = now + f64::from(*pause) / 10.0;
                now = start + f64::from(*length) / 10.0;
                items.push(word(start, now, "w", "0.5", &format!("spk_{speaker}")));
                items.extend(ends.then(|| mark(".")));
            }
            let transcript = read(&json!({ "language_code": "en", "items": items })).unwrap();
            prop_assert!(check_transcript(&transcript).is_ok());
            let counted: usize = transcript.transcript.iter().map(|one| one.text.matches('w').count()).sum();
            prop_assert_eq!(counted, words.len());
        }
    }

    #[test]
    fn no_changed_file_breaks_it() {
        let file = json!({
            "stream_id": "s", "stream_date": "2026-01-12", "stream_title": "t", "streamer": "ana", "transcribe": { "results": {
                "language_code": "es-ES",
                "items": [word(0.0, 0.5, "hola", "0.9", "spk_0"), mark("."), word(0.6, 1.0, "chat", "0.8", "spk_1")],
                "audio_segments": [],
            } },
        })
        .to_string();
        assert!(serde_json::from_str::<AwsTranscript>(&file).is_ok_and(|file| file.into_transcript().is_ok()));
        fuzz(&[&file], |bytes| {
            let read = serde_json::from_slice::<AwsTranscript>(bytes).ok();
            if let Some(transcript) = read.and_then(|file| file.into_transcript().ok()) {
                let _ = check_transcript(&transcript);
            }
        });
    }
}
