//! The transcripts: kept in the store that all tasks share, and asked from this task's index of it.

use std::sync::Arc;

use axum::http::StatusCode;
use rusqlite::{Connection, Transaction};

use super::search::{Results, SearchQuery, search};
use super::table;
use super::transcript::Transcript;
use crate::error::ApiError;
use crate::limits;
use crate::store::{Decision, Position, Projection, Store, StoreError, View};

const PROJECTION: Projection = Projection {
    journal: "transcripts",
    schema: table::SCHEMA,
    apply,
};

/// Everything abracadabra knows. Clones are the same library.
#[derive(Clone, Debug)]
pub(super) struct Library(View);

/// What became of a transcript that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    Taken,
    AlreadyKnown,
}

impl Library {
    /// The library in this store.
    pub(super) fn open(store: &Store) -> Result<Library, StoreError> {
        View::open(store, PROJECTION).map(Library)
    }

    /// The index of it.
    pub(super) fn view(&self) -> View {
        self.0.clone()
    }

    /// Puts a transcript into the index that every task has from its image.
    pub(super) fn seed(&self, transcript: &Transcript) -> Result<(), StoreError> {
        self.0.seed(|transaction| table::insert(transaction, transcript))
    }

    /// Takes a transcript. A stream has one, so another one is refused.
    pub(super) async fn add(&self, transcript: Transcript) -> Result<Receipt, ApiError> {
        let transcript = Arc::new(transcript);
        self.0.append(move |connection| decide(connection, &transcript)).await
    }

    /// Every transcript without its segments, with their number, by stream.
    pub(super) async fn headings(&self) -> Result<Vec<(Transcript, usize)>, ApiError> {
        Ok(self.0.read(table::headings).await?.map_err(StoreError::from)?)
    }

    /// The transcripts, without their segments, that fulfil a condition; what another task took a moment ago among them, if it is
    /// the only one.
    pub(super) async fn matching(&self, is_meant: impl Fn(&Transcript) -> bool) -> Result<Vec<Transcript>, ApiError> {
        let meant = |headings: Vec<(Transcript, usize)>| -> Vec<Transcript> {
            let transcripts = headings.into_iter().map(|(transcript, _)| transcript);
            transcripts.filter(&is_meant).collect()
        };
        let found = meant(self.headings().await?);
        if !found.is_empty() {
            return Ok(found);
        }
        self.0.catch_up().await?;
        Ok(meant(self.headings().await?))
    }

    /// The whole transcript of a stream.
    pub(super) async fn transcript(&self, stream_id: &str) -> Result<Option<Transcript>, ApiError> {
        let id = stream_id.to_owned();
        Ok(self
            .0
            .find(move |connection| table::transcript(connection, &id))
            .await?)
    }

    /// The page of segments that match best.
    pub(super) async fn search(&self, query: SearchQuery) -> Result<Results, ApiError> {
        let query = Arc::new(query);
        let ask = |query: Arc<SearchQuery>| move |connection: &Connection| search(connection, &query);
        match self.0.read(ask(query.clone())).await? {
            Ok(results) if !results.is_empty() => Ok(results),
            Err(error) if error.status != StatusCode::NOT_FOUND => Err(error),
            _ => {
                self.0.catch_up().await?;
                self.0.read(ask(query)).await?
            }
        }
    }
}

fn decide(connection: &Connection, transcript: &Transcript) -> Result<Decision<Receipt>, ApiError> {
    match table::transcript(connection, &transcript.stream_id).map_err(StoreError::from)? {
        Some(known) if known == *transcript => Ok(Decision::Leave(Receipt::AlreadyKnown)),
        Some(_) => Err(contradiction(&transcript.stream_id)),
        None => {
            check_room(connection, transcript.transcript.len())?;
            let entry = serde_json::to_vec(transcript).expect("a transcript is JSON");
            Ok(Decision::Append(entry, Receipt::Taken))
        }
    }
}

fn apply(transaction: &Transaction<'_>, _: Position, entry: &[u8]) -> rusqlite::Result<()> {
    match serde_json::from_slice(entry) {
        Ok(transcript) => table::insert(transaction, &transcript),
        Err(_) => Ok(()),
    }
}

fn check_room(connection: &Connection, more: usize) -> Result<(), ApiError> {
    let count = table::count(connection).map_err(StoreError::from)?;
    if count + more <= limits::STORED_SEGMENTS {
        return Ok(());
    }
    let reason = format!("{count} segments are held, and {} is the most", limits::STORED_SEGMENTS);
    let help = "ask another agent to keep it";
    Err(ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "full", reason, help))
}

fn contradiction(stream_id: &str) -> ApiError {
    let reason = format!("stream `{stream_id}` has another transcript already");
    let help = "choose another stream_id";
    ApiError::new(StatusCode::CONFLICT, "contradiction", reason, help)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::transcript::Segment;
    use super::*;

    /// A transcript of ten-second segments.
    pub(in super::super) fn transcript(stream_id: &str, texts: &[&str]) -> Transcript {
        let segment = |(number, text): (u16, &&str)| Segment {
            start: f64::from(number) * 10.0,
            end: f64::from(number) * 10.0 + 9.0,
            speaker: "ana".to_owned(),
            text: (*text).to_owned(),
            confidence: None,
        };
        Transcript {
            stream_id: stream_id.to_owned(),
            stream_date: "2026-01-12".parse().unwrap(),
            stream_title: "t".to_owned(),
            streamer: "ana".to_owned(),
            duration_seconds: 10_000.0,
            language: crate::text::Language::Spanish,
            transcript: (0..).zip(texts).map(segment).collect(),
        }
    }

    #[tokio::test]
    async fn what_one_task_takes_another_gives() {
        let store = Store::open(None, "abracadabra").unwrap();
        let (one, other) = (Library::open(&store).unwrap(), Library::open(&store).unwrap());
        assert!(other.transcript("a").await.unwrap().is_none());
        let told = transcript("a", &["Hola a todos", "El nonce es aleatorio"]);
        assert_eq!(one.add(told.clone()).await.unwrap(), Receipt::Taken);
        assert_eq!(other.transcript("a").await.unwrap(), Some(told.clone()));
        assert_eq!(other.add(told).await.unwrap(), Receipt::AlreadyKnown);
        let error = other.add(transcript("a", &["Otra cosa"])).await.unwrap_err();
        assert_eq!(error.status, StatusCode::CONFLICT);
        assert_eq!(other.headings().await.unwrap()[0].1, 2);
    }
}
