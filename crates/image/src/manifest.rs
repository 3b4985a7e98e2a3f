//! Manifests: what an image, or something attached to one, is made of.
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use oci_spec::image::{Descriptor, ImageManifest, ImageManifestBuilder, MediaType, SCHEMA_VERSION};

use crate::digest::Digest;
use crate::layout::{Layout, LayoutError};

/// The manifest of an image.
pub(crate) fn of_image(config: Descriptor, layers: Vec<Descriptor>) -> ImageManifest {
    ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(config)
        .layers(layers)
        .build()
        .expect("a manifest needs a version, a configuration and layers")
}

/// The manifest of a document that is attached to an image.
/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage>
pub(crate) fn of_attachment(empty_config: Descriptor, document: Descriptor, image: Descriptor) -> ImageManifest {
    let kind = document.media_type().clone();
    let mut manifest = of_image(empty_config, vec![document]);
    manifest.set_artifact_type(Some(kind));
    manifest.set_subject(Some(image));
    manifest
}

/// Puts a blob into a layout and describes it.
pub(crate) fn put(layout: &Layout, media_type: MediaType, bytes: &[u8]) -> Result<Descriptor, LayoutError> {
    let digest: Digest = layout.put(bytes)?;
    Ok(Descriptor::new(media_type, bytes.len() as u64, digest.to_oci()))
}
