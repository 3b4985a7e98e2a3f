//! The index of the messages: its tables, and every statement that touches them. Values go in as parameters only.
//!
//! The order of answers is that of (instant, digest): the same in every task that holds the same messages.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::chat::{Message, Stream};

/// Times are microseconds since 1970. A user's messages stand side by side, since they are what is asked for most: a page of them is
/// read from a few pages of the database, and not each message from one of its own.
pub(super) const SCHEMA: &str = "
CREATE TABLE stream (
    number INTEGER PRIMARY KEY, stream_id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, title TEXT NOT NULL,
    streamer TEXT NOT NULL, duration_minutes INTEGER, messages INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message (
    user_key TEXT NOT NULL, at INTEGER NOT NULL, digest INTEGER NOT NULL, stream INTEGER NOT NULL,
    user TEXT NOT NULL, text TEXT NOT NULL, badges TEXT,
    PRIMARY KEY (user_key, at, digest)
) WITHOUT ROWID;
CREATE UNIQUE INDEX message_by_time ON message (at, digest);
CREATE INDEX message_by_stream ON message (stream, at, digest);
CREATE TRIGGER message_in AFTER INSERT ON message BEGIN
    UPDATE stream SET messages = messages + 1 WHERE number = new.stream;
END;
CREATE TRIGGER message_out AFTER DELETE ON message BEGIN
    UPDATE stream SET messages = messages - 1 WHERE number = old.stream;
END;
";

/// Where a message stands in the order of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) at: i64,
    /// Of stream, user and text.
    pub(super) digest: i64,
}

/// A stream and how many messages are held of it.
#[derive(Debug, Serialize)]
pub(super) struct StreamCount {
    #[serde(flatten)]
    pub(super) stream: Stream,
    pub(super) messages: usize,
}

/// Which messages are wanted; what is none narrows nothing.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) after: Option<Key>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// By its number.
    pub(super) stream: Option<i64>,
    pub(super) day: Option<Date>,
    /// In lower case.
    pub(super) users: Vec<String>,
}

/// A message where it stands, and the number of its stream.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) stream: i64,
    pub(super) message: Message,
}

impl Key {
    fn of(stream_id: &str, message: &Message) -> Key {
        let content = serde_json::json!([stream_id, message.user, message.message]).to_string();
        let digest: [u8; 8] = Sha256::digest(content)[..8].try_into().expect("SHA-256 has 32 bytes");
        Key {
            at: message.timestamp.as_microsecond(),
            digest: i64::from_be_bytes(digest),
        }
    }
}

/// The stream's number, which is new if the stream is.
pub(super) fn insert_stream(transaction: &Transaction<'_>, stream: &Stream) -> rusqlite::Result<i64> {
    let Stream {
        stream_id,
        stream_date,
        stream_title,
        streamer,
        duration_minutes,
    } = stream;
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO stream (stream_id, day, title, streamer, duration_minutes) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![stream_id, stream_date.to_string(), stream_title, streamer, duration_minutes])?;
    transaction
        .prepare_cached("SELECT number FROM stream WHERE stream_id = ?1")?
        .query_row([stream_id], |row| row.get(0))
}

/// Puts a message in, unless it is there.
pub(super) fn insert_message(
    transaction: &Transaction<'_>,
    stream: i64,
    stream_id: &str,
    message: &Message,
) -> rusqlite::Result<()> {
    let Key { at, digest } = Key::of(stream_id, message);
    let badges =
        (!message.user_badges.is_empty()).then(|| serde_json::to_string(&message.user_badges).expect("names are JSON"));
    let key = message.user.to_lowercase();
    transaction
        .prepare_cached("INSERT OR IGNORE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![key, at, digest, stream, message.user, message.message, badges])
        .map(drop)
}

/// Removes what is older than this.
pub(super) fn expire(connection: &Connection, oldest: Option<Timestamp>) -> rusqlite::Result<()> {
    let Some(oldest) = oldest else { return Ok(()) };
    connection
        .prepare_cached("DELETE FROM message WHERE at < ?1")?
        .execute([first_microsecond(oldest)])
        .map(drop)
}

/// The stream of this id, with its number.
pub(super) fn stream(connection: &Connection, stream_id: &str) -> rusqlite::Result<Option<(i64, Stream)>> {
    connection
        .prepare_cached(
            "SELECT stream_id, day, title, streamer, duration_minutes, number FROM stream WHERE stream_id = ?1",
        )?
        .query_row([stream_id], |row| Ok((row.get(5)?, heading(row)?)))
        .optional()
}

/// The streams of these numbers.
pub(super) fn streams_of(connection: &Connection, numbers: &BTreeSet<i64>) -> rusqlite::Result<BTreeMap<i64, Stream>> {
    let mut statement = connection
        .prepare_cached("SELECT stream_id, day, title, streamer, duration_minutes FROM stream WHERE number = ?1")?;
    let streams = numbers
        .iter()
        .map(|number| Ok((*number, statement.query_row([number], heading)?)));
    streams.collect()
}

/// Every stream, by id.
pub(super) fn streams(connection: &Connection) -> rusqlite::Result<Vec<StreamCount>> {
    let mut statement = connection.prepare_cached(
        "SELECT stream_id, day, title, streamer, duration_minutes, messages FROM stream ORDER BY stream_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(StreamCount {
            stream: heading(row)?,
            messages: size(row, 5)?,
        })
    })?;
    rows.collect()
}

/// How many messages there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT coalesce(sum(messages), 0) FROM stream")?
        .query_row([], |row| size(row, 0))
}

/// Those of the messages that are not held yet, each once.
pub(super) fn unknown(
    connection: &Connection,
    stream_id: &str,
    messages: &[&Message],
) -> rusqlite::Result<Vec<Message>> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM message WHERE at = ?1 AND digest = ?2")?;
    let (mut seen, mut unknown) = (std::collections::HashSet::new(), Vec::new());
    for message in messages {
        let key = Key::of(stream_id, message);
        if seen.insert((key.at, key.digest)) && !statement.exists(params![key.at, key.digest])? {
            unknown.push((*message).clone());
        }
    }
    Ok(unknown)
}

/// The first `most` of the wanted messages.
pub(super) fn select(connection: &Connection, wanted: &Wanted, most: usize) -> rusqlite::Result<Vec<Held>> {
    let (conditions, mut values) = wanted.conditions();
    let sql = format!(
        "SELECT at, digest, stream, user, text, badges FROM message {} WHERE {} ORDER BY at, digest LIMIT ?",
        wanted.index(),
        conditions.join(" AND ")
    );
    values.push(Value::Integer(i64::try_from(most).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), held)?;
    rows.collect()
}

impl Wanted {
    /// The conditions in SQL, and the values of their parameters in order.
    fn conditions(&self) -> (Vec<String>, Vec<Value>) {
        let (mut conditions, mut values) = (vec!["TRUE".to_owned()], Vec::new());
        let mut add = |condition: &str, of_it: Vec<Value>| {
            conditions.push(condition.to_owned());
            values.extend(of_it);
        };
        if let Some(Key { at, digest }) = self.after {
            add("(at, digest) > (?, ?)", vec![at.into(), digest.into()]);
        }
        if let Some(start) = self.start {
            add("at >= ?", vec![first_microsecond(start).into()]);
        }
        if let Some(end) = self.end {
            add("at < ?", vec![first_microsecond(end).into()]);
        }
        if let Some(stream) = self.stream {
            add("stream = ?", vec![stream.into()]);
        }
        if let Some(day) = self.day {
            add(
                "stream IN (SELECT number FROM stream WHERE day = ?)",
                vec![day.to_string().into()],
            );
        }
        if !self.users.is_empty() {
            let marks = vec!["?"; self.users.len()].join(", ");
            let users = self.users.iter().map(|user| user.clone().into()).collect();
            add(&format!("user_key IN ({marks})"), users);
        }
        (conditions, values)
    }

    /// SQLite knows nothing of how rare a value is, so it is told which index narrows most.
    fn index(&self) -> &'static str {
        if !self.users.is_empty() {
            // The name that SQLite gives to the primary key.
            "INDEXED BY sqlite_autoindex_message_1"
        } else if self.stream.is_some() || self.day.is_some() {
            "INDEXED BY message_by_stream"
        } else {
            "INDEXED BY message_by_time"
        }
    }
}

fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let key = Key {
        at: row.get(0)?,
        digest: row.get(1)?,
    };
    let badges: Option<String> = row.get(5)?;
    let message = Message {
        // Only instants that were one are put in.
        timestamp: Timestamp::from_microsecond(key.at).unwrap_or(Timestamp::MIN),
        user: row.get(3)?,
        message: row.get(4)?,
        user_badges: badges
            .and_then(|badges| serde_json::from_str(&badges).ok())
            .unwrap_or_default(),
    };
    let stream = row.get(2)?;
    Ok(Held { key, stream, message })
}

/// What is known of a stream, from the first columns.
fn heading(row: &Row<'_>) -> rusqlite::Result<Stream> {
    let day = row.get_ref(1)?.as_str()?;
    Ok(Stream {
        stream_id: row.get(0)?,
        stream_date: day
            .parse()
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?,
        stream_title: row.get(2)?,
        streamer: row.get(3)?,
        duration_minutes: row.get(4)?,
    })
}

fn size(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let count: i64 = row.get(column)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The first whole microsecond at or after an instant.
fn first_microsecond(instant: Timestamp) -> i64 {
    let micro = instant.as_microsecond();
    let is_whole = instant.as_nanosecond() % 1000 == 0;
    // Before 1970 the part of a microsecond is cut towards zero, which is upwards already.
    micro + i64::from(!is_whole && instant.as_nanosecond() > 0)
}
