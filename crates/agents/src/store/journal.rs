//! An append-only list of entries with one order that all tasks see.
//!
//! An entry is an object named by its number. Numbers have no gaps, since an entry is only written by who has seen the one before; the
//! oldest entries may be forgotten, the newest never.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use super::{Claim, Store, StoreError};

/// How many objects are fetched at once.
const FETCHES: usize = 8;

/// The length of the name that stands before an entry's content: it tells whether an entry is the one we wrote.
const NAME_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// How far a journal was read: the number of the last entry, or zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

/// An entry, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub position: Position,
    /// What was written.
    pub content: Bytes,
}

/// An entry that was not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub position: Position,
    /// How large it is.
    pub bytes: u64,
}

/// One journal of a store.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Store,
    path: Path,
}

impl Position {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl Journal {
    pub(super) fn new(store: Store, path: Path) -> Journal {
        Journal { store, path }
    }

    /// Writes the entry after `seen`; `None` where another task has written that one first.
    pub async fn append_after(&self, seen: Position, content: &[u8]) -> Result<Option<Position>, StoreError> {
        let position = seen.next();
        let name = Uuid::now_v7().hyphenated().to_string();
        let named = Bytes::from([name.as_bytes(), content].concat());
        match self.store.create(&self.object(position), named.clone()).await? {
            Claim::Ours => Ok(Some(position)),
            // As for a claim: the one that is there may be this very one.
            Claim::Theirs => {
                let there = self.fetch(position).await?;
                Ok(there.is_some_and(|there| there == named).then_some(position))
            }
        }
    }

    /// The entries after `seen`, in order and without a gap. There may be more when it returns.
    pub async fn listed_since(&self, seen: Position) -> Result<Vec<Listed>, StoreError> {
        loop {
            let objects = self.objects_since(seen).await?;
            let listed: Vec<Listed> = objects.iter().filter_map(listed).collect();
            let Some(&Listed { position: first, .. }) = listed.first() else {
                return Ok(listed);
            };
            // A listing is no instant: it may show an entry and miss an older one that was written meanwhile. Unless older ones are forgotten.
            let before = Position(first.0 - 1);
            if first == seen.next() || self.fetch(before).await?.is_none() {
                return Ok(without_gap(listed));
            }
        }
    }

    /// The entries at these positions, in order, but for those forgotten meanwhile.
    pub fn read(&self, positions: &[Position]) -> impl Stream<Item = Result<Entry, StoreError>> {
        let fetched = stream::iter(positions.iter().copied())
            .map(async |position| Ok::<_, StoreError>((position, self.fetch(position).await?)))
            .buffered(FETCHES);
        fetched.try_filter_map(async |(position, named)| {
            let content = named.map(|named| named.slice(NAME_BYTES.min(named.len())..));
            Ok(content.map(|content| Entry { position, content }))
        })
    }

    /// Removes the entries that are older than `age`, but never the newest.
    pub async fn forget(&self, age: Duration) -> Result<usize, StoreError> {
        let objects = self.objects_since(Position::default()).await?;
        let old = objects.split_last().map_or(&[][..], |(_, earlier)| earlier);
        let now = jiff::Timestamp::now().as_second();
        let limit = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let is_old = |object: &&ObjectMeta| now.saturating_sub(object.last_modified.timestamp()) > limit;
        let mut forgotten = 0;
        // The oldest first, so that no gap is left where this ends early.
        for object in old.iter().take_while(is_old) {
            self.store.objects.delete(&object.location).await?;
            forgotten += 1;
        }
        Ok(forgotten)
    }

    async fn objects_since(&self, seen: Position) -> Result<Vec<ObjectMeta>, StoreError> {
        let listed = self
            .store
            .objects
            .list_with_offset(Some(&self.path), &self.object(seen));
        let mut objects: Vec<ObjectMeta> = listed.try_collect().await.map_err(StoreError::from)?;
        // S3 lists in the order of names, a directory in none.
        objects.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(objects)
    }

    async fn fetch(&self, position: Position) -> Result<Option<Bytes>, StoreError> {
        self.store.get(&self.object(position)).await
    }

    fn object(&self, position: Position) -> Path {
        self.path.clone().join(format!("{:020}", position.0))
    }
}

fn listed(object: &ObjectMeta) -> Option<Listed> {
    let number = object.location.filename()?.parse().ok()?;
    Some(Listed {
        position: Position(number),
        bytes: object.size,
    })
}

fn without_gap(mut listed: Vec<Listed>) -> Vec<Listed> {
    let follows = |pair: &[Listed]| pair[1].position == pair[0].position.next();
    let whole = listed.windows(2).take_while(|pair| follows(pair)).count();
    listed.truncate(whole + 1);
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_gap_waits() {
        let check = |listed: &[u64], expected: &[u64]| {
            let entry = |number: &u64| Listed {
                position: Position(*number),
                bytes: 1,
            };
            let entries = |numbers: &[u64]| numbers.iter().map(entry).collect::<Vec<_>>();
            assert_eq!(without_gap(entries(listed)), entries(expected));
        };
        check(&[7], &[7]);
        check(&[7, 8, 9], &[7, 8, 9]);
        check(&[7, 9, 10], &[7]);
    }
}
