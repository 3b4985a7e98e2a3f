//! The messages: kept in the store that all tasks share, and asked from this task's index of it.
//!
//! A message's identity is its stream, instant, user and text, so that a log sent twice, or half of it again, or the same
//! message heard by three tasks, changes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::query::{Answer, answer};
use super::table::{self, StreamCount};
use crate::chat::{ChatLog, ChatQuery, Message, Stream};
use crate::error::ApiError;
use crate::limits;
use crate::store::{Decision, Position, Projection, Store, StoreError, View};

const PROJECTION: Projection = Projection {
    journal: "messages",
    schema: table::SCHEMA,
    apply,
};

/// How often the store is looked through for what is too old.
const CLEANING: Duration = Duration::from_hours(1);

/// Everything karma-hello knows. Clones are the same archive.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    view: View,
    retention: Option<Duration>,
}

/// What became of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Added {
    pub(super) added: usize,
    pub(super) already_known: usize,
    /// Older than what is kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) expired: usize,
}

/// An entry of the journal: messages that were new when it was written.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    stream: Stream,
    messages: Vec<Message>,
}

impl Archive {
    /// The archive in this store. Messages older than `retention`, by their own time, are not given out, not taken, and
    /// removed.
    pub(super) fn open(store: &Store, retention: Option<Duration>) -> Result<Archive, StoreError> {
        let view = View::open(store, PROJECTION)?;
        Ok(Archive { view, retention })
    }

    /// The index of it.
    pub(super) fn view(&self) -> View {
        self.view.clone()
    }

    /// Puts a log into the index that every task has from its image.
    pub(super) fn seed(&self, log: &ChatLog) -> Result<(), StoreError> {
        let oldest = self.oldest(Timestamp::now());
        let kept = log.messages.iter().filter(|message| is_kept(message, oldest)).cloned();
        let entry = Entry {
            stream: log.stream(),
            messages: kept.collect(),
        };
        self.view.seed(|transaction| take(transaction, &entry))
    }

    /// Takes the messages that are new. Nothing is taken of a log that contradicts what is known of its stream.
    pub(super) async fn add(&self, log: ChatLog) -> Result<Added, ApiError> {
        let log = Arc::new(log);
        let oldest = self.oldest(Timestamp::now());
        self.view
            .append(move |connection| decide(connection, &log, oldest))
            .await
    }

    /// The page that the query asks for.
    pub(super) async fn answer(&self, query: ChatQuery) -> Result<Answer, ApiError> {
        let query = Arc::new(query);
        match self.ask(query.clone()).await {
            Ok(answer) if !answer.messages.is_empty() => Ok(answer),
            Err(error) if error.status != StatusCode::NOT_FOUND => Err(error),
            // Another task may have taken it a moment ago.
            _ => {
                self.view.catch_up().await?;
                self.ask(query).await
            }
        }
    }

    /// Every stream, by id.
    pub(super) async fn streams(&self) -> Result<Vec<StreamCount>, ApiError> {
        let oldest = self.oldest(Timestamp::now());
        let ask = move |connection: &Connection| {
            table::expire(connection, oldest)?;
            table::streams(connection)
        };
        Ok(self.view.read(ask).await?.map_err(StoreError::from)?)
    }

    /// Removes from the store, every hour, what is too old. It ends with the runtime.
    pub(super) async fn keep_clean(self) {
        let Some(retention) = self.retention else { return };
        let mut hours = tokio::time::interval(CLEANING);
        loop {
            hours.tick().await;
            // What could not be removed now is removed an hour later; nobody is given it meanwhile.
            let _ = self.view.forget(retention).await;
        }
    }

    async fn ask(&self, query: Arc<ChatQuery>) -> Result<Answer, ApiError> {
        let oldest = self.oldest(Timestamp::now());
        let ask = move |connection: &Connection| {
            table::expire(connection, oldest).map_err(StoreError::from)?;
            answer(connection, &query)
        };
        self.view.read(ask).await?
    }

    /// The instant before which nothing is kept.
    fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        let age = SignedDuration::try_from(self.retention?).ok()?;
        now.checked_sub(age).ok()
    }
}

fn decide(connection: &Connection, log: &ChatLog, oldest: Option<Timestamp>) -> Result<Decision<Added>, ApiError> {
    let stream = log.stream();
    let known = table::stream(connection, &stream.stream_id).map_err(StoreError::from)?;
    if let Some((_, known)) = known.filter(|(_, known)| *known != stream) {
        return Err(contradiction(&known));
    }
    let (kept, expired): (Vec<&Message>, Vec<&Message>) =
        log.messages.iter().partition(|message| is_kept(message, oldest));
    let new = table::unknown(connection, &stream.stream_id, &kept).map_err(StoreError::from)?;
    check_room(connection, new.len())?;
    let added = Added {
        added: new.len(),
        already_known: kept.len() - new.len(),
        expired: expired.len(),
    };
    if new.is_empty() {
        return Ok(Decision::Leave(added));
    }
    let entry = Entry { stream, messages: new };
    let entry = serde_json::to_vec(&entry).expect("messages are JSON");
    Ok(Decision::Append(entry, added))
}

fn is_kept(message: &Message, oldest: Option<Timestamp>) -> bool {
    oldest.is_none_or(|oldest| message.timestamp >= oldest)
}

fn apply(transaction: &Transaction<'_>, _: Position, entry: &[u8]) -> rusqlite::Result<()> {
    match serde_json::from_slice(entry) {
        Ok(entry) => take(transaction, &entry),
        Err(_) => Ok(()),
    }
}

fn take(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let stream = table::insert_stream(transaction, &entry.stream)?;
    for message in &entry.messages {
        table::insert_message(transaction, stream, &entry.stream.stream_id, message)?;
    }
    Ok(())
}

fn check_room(connection: &Connection, more: usize) -> Result<(), ApiError> {
    let count = table::count(connection).map_err(StoreError::from)?;
    if count + more <= limits::STORED_MESSAGES {
        return Ok(());
    }
    let reason = format!("{count} messages are held, and {} is the most", limits::STORED_MESSAGES);
    let help = "ask another agent to keep it";
    Err(ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "full", reason, help))
}

fn contradiction(known: &Stream) -> ApiError {
    let reason = format!(
        "stream `{}` is known as `{}` of {} by {}, with another title, day, streamer or duration than sent",
        known.stream_id, known.stream_title, known.stream_date, known.streamer
    );
    let help = "send what is known, or choose another stream_id";
    ApiError::new(StatusCode::CONFLICT, "contradiction", reason, help)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ingest::check_log;
    use super::*;
    use crate::fuzz::fuzz;

    /// A log of the stream `s`: messages as (second of 2026-01-12 17:00, user, text).
    pub(in super::super) fn log(stream_id: &str, messages: &[(i64, &str, &str)]) -> ChatLog {
        let message = |&(second, user, text): &(i64, &str, &str)| Message {
            timestamp: Timestamp::from_second(1_768_237_200 + second).unwrap(),
            user: user.to_owned(),
            message: text.to_owned(),
            user_badges: Vec::new(),
        };
        ChatLog {
            stream_id: stream_id.to_owned(),
            stream_date: "2026-01-12".parse().unwrap(),
            stream_title: "t".to_owned(),
            streamer: "s".to_owned(),
            duration_minutes: None,
            total_messages: None,
            unique_users: None,
            messages: messages.iter().map(message).collect(),
        }
    }

    async fn texts(archive: &Archive) -> Vec<String> {
        let answer = archive.answer(ChatQuery::default()).await.unwrap();
        answer
            .messages
            .into_iter()
            .map(|message| message.message.message)
            .collect()
    }

    #[tokio::test]
    async fn what_one_task_takes_another_gives() {
        let store = Store::open(None, "karma-hello").unwrap();
        let (one, other) = (
            Archive::open(&store, None).unwrap(),
            Archive::open(&store, None).unwrap(),
        );
        assert!(texts(&other).await.is_empty());
        one.add(log("a", &[(0, "ana", "hola")])).await.unwrap();
        assert_eq!(
            texts(&other).await,
            ["hola"],
            "at once, since it would have found nothing"
        );
        // Both hear the same message: it is one.
        let again = other
            .add(log("a", &[(0, "ana", "hola"), (1, "ana", "¿hola?")]))
            .await
            .unwrap();
        assert_eq!((again.added, again.already_known), (1, 1));
        let error = one
            .add(ChatLog {
                streamer: "x".into(),
                ..log("a", &[])
            })
            .await
            .unwrap_err();
        assert_eq!(error.status, StatusCode::CONFLICT);
    }

    #[tokio::test]
    async fn what_is_too_old_is_neither_taken_nor_given() {
        let store = Store::open(None, "karma-hello").unwrap();
        let now = Timestamp::now().as_second() - 1_768_237_200;
        let day = 86_400;
        let forever = Archive::open(&store, None).unwrap();
        forever
            .add(log("a", &[(now - 3 * day, "ana", "old"), (now - day, "ana", "new")]))
            .await
            .unwrap();
        let two_days = Archive::open(&store, Some(Duration::from_hours(48))).unwrap();
        two_days.seed(&log("b", &[(now - 3 * day, "luis", "seeded")])).unwrap();
        let added = two_days
            .add(log("a", &[(now - 4 * day, "ana", "older")]))
            .await
            .unwrap();
        assert_eq!((added.added, added.expired), (0, 1));
        assert_eq!(texts(&two_days).await, ["new"]);
        let counts: Vec<usize> = two_days
            .streams()
            .await
            .unwrap()
            .iter()
            .map(|stream| stream.messages)
            .collect();
        assert_eq!(counts, [1, 0]);
        assert_eq!(texts(&forever).await, ["old", "new"]);
    }

    #[test]
    fn no_changed_log_or_entry_breaks_it_and_what_is_taken_is_given() {
        let log = r#"{"stream_id":"s","stream_date":"2026-01-12","stream_title":"t","streamer":"x","duration_minutes":62,"total_messages":2,"unique_users":1,"messages":[{"timestamp":"2026-01-12T17:00:22Z","user":"Ana","message":"hola \ud83d\udd25","user_badges":["vip"]},{"timestamp":"2026-01-12T12:00:23.5-05:00","user":"ana","message":"gg"}]}"#;
        let entry = r#"{"stream":{"stream_id":"s","stream_date":"2026-01-12","stream_title":"t","streamer":"x","duration_minutes":null},"messages":[{"timestamp":"2026-01-12T17:00:22Z","user":"Ana","message":"hola","user_badges":[]}]}"#;
        fuzz(&[log, entry], |bytes| {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(table::SCHEMA).unwrap();
            let transaction = connection.transaction().unwrap();
            apply(&transaction, Position(1), bytes).unwrap();
            let Ok(log) = serde_json::from_slice::<ChatLog>(bytes) else {
                return;
            };
            if check_log(&log).is_err() {
                return;
            }
            // Refused or written; and what is written can be read again.
            if let Ok(Decision::Append(entry, _)) = decide(&transaction, &log, None) {
                assert!(serde_json::from_slice::<Entry>(&entry).is_ok());
                apply(&transaction, Position(2), &entry).unwrap();
                assert!(!answer(&transaction, &ChatQuery::default()).unwrap().messages.is_empty());
            }
        });
    }
}
