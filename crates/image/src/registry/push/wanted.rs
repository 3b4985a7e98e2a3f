//! What is to be in the registry, read from the layout.

use bytes::Bytes;
use oci_spec::image::{Descriptor, ImageManifest, MediaType};

use crate::digest::Digest;
use crate::layout::{Layout, LayoutError};
use crate::reference::Reference;
use crate::registry::manifests::Manifest;
use crate::registry::upload::Blob;

/// An image that is to be in a repository.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) to: Reference,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) image: Document,
    pub(super) attached: Vec<Attached>,
}

/// A manifest and the blobs that it names.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) manifest: Manifest,
    pub(super) blobs: Vec<Blob>,
}

/// What is attached to an image.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    pub(super) document: Document,
    /// As the list of what is attached has it.
    pub(super) descriptor: Descriptor,
}

impl Wanted {
    pub(super) fn read(layout: &Layout, image: &Digest, to: &Reference) -> Result<Self, LayoutError> {
        let attached = layout
            .referrers(image)?
            .iter()
            .map(|referrer| Attached::read(layout, referrer))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            to: to.clone(),
            repository: to.repository().to_owned(),
            tag: to.tag().map(str::to_owned),
            image: Document::read(layout, image)?.0,
            attached,
        })
    }

    /// The image and what is attached to it.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        std::iter::once(&self.image).chain(self.attached.iter().map(|attached| &attached.document))
    }
}

impl Document {
    fn read(layout: &Layout, digest: &Digest) -> Result<(Self, ImageManifest), LayoutError> {
        let manifest = layout.manifest(digest)?;
        let named = std::iter::once(manifest.config()).chain(manifest.layers());
        let mut blobs = named
            .map(|descriptor| blob(layout, descriptor))
            .collect::<Result<Vec<_>, _>>()?;
        // A manifest may name a blob twice.
        blobs.sort();
        blobs.dedup();
        let media_type = manifest.media_type().clone().unwrap_or(MediaType::ImageManifest);
        let document = Self {
            manifest: Manifest {
                digest: *digest,
                media_type: media_type.to_string(),
                bytes: Bytes::from(layout.blob(digest)?),
            },
            blobs,
        };
        Ok((document, manifest))
    }
}

impl Attached {
    /// The list says of each what kind it is, and all that is noted on it:
    /// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject>.
    fn read(layout: &Layout, referrer: &Descriptor) -> Result<Self, LayoutError> {
        let (document, manifest) = Document::read(layout, &layout.digest_of(referrer)?)?;
        let kind = manifest
            .artifact_type()
            .clone()
            .unwrap_or_else(|| manifest.config().media_type().clone());
        let length = document.manifest.bytes.len() as u64;
        let mut descriptor = Descriptor::new(referrer.media_type().clone(), length, referrer.digest().clone());
        descriptor.set_artifact_type(Some(kind));
        descriptor.set_annotations(manifest.annotations().clone());
        Ok(Self { document, descriptor })
    }
}

fn blob(layout: &Layout, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
    let digest = layout.digest_of(descriptor)?;
    Ok(Blob {
        digest,
        size: descriptor.size(),
        file: layout.blob_path(&digest),
    })
}
