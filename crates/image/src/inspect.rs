//! What an image in a layout is.

use std::collections::BTreeMap;

use oci_spec::image::{Config, Descriptor, ImageConfiguration};
use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::layout::{Layout, LayoutError};
use crate::materials;

/// An image as it lies in a layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Of its manifest.
    pub digest: Digest,
    /// Bytes that a registry holds of it.
    pub size: u64,
    /// `linux/amd64`
    pub platform: String,
    /// The instant it says it was made at.
    pub created: Option<String>,
    /// Who its program runs as.
    pub user: Option<String>,
    /// What is started.
    pub entrypoint: Vec<String>,
    /// With which arguments.
    pub command: Vec<String>,
    /// `NAME=value`
    pub environment: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its layers, the bottom first.
    pub layers: Vec<InspectedLayer>,
    /// What is attached to it.
    pub attachments: Vec<Attachment>,
    /// How many packages its bill of materials lists.
    pub packages: usize,
    /// How many files its bill of materials lists.
    pub files: usize,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedLayer {
    /// Of the compressed archive.
    pub digest: Digest,
    /// Bytes, compressed.
    pub size: u64,
    /// What the image's history says it is.
    pub created_by: Option<String>,
}

/// A document that refers to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// The media type of the document.
    pub kind: String,
    /// Of the manifest that refers to the image.
    pub digest: Digest,
}

/// Looks at an image by the name it was built under; `None` where there is none of this name.
pub fn inspect(layout: &Layout, name: &str) -> Result<Option<Inspection>, LayoutError> {
    match layout.images().get(name) {
        Some(image) => look(layout, image).map(Some),
        None => Ok(None),
    }
}

fn look(layout: &Layout, image: &Descriptor) -> Result<Inspection, LayoutError> {
    let digest = layout.digest_of(image)?;
    let manifest = layout.manifest(&digest)?;
    let configuration: ImageConfiguration = layout.document(&layout.digest_of(manifest.config())?)?;
    let size = [image, manifest.config()]
        .into_iter()
        .chain(manifest.layers())
        .map(Descriptor::size)
        .sum();
    let (attachments, components) = attachments(layout, &digest)?;
    let run = configuration.config().clone().unwrap_or_default();
    Ok(Inspection {
        digest,
        size,
        platform: format!("{}/{}", configuration.os(), configuration.architecture()),
        created: configuration.created().clone(),
        layers: layers(layout, manifest.layers(), &configuration)?,
        attachments,
        packages: count(&components, materials::LIBRARY),
        files: count(&components, materials::FILE),
        ..of_config(&run, digest)
    })
}

/// What the configuration says of the program.
fn of_config(run: &Config, digest: Digest) -> Inspection {
    Inspection {
        digest,
        size: 0,
        platform: String::new(),
        created: None,
        user: run.user().clone(),
        entrypoint: run.entrypoint().clone().unwrap_or_default(),
        command: run.cmd().clone().unwrap_or_default(),
        environment: run.env().clone().unwrap_or_default(),
        labels: run.labels().clone().unwrap_or_default().into_iter().collect(),
        layers: Vec::new(),
        attachments: Vec::new(),
        packages: 0,
        files: 0,
    }
}

/// Layers with what the history says of each: steps that made no layer are left out.
/// <https://github.com/opencontainers/image-spec/blob/main/config.md#properties>
fn layers(
    layout: &Layout,
    layers: &[Descriptor],
    configuration: &ImageConfiguration,
) -> Result<Vec<InspectedLayer>, LayoutError> {
    let history = configuration.history().as_deref().unwrap_or_default();
    let mut history = history.iter().filter(|step| step.empty_layer() != Some(true));
    let layers = layers.iter().map(|layer| {
        Ok(InspectedLayer {
            digest: layout.digest_of(layer)?,
            size: layer.size(),
            created_by: history.next().and_then(|step| step.created_by().clone()),
        })
    });
    layers.collect()
}

/// What refers to an image, and the components that its bills of materials list.
fn attachments(layout: &Layout, image: &Digest) -> Result<(Vec<Attachment>, Vec<Value>), LayoutError> {
    let mut attachments = Vec::new();
    let mut components = Vec::new();
    for descriptor in layout.referrers(image)? {
        let digest = layout.digest_of(&descriptor)?;
        for document in layout.manifest(&digest)?.layers() {
            let kind = document.media_type().to_string();
            if kind == materials::MEDIA_TYPE {
                let bill: Value = layout.document(&layout.digest_of(document)?)?;
                components.extend(bill["components"].as_array().cloned().unwrap_or_default());
            }
            attachments.push(Attachment { kind, digest });
        }
    }
    Ok((attachments, components))
}

fn count(components: &[Value], kind: &str) -> usize {
    components.iter().filter(|component| component["type"] == kind).count()
}
