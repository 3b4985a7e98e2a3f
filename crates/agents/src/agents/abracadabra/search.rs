//! Answering `/search`.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::table::{Match, Wanted, matches};
use crate::error::ApiError;
use crate::limits;
use crate::store::StoreError;
use crate::text::{Language, Word, is_stop_word, words};

/// How many words of a segment a snippet shows before the first match, and in all.
const WORDS_BEFORE: usize = 8;
const SNIPPET_WORDS: usize = 30;
/// Results in a page, unless told.
const PAGE: usize = 20;
/// The longest query, in words.
const QUERY_WORDS: usize = 32;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    q: String,
    stream_id: Option<String>,
    language: Option<Language>,
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<usize>,
}

/// A page of results, best first.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    /// The words that were looked for, folded.
    words: Vec<String>,
    /// In all pages.
    total_results: usize,
    results: Vec<Found>,
    next_cursor: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Found {
    stream_id: String,
    stream_title: String,
    speaker: String,
    /// Seconds from the stream's beginning.
    start: f64,
    end: f64,
    /// The start as hours, minutes and seconds.
    at: String,
    /// BM25; comparable only within one answer.
    score: f64,
    snippet: String,
    /// Where the words stand in the snippet, as [from, to) in characters.
    highlights: Vec<[usize; 2]>,
}

/// The page of segments that match best.
pub(super) fn search(connection: &Connection, query: &SearchQuery) -> Result<Results, ApiError> {
    let words = wanted_words(&query.q)?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=limits::PAGE).contains(&limit) {
        let reason = format!("{limit} is not from 1 to {}", limits::PAGE);
        let help = "ask for less, and for the rest by next_cursor";
        return Err(ApiError::bad_field("limit", reason, help));
    }
    if let Some(id) = &query.stream_id {
        check_stream(connection, id)?;
    }
    let wanted = Wanted {
        words: &words,
        stream_id: query.stream_id.as_deref(),
        language: query.language,
    };
    let skipped = query.cursor.unwrap_or(0);
    let (page, total_results) = matches(connection, &wanted, skipped, limit).map_err(StoreError::from)?;
    let results: Vec<Found> = page.into_iter().map(|found| Found::new(found, &words)).collect();
    let next = skipped.saturating_add(results.len());
    Ok(Results {
        words,
        total_results,
        results,
        next_cursor: (next < total_results).then_some(next),
    })
}

fn check_stream(connection: &Connection, stream_id: &str) -> Result<(), ApiError> {
    let known = super::table::transcript(connection, stream_id).map_err(StoreError::from)?;
    let unknown = || {
        let reason = format!("no transcript of stream `{stream_id}` is held");
        ApiError::not_found("unknown_stream", reason, "see /transcripts for what there is")
    };
    known.map(drop).ok_or_else(unknown)
}

impl Results {
    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.total_results == 0
    }
}

/// The query's words, each once. Words without meaning are left out unless there are no others.
fn wanted_words(q: &str) -> Result<Vec<String>, ApiError> {
    let mut all: Vec<String> = Vec::new();
    for Word { folded, .. } in words(q) {
        if !all.contains(&folded) {
            all.push(folded);
        }
    }
    if all.is_empty() || all.len() > QUERY_WORDS {
        let reason = format!("has {} words, not 1 to {QUERY_WORDS}", all.len());
        return Err(ApiError::bad_field("q", reason, "give the words to look for"));
    }
    let meaning: Vec<String> = all.iter().filter(|word| !is_stop_word(word)).cloned().collect();
    Ok(if meaning.is_empty() { all } else { meaning })
}

impl Found {
    fn new(found: Match, wanted: &[String]) -> Found {
        let Match {
            transcript,
            segment,
            score,
        } = found;
        let (snippet, highlights) = snippet(&segment.text, wanted);
        Found {
            stream_id: transcript.stream_id,
            stream_title: transcript.stream_title,
            speaker: segment.speaker,
            start: segment.start,
            end: segment.end,
            at: clock(segment.start),
            score: (score * 1e6).round() / 1e6,
            snippet,
            highlights,
        }
    }
}

/// The part of a text around the first match, and where the matches are in it.
fn snippet(text: &str, wanted: &[String]) -> (String, Vec<[usize; 2]>) {
    let all = words(text);
    let first = all.iter().position(|word| wanted.contains(&word.folded)).unwrap_or(0);
    let from = first.saturating_sub(WORDS_BEFORE);
    let shown = &all[from..all.len().min(from + SNIPPET_WORDS)];
    let begin = if from == 0 { 0 } else { shown[0].start };
    let is_cut = from + shown.len() < all.len();
    let end = if is_cut { shown[shown.len() - 1].end } else { text.len() };
    let (before, after) = (if from == 0 { "" } else { "… " }, if is_cut { " …" } else { "" });
    let offset = before.chars().count();
    let character = |byte: usize| offset + text[begin..byte].chars().count();
    let matches = shown.iter().filter(|word| wanted.contains(&word.folded));
    let highlights = matches
        .map(|word| [character(word.start), character(word.end)])
        .collect();
    (format!("{before}{}{after}", &text[begin..end]), highlights)
}

fn clock(seconds: f64) -> String {
    // Transcripts are checked: their times lie between nothing and the stream's duration.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let seconds = seconds as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str, wanted: &[&str]) -> String {
        let (snippet, highlights) = snippet(text, &wanted.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut marked = String::new();
        for (at, letter) in snippet.chars().enumerate() {
            marked.push_str(if highlights.iter().any(|[from, _]| *from == at) {
                "["
            } else {
                ""
            });
            marked.push(letter);
            marked.push_str(if highlights.iter().any(|[_, to]| *to == at + 1) {
                "]"
            } else {
                ""
            });
        }
        marked
    }

    #[test]
    fn the_matches_are_where_the_highlights_say() {
        assert_eq!(
            marked("¡El código, el CODIGO! 🔥", &["codigo"]),
            "¡El [código], el [CODIGO]! 🔥"
        );
        let long = format!("{}aquí{}", "uno ".repeat(20), " dos".repeat(40));
        let expected = format!("… {}[aquí]{} …", "uno ".repeat(8), " dos".repeat(21));
        assert_eq!(marked(&long, &["aqui"]), expected);
    }

    #[test]
    fn clocks() {
        assert_eq!(
            (clock(59.9), clock(3725.0)),
            ("00:00:59".to_owned(), "01:02:05".to_owned())
        );
    }

    #[test]
    fn words_without_meaning_count_only_alone() {
        assert_eq!(wanted_words("¿Qué es el NONCE?").unwrap(), ["nonce"]);
        assert_eq!(wanted_words("to be or not").unwrap(), ["to", "be", "or", "not"]);
        assert_eq!(wanted_words("?!").unwrap_err().field.as_deref(), Some("q"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", word in "[a-z]{1,2}") {
            let (snippet, highlights) = snippet(&text, &[word]);
            let length = snippet.chars().count();
            prop_assert!(highlights.iter().all(|[from, to]| from < to && *to <= length));
        }
    }
}
