//! What the registry has already.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::wanted::{Document, Wanted};
use crate::digest::Digest;
use crate::registry::{Registry, RegistryError};

/// What a repository has of a wanted image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// What the wanted tag points at.
    pub(super) tag: Option<Digest>,
    /// Whether the image is there.
    pub(super) image: bool,
    /// What is attached to it there.
    pub(super) attached: BTreeSet<Digest>,
    /// Those of the wanted blobs that are there.
    pub(super) blobs: BTreeSet<Digest>,
}

impl Seen {
    /// Whether the image is there, and under its tag.
    pub(super) fn has_image(&self, wanted: &Wanted) -> bool {
        let is_tagged = wanted.tag.is_none() || self.tag == Some(wanted.image.manifest.digest);
        self.image && is_tagged
    }

    /// Whether a manifest is there. A registry takes none whose blobs it has not, so they are there too.
    fn has(&self, document: &Document, wanted: &Wanted) -> bool {
        let digest = document.manifest.digest;
        self.attached.contains(&digest) || (self.image && digest == wanted.image.manifest.digest)
    }
}

pub(super) async fn survey(registry: &Registry, wanted: &Wanted) -> Result<Seen, RegistryError> {
    let repository = wanted.repository.as_str();
    let image = wanted.image.manifest.digest;
    let mut seen = Seen::default();
    if let Some(tag) = &wanted.tag {
        seen.tag = registry.digest_of(repository, tag).await?;
    }
    seen.image = seen.tag == Some(image) || registry.digest_of(repository, &image.to_string()).await?.is_some();
    if seen.image && !wanted.attached.is_empty() {
        let (attached, _) = registry.referrers(repository, &image).await?;
        let digests = attached
            .iter()
            .filter_map(|descriptor| Digest::try_from(descriptor.digest()).ok());
        seen.attached = digests.collect();
    }
    seen.blobs = blobs(registry, wanted, &seen).await?;
    Ok(seen)
}

async fn blobs(registry: &Registry, wanted: &Wanted, seen: &Seen) -> Result<BTreeSet<Digest>, RegistryError> {
    let (there, open): (Vec<_>, Vec<_>) = wanted.documents().partition(|document| seen.has(document, wanted));
    let digests = |documents: Vec<&Document>| -> BTreeSet<Digest> {
        let blobs = documents.into_iter().flat_map(|document| &document.blobs);
        blobs.map(|blob| blob.digest).collect()
    };
    let mut found = digests(there);
    let open: Vec<_> = digests(open).difference(&found).copied().collect();
    let answers = open
        .iter()
        .map(|digest| registry.blob_exists(&wanted.repository, digest));
    let answers = try_join_all(answers).await?;
    found.extend(
        open.iter()
            .zip(answers)
            .filter(|(_, exists)| *exists)
            .map(|(digest, _)| *digest),
    );
    Ok(found)
}
