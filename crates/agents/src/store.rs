//! What must not be lost or disagreed on: a bucket that all tasks of an agent share.
//!
//! A task is disposable and up to three of one agent run at once, so nothing that was acknowledged may live in one of them alone. It lives in
//! objects that are written once and never changed, and two kinds of writing are all there is:
//!
//! - [`Store::claim`]: the object is created or was there already, and the store decides which. A payment's nonce is used
//!   once because its claim is.
//! - [`Journal::append_after`]: the entry with the next number is created, unless another task was faster. So a journal has one
//!   order that all tasks see, and who appends knows all that stands before.
//!
//! Both are one conditional write (`If-None-Match: *`), which S3 decides:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>. What was written is seen by every read after it:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>. On a laptop a directory is the bucket.
//!
//! To answer from objects would be slow, so each task keeps a [`View`] of a journal: an SQLite database of its own that forgets with the
//! task and is brought up to date from the journal.

mod connector;
mod failure;
mod journal;
mod objects;
mod spending;
mod url;
mod view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

pub(crate) use self::connector::Connector;
pub use self::failure::Failure;
pub use self::journal::{Entry, Journal, Position};
pub use self::objects::OpenError;
pub use self::spending::{Caps, Expense, Reservation, Spending};
pub use self::url::StoreUrl;
pub use self::view::{Decision, MAX_AGE, Projection, View};

use self::failure::is_no_object;
use crate::card::hex;
use crate::error::{ApiError, chain};

/// How often a claim is tried that nobody got.
const TRIES: usize = 5;

/// What one agent keeps. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Path,
    place: Place,
}

/// Where a store's objects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process: lost with it, and seen by nobody else.
    Memory,
    /// In a directory of this machine.
    Directory,
    /// In a bucket of S3.
    Bucket,
}

/// Who has made a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This call, and nobody before.
    Ours,
    /// Somebody before.
    Theirs,
}

/// The store could not be asked. Nothing is known of what was to be written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The bucket or directory did not do what it was asked.
    #[error("the store could not be asked")]
    Objects(#[source] Failure),
    /// The index of this task failed.
    #[error("this task's index of the store failed")]
    Index(#[from] rusqlite::Error),
    /// Other tasks were faster, time after time.
    #[error("other tasks wrote first, {0} times")]
    Contended(usize),
}

impl Store {
    /// The store of an agent below the address of `STORE_URL`. Without one it is in memory.
    pub fn open(url: Option<&StoreUrl>, agent: &str) -> Result<Store, OpenError> {
        let (objects, root, place) = objects::open(url)?;
        Ok(Store {
            objects,
            root: root.join(agent),
            place,
        })
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Claims a name, once and for all tasks.
    ///
    /// Whatever the name is made of, it becomes a digest: names may hold what a caller sent.
    pub async fn claim(&self, kind: &str, name: &str) -> Result<Claim, StoreError> {
        let path = self
            .root
            .clone()
            .join("claims")
            .join(kind)
            .join(hex(&Sha256::digest(name)));
        let ours = Bytes::from(Uuid::now_v7().to_string());
        for _ in 0..TRIES {
            if self.create(&path, ours.clone()).await? == Claim::Ours {
                return Ok(Claim::Ours);
            }
            // The write may have been ours after all, with an answer that got lost and a second try. Where nothing stands, two writes were
            // in each other's way and S3 let neither through.
            if let Some(there) = self.get(&path).await? {
                return Ok(if there == ours { Claim::Ours } else { Claim::Theirs });
            }
        }
        Err(StoreError::Contended(TRIES))
    }

    /// The journal of this name.
    pub fn journal(&self, name: &str) -> Journal {
        Journal::new(self.clone(), self.root.clone().join("journal").join(name))
    }

    /// Asks for one object and writes one that is there but for the first time, to see whether the store can be read and written.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut some = self.objects.list(Some(&self.root));
        some.try_next().await?;
        let path = self.root.clone().join("checked");
        self.create(&path, Bytes::new()).await.map(drop)
    }

    /// What an object holds; none where there is none.
    async fn get(&self, path: &Path) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(error) if is_no_object(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, path: &Path, content: Bytes) -> Result<Claim, StoreError> {
        let written = self
            .objects
            .put_opts(path, content.into(), PutMode::Create.into())
            .await;
        match written {
            Ok(_) => Ok(Claim::Ours),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Claim::Theirs),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> StoreError {
        StoreError::Objects(error.into())
    }
}

impl Place {
    /// Its name in a log line and in the deep health check.
    pub fn name(self) -> &'static str {
        match self {
            Place::Memory => "memory",
            Place::Directory => "directory",
            Place::Bucket => "bucket",
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        let help = "ask again; /health?deep=1 says whether the store answers";
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unreachable",
            chain(&error),
            help,
        )
    }
}
