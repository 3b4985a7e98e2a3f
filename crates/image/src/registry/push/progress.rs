//! What happens while images are pushed, and what came of it.

use tokio::sync::mpsc::UnboundedSender;

use super::deliver::{Arrival, How};
use super::plan::Delivery;
use super::survey::Seen;
use super::wanted::Wanted;
use crate::digest::Digest;
use crate::reference::Reference;
use crate::registry::upload::Blob;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The registry was asked what it has.
    Planned {
        /// How many blobs it does not have anywhere.
        blobs: usize,
        /// How many bytes these have.
        bytes: u64,
    },
    /// A blob got on.
    Blob {
        /// The repository that it is for.
        repository: String,
        /// Which.
        digest: Digest,
        /// How many bytes it has.
        size: u64,
        /// How far it is.
        progress: BlobProgress,
    },
    /// An image is there, with all that belongs to it.
    Image(Pushed),
}

/// How far a blob is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobProgress {
    /// It was there before.
    Present,
    /// So many bytes are on their way. Fewer than before, where a connection broke.
    Sending {
        /// From its beginning.
        sent: u64,
    },
    /// It has arrived.
    Uploaded,
    /// The registry took it from another of its repositories.
    Mounted {
        /// Which.
        from: String,
    },
}

/// An image that is in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Where, with its tag, if it has one, and pinned to its digest.
    pub reference: Reference,
    /// Of its manifest: what a task definition pins.
    pub digest: Digest,
    /// How many bytes were sent.
    pub uploaded: u64,
    /// How many the registry took from other repositories.
    pub mounted: u64,
    /// How many were there.
    pub present: u64,
    /// What the push changed.
    pub outcome: Outcome,
}

/// What a push changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The image is new there, or its tag.
    Pushed,
    /// It was there, under its tag.
    Unchanged,
}

impl Pushed {
    pub(super) fn new(wanted: &Wanted, seen: &Seen, arrivals: &[Arrival]) -> Self {
        let digest = wanted.image.manifest.digest;
        let bytes = |how: How| {
            let those = arrivals
                .iter()
                .filter(|arrival| arrival.repository == wanted.repository && arrival.how == how);
            those.map(|arrival| arrival.size).sum()
        };
        Self {
            reference: wanted.to.clone().with_digest(digest),
            digest,
            uploaded: bytes(How::Uploaded),
            mounted: bytes(How::Mounted),
            present: bytes(How::Present),
            outcome: if seen.has_image(wanted) {
                Outcome::Unchanged
            } else {
                Outcome::Pushed
            },
        }
    }
}

/// Tells whoever listens.
#[derive(Debug, Clone)]
pub(super) struct Reporter(UnboundedSender<Progress>);

impl Reporter {
    pub(super) fn new(sender: UnboundedSender<Progress>) -> Self {
        Self(sender)
    }

    pub(super) fn planned(&self, deliveries: &[Delivery]) {
        let sizes = deliveries
            .iter()
            .filter(|delivery| delivery.has.is_empty())
            .map(|delivery| delivery.blob.size);
        self.tell(Progress::Planned {
            blobs: sizes.clone().count(),
            bytes: sizes.sum(),
        });
    }

    pub(super) fn blob(&self, repository: &str, blob: &Blob, progress: BlobProgress) {
        self.tell(Progress::Blob {
            repository: repository.to_owned(),
            digest: blob.digest,
            size: blob.size,
            progress,
        });
    }

    pub(super) fn image(&self, pushed: &Pushed) {
        self.tell(Progress::Image(pushed.clone()));
    }

    fn tell(&self, event: Progress) {
        // Who does not listen has stopped the push.
        let _ = self.0.send(event);
    }
}
