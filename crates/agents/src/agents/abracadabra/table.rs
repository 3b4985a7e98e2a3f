//! The index of the transcripts: its tables, and every statement that touches them. Values go in as parameters only.
//!
//! Full text is SQLite's: <https://www.sqlite.org/fts5.html>. It is given our own folded words, so that `CÓDIGO` is found by `codigo`,
//! and `C++` and `node.js` are words, here as everywhere else.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::transcript::{Segment, Transcript};
use crate::text::{Language, words};

pub(super) const SCHEMA: &str = "
CREATE TABLE transcript (number INTEGER PRIMARY KEY, stream_id TEXT NOT NULL UNIQUE, language TEXT NOT NULL, heading TEXT NOT NULL);
CREATE TABLE segment (
    number INTEGER PRIMARY KEY, transcript INTEGER NOT NULL, start REAL NOT NULL, \"end\" REAL NOT NULL, speaker TEXT NOT NULL,
    text TEXT NOT NULL, confidence REAL
);
CREATE INDEX segment_by_transcript ON segment (transcript, number);
CREATE VIRTUAL TABLE segment_words USING fts5(words, content='', tokenize=\"unicode61 remove_diacritics 0 tokenchars '+#._''’'\");
";

/// A segment that holds words that are looked for.
#[derive(Debug)]
pub(super) struct Match {
    /// Without its segments.
    pub(super) transcript: Transcript,
    pub(super) segment: Segment,
    /// BM25, the higher the better.
    pub(super) score: f64,
}

/// What is looked for, and where.
#[derive(Debug)]
pub(super) struct Wanted<'q> {
    /// Folded.
    pub(super) words: &'q [String],
    pub(super) stream_id: Option<&'q str>,
    pub(super) language: Option<Language>,
}

/// Puts a transcript in, unless its stream has one.
pub(super) fn insert(transaction: &Transaction<'_>, transcript: &Transcript) -> rusqlite::Result<()> {
    let heading = Transcript {
        transcript: Vec::new(),
        ..transcript.clone()
    };
    let heading = serde_json::to_string(&heading).expect("a heading is JSON");
    let is_new = transaction
        .prepare_cached("INSERT OR IGNORE INTO transcript (stream_id, language, heading) VALUES (?1, ?2, ?3)")?
        .execute(params![transcript.stream_id, transcript.language.code(), heading])?;
    if is_new == 0 {
        return Ok(());
    }
    let number = transaction.last_insert_rowid();
    for segment in &transcript.transcript {
        insert_segment(transaction, number, segment)?;
    }
    Ok(())
}

fn insert_segment(transaction: &Transaction<'_>, transcript: i64, segment: &Segment) -> rusqlite::Result<()> {
    let Segment {
        start,
        end,
        speaker,
        text,
        confidence,
    } = segment;
    transaction
        .prepare_cached(
            "INSERT INTO segment (transcript, start, \"end\", speaker, text, confidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![transcript, start, end, speaker, text, confidence])?;
    let folded: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    transaction
        .prepare_cached("INSERT INTO segment_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![transaction.last_insert_rowid(), folded.join(" ")])
        .map(drop)
}

/// Every transcript without its segments, with their number, by stream.
pub(super) fn headings(connection: &Connection) -> rusqlite::Result<Vec<(Transcript, usize)>> {
    let mut statement = connection.prepare_cached(
        "SELECT heading, (SELECT count(*) FROM segment WHERE segment.transcript = transcript.number) FROM transcript \
         ORDER BY stream_id",
    )?;
    let rows = statement.query_map([], |row| Ok((heading(row, 0)?, size(row, 1)?)))?;
    rows.collect()
}

/// The whole transcript of a stream.
pub(super) fn transcript(connection: &Connection, stream_id: &str) -> rusqlite::Result<Option<Transcript>> {
    let found = connection
        .prepare_cached("SELECT number, heading FROM transcript WHERE stream_id = ?1")?
        .query_row([stream_id], |row| Ok((row.get::<_, i64>(0)?, heading(row, 1)?)))
        .optional()?;
    let Some((number, heading)) = found else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT start, \"end\", speaker, text, confidence FROM segment WHERE transcript = ?1 ORDER BY number",
    )?;
    let segments = statement.query_map([number], |row| segment(row, 0))?;
    Ok(Some(Transcript {
        transcript: segments.collect::<rusqlite::Result<_>>()?,
        ..heading
    }))
}

/// How many segments there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM segment")?
        .query_row([], |row| size(row, 0))
}

/// The segments that hold one of the words: those from `skipped` on, the best first, and how many there are in all.
pub(super) fn matches(
    connection: &Connection,
    wanted: &Wanted<'_>,
    skipped: usize,
    most: usize,
) -> rusqlite::Result<(Vec<Match>, usize)> {
    const FROM: &str = "FROM segment_words JOIN segment ON segment.number = segment_words.rowid \
         JOIN transcript ON transcript.number = segment.transcript \
         WHERE segment_words MATCH ?1 AND (?2 IS NULL OR stream_id = ?2) AND (?3 IS NULL OR language = ?3)";
    // A word in quotes is looked for as it stands, whatever it holds.
    let quoted: Vec<String> = wanted
        .words
        .iter()
        .map(|word| format!("\"{}\"", word.replace(['"', '\0'], "")))
        .collect();
    let (words, language) = (quoted.join(" OR "), wanted.language.map(Language::code));
    let all = connection
        .prepare_cached(&format!("SELECT count(*) {FROM}"))?
        .query_row(params![words, wanted.stream_id, language], |row| size(row, 0))?;
    let sql = format!(
        "SELECT heading, bm25(segment_words), start, \"end\", speaker, text, confidence {FROM} \
         ORDER BY bm25(segment_words), segment.number LIMIT ?4 OFFSET ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limits = [most, skipped].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    let rows = statement.query_map(
        params![words, wanted.stream_id, language, limits[0], limits[1]],
        |row| {
            Ok(Match {
                transcript: heading(row, 0)?,
                // SQLite's is the better the lower.
                score: -row.get::<_, f64>(1)?,
                segment: segment(row, 2)?,
            })
        },
    )?;
    Ok((rows.collect::<rusqlite::Result<_>>()?, all))
}

fn segment(row: &Row<'_>, from: usize) -> rusqlite::Result<Segment> {
    Ok(Segment {
        start: row.get(from)?,
        end: row.get(from + 1)?,
        speaker: row.get(from + 2)?,
        text: row.get(from + 3)?,
        confidence: row.get(from + 4)?,
    })
}

fn heading(row: &Row<'_>, column: usize) -> rusqlite::Result<Transcript> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn size(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let count: i64 = row.get(column)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::library::tests::transcript as told;
    use super::*;

    fn found(texts: &[&str], words: &[&str]) -> Vec<usize> {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let transaction = connection.transaction().unwrap();
        insert(&transaction, &told("a", texts)).unwrap();
        transaction.commit().unwrap();
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let wanted = Wanted {
            words: &words,
            stream_id: None,
            language: None,
        };
        let (matches, all) = matches(&connection, &wanted, 0, 100).unwrap();
        assert_eq!(matches.len(), all);
        let position = |found: &Match| texts.iter().position(|text| *text == found.segment.text).unwrap();
        matches.iter().map(position).collect()
    }

    #[test]
    fn rare_words_repeated_words_and_short_segments_win() {
        let others = ["uno", "dos", "tres", "cuatro", "cinco"];
        let check = |texts: &[&str], words: &[&str], expected: &[usize]| {
            assert_eq!(
                found(&[texts, &others].concat(), words),
                expected,
                "{texts:?} {words:?}"
            );
        };
        check(&["gas car", "gas token", "gas gas gas"], &["token"], &[1]);
        check(&["gas and a car", "gas gas and gas"], &["gas"], &[1, 0]);
        check(&["gas in a very long story of nothing", "gas"], &["gas"], &[1, 0]);
        check(&["el contrato del gas", "gas y gas"], &["contrato", "gas"], &[0, 1]);
        check(&["Código", "codigo!"], &["codigo"], &[0, 1]);
        check(&["en C++ y node.js", "en C"], &["c++"], &[0]);
        check(&["en C++ y node.js", "en C"], &["node.js"], &[0]);
        check(&["a", "b"], &["NEAR(", "\"", "*"], &[]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn exactly_the_segments_with_a_word_are_found(
            texts in proptest::collection::btree_set("[a-c]( [a-c]){0,5}", 1..8),
            query in proptest::collection::btree_set("[a-d]", 1..3),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let query: Vec<&str> = query.iter().map(String::as_str).collect();
            let mut found = found(&texts, &query);
            found.sort_unstable();
            let holds = |text: &&str| text.split(' ').any(|word| query.contains(&word));
            let expected: Vec<usize> = (0..texts.len()).filter(|&at| holds(&texts[at])).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn no_query_is_an_error(word in ".{1,12}") {
            let _ = found(&["a"], &[&word]);
        }
    }
}
