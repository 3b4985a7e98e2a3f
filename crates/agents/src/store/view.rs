//! A journal as an SQLite database, which one task keeps for itself: what questions are answered from.
//!
//! The database is a cache. It lies in a temporary file that only this process sees, or in memory where there is no place for one, and is
//! built anew by every task. It may be behind the journal by [`MAX_AGE`], and never where the answer would be that there is nothing.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use tokio::time::Instant;
use uuid::Uuid;

use super::journal::{Entry, Listed};
use super::{Journal, Position, StoreError};
use crate::compute::blocking;

/// How old an answer may be that finds something.
pub const MAX_AGE: Duration = Duration::from_secs(1);

/// So many bytes of entries are held at once, or one entry that is larger: a whole journal may be more than a task has memory.
const BATCH_BYTES: u64 = 1024 * 1024;

/// How often an entry is decided anew because another task has written first.
const TRIES: usize = 100;

/// How a journal becomes tables.
#[derive(Clone, Copy, Debug)]
pub struct Projection {
    /// The journal's name.
    pub journal: &'static str,
    /// The tables, in SQL.
    pub schema: &'static str,
    /// Puts one entry into them. An entry that cannot be read, since a later version wrote it, is left out and no error.
    pub apply: fn(&Transaction<'_>, Position, &[u8]) -> rusqlite::Result<()>,
}

/// What to do with what the database says.
#[derive(Debug)]
pub enum Decision<T> {
    /// Write this entry, and answer so when it stands.
    Append(Vec<u8>, T),
    /// Write nothing, and answer so.
    Leave(T),
}

/// The view of a journal. Clones are the same one.
#[derive(Clone, Debug)]
pub struct View(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    projection: Projection,
    connection: Mutex<Connection>,
    /// Held while the journal is read, and while it is written.
    turn: tokio::sync::Mutex<()>,
    /// How many readings have begun.
    readings: AtomicU64,
    read_at: Mutex<Option<Instant>>,
}

impl View {
    /// An empty view of the journal that the projection names. It is filled when it is first asked.
    pub fn open(store: &super::Store, projection: Projection) -> Result<View, StoreError> {
        let connection = scratch_database()?;
        connection.execute_batch(projection.schema)?;
        connection
            .execute_batch("CREATE TABLE read_up_to (position INTEGER NOT NULL); INSERT INTO read_up_to VALUES (0)")?;
        Ok(View(Arc::new(Inner {
            journal: store.journal(projection.journal),
            projection,
            connection: Mutex::new(connection),
            turn: tokio::sync::Mutex::new(()),
            readings: AtomicU64::new(0),
            read_at: Mutex::new(None),
        })))
    }

    /// Puts into the database what stands in no journal, because every task has it from its image.
    pub fn seed(&self, fill: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        fill(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Asks the database, which knows everything up to [`MAX_AGE`] ago.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let is_fresh = self.read_at().is_some_and(|read_at| read_at.elapsed() < MAX_AGE);
        if !is_fresh {
            self.catch_up().await?;
        }
        self.ask(ask).await
    }

    /// Asks the database, and if it says that there is nothing, once more when it knows everything.
    pub async fn find<T: Send + 'static>(
        &self,
        ask: impl Fn(&Connection) -> rusqlite::Result<Option<T>> + Send + Sync + 'static,
    ) -> Result<Option<T>, StoreError> {
        let ask = Arc::new(ask);
        let again = ask.clone();
        if let Some(found) = self.read(move |connection| ask(connection)).await?? {
            return Ok(Some(found));
        }
        self.catch_up().await?;
        Ok(self.ask(move |connection| again(connection)).await??)
    }

    /// Decides what to append, knowing everything that stands in the journal; decides anew where another task was faster.
    pub async fn append<T, E>(
        &self,
        decide: impl Fn(&Connection) -> Result<Decision<T>, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let decide = Arc::new(decide);
        let _turn = self.0.turn.lock().await;
        for _ in 0..TRIES {
            self.read_journal().await?;
            let decide = decide.clone();
            let decided = self.ask(move |connection| {
                let seen = position(connection).map_err(StoreError::from)?;
                Ok::<_, E>((seen, decide(connection)?))
            });
            match decided.await?? {
                (_, Decision::Leave(answer)) => return Ok(answer),
                (seen, Decision::Append(entry, answer)) => {
                    if self.0.journal.append_after(seen, &entry).await?.is_some() {
                        let content = entry.into();
                        let position = seen.next();
                        self.apply(vec![Entry { position, content }]).await?;
                        return Ok(answer);
                    }
                }
            }
        }
        Err(StoreError::Contended(TRIES).into())
    }

    /// Reads what the database does not have yet. Who comes while this goes on waits for the next time, together with all others
    /// that came meanwhile.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let begun_before_us = self.0.readings.load(Ordering::Acquire);
        let _turn = self.0.turn.lock().await;
        // All that have begun have ended, since we hold the turn: one that began after we came has read for us.
        if self.0.readings.load(Ordering::Acquire) > begun_before_us {
            return Ok(());
        }
        self.read_journal().await
    }

    /// Removes the entries of the journal that are older than `age`. The database keeps what it made of them.
    pub async fn forget(&self, age: Duration) -> Result<usize, StoreError> {
        self.0.journal.forget(age).await
    }

    /// Reads the journal to its end, by whoever has the turn.
    async fn read_journal(&self) -> Result<(), StoreError> {
        let now = Instant::now();
        self.0.readings.fetch_add(1, Ordering::AcqRel);
        loop {
            let seen = self.ask(position).await??;
            let listed = self.0.journal.listed_since(seen).await?;
            if listed.is_empty() {
                break;
            }
            let mut unread = &listed[..];
            while !unread.is_empty() {
                let (batch, rest) = unread.split_at(batch(unread));
                let positions: Vec<Position> = batch.iter().map(|entry| entry.position).collect();
                self.apply(self.0.journal.read(&positions).try_collect().await?).await?;
                unread = rest;
            }
        }
        *self.0.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(())
    }

    async fn apply(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let view = self.clone();
        let applied = blocking(move || {
            let mut connection = view.lock();
            let transaction = connection.transaction()?;
            let seen = position(&transaction)?;
            for entry in entries.iter().filter(|entry| entry.position > seen) {
                (view.0.projection.apply)(&transaction, entry.position, &entry.content)?;
            }
            let last = entries.last().map_or(seen, |entry| entry.position.max(seen));
            set_position(&transaction, last)?;
            transaction.commit()
        });
        Ok(applied.await?)
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let view = self.clone();
        Ok(blocking(move || ask(&view.lock())).await)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_at(&self) -> Option<Instant> {
        *self.0.read_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the entries are read together.
fn batch(entries: &[Listed]) -> usize {
    let bytes = entries.iter().scan(0, |sum: &mut u64, entry| {
        *sum = sum.saturating_add(entry.bytes);
        Some(*sum)
    });
    bytes.take_while(|sum| *sum <= BATCH_BYTES).count().max(1)
}

/// An empty database of this process: SQLite itself removes the file of one without a name.
/// <https://www.sqlite.org/inmemorydb.html#temporary_databases>
///
/// What a transaction may have to take back is in a file as well: messages of many users are in as many places, and all of them together
/// are more than the task should hold.
fn scratch_database() -> rusqlite::Result<Connection> {
    let connection = Connection::open(if can_write_temporary_files() { "" } else { ":memory:" })?;
    connection.execute_batch(
        "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    // A statement is planned once, and not anew for each user that is asked for: https://www.sqlite.org/queryplanner-ng.html#qpstab
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// A task's root file system is read-only; then memory has to do.
fn can_write_temporary_files() -> bool {
    let path = std::env::temp_dir().join(format!("karma-agent-{}", Uuid::now_v7()));
    File::create_new(&path).is_ok() && std::fs::remove_file(&path).is_ok()
}

fn position(connection: &Connection) -> rusqlite::Result<Position> {
    let number: i64 = connection
        .prepare_cached("SELECT position FROM read_up_to")?
        .query_row([], |row| row.get(0))?;
    Ok(Position(u64::try_from(number).unwrap_or_default()))
}

fn set_position(connection: &Connection, position: Position) -> rusqlite::Result<()> {
    let number = i64::try_from(position.0).unwrap_or(i64::MAX);
    connection
        .prepare_cached("UPDATE read_up_to SET position = ?1")?
        .execute([number])
        .map(drop)
}
