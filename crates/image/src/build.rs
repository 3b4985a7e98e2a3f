//! From recipes to images in a layout.
//!
//! An image and its layers are held in memory while it is made, which suits images of a program and its files.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci_spec::image::{ANNOTATION_REF_NAME, Descriptor, MediaType};
use serde::Serialize;

use crate::config::LayerOfConfig;
use crate::digest::Digest;
use crate::error::{BuildError, Problem};
use crate::image_path::ImagePath;
use crate::layer::{self, Layer};
use crate::layout::{Layout, LayoutError};
use crate::recipe::Recipe;
use crate::tree::{Node, Tree};
use crate::{base, config, elf, files, json, manifest, materials, provenance};

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// Of its manifest: what a task definition pins.
    pub digest: Digest,
    /// Bytes that a registry holds of it: layers as they are compressed, configuration and manifest.
    pub size: u64,
}

/// Builds images under their repositories' names, which are told to `done` one by one. Images of other names stay in the layout.
///
/// The same recipes and files give the same digests, on every machine and at every time.
pub fn build(
    images: &BTreeMap<String, Recipe>,
    layout: &mut Layout,
    mut done: impl FnMut(&str, &Built),
) -> Result<BTreeMap<String, Built>, BuildError> {
    let mut entries = layout.entries(|name| !images.contains_key(name))?;
    let mut workshop = Workshop::default();
    let mut all = BTreeMap::new();
    for (name, recipe) in images {
        let contents = workshop.contents(recipe).map_err(|problem| BuildError::Image {
            image: name.clone(),
            problem,
        })?;
        let (image, size) = put_image(layout, recipe, &contents)?;
        let built = Built {
            digest: layout.digest_of(&image)?,
            size,
        };
        entries.extend(attach(layout, name, recipe, &contents, &image)?);
        entries.push(named(image, name));
        done(name, &built);
        all.insert(name.clone(), built);
    }
    layout.replace(entries)?;
    Ok(all)
}

/// What is made once for all images that have it.
#[derive(Default)]
struct Workshop {
    /// By where they lie on this machine, and where in the image.
    programs: HashMap<(PathBuf, ImagePath), Part>,
    base: Option<Part>,
}

/// A layer and what it was made of.
#[derive(Clone)]
struct Part {
    name: &'static str,
    tree: Arc<Tree>,
    layer: Arc<Layer>,
}

/// An image's program and all of its layers, the bottom first.
struct Contents {
    path: ImagePath,
    program: Digest,
    parts: Vec<Part>,
}

impl Workshop {
    fn contents(&mut self, recipe: &Recipe) -> Result<Contents, Problem> {
        let path = files::place_in_image(&recipe.path)?;
        let program = read_program(recipe)?;
        let digest = Digest::of(&program);
        let program = self.program(recipe, &path, program);
        let files = files::read(&recipe.files)?;
        let base = self
            .base
            .get_or_insert_with(|| part("certificates and user", base::tree()));
        check_places([&*base.tree, &*program.tree, &files])?;
        let mut parts = vec![base.clone()];
        if !files.is_empty() {
            parts.push(part("files", files));
        }
        // What changes most often comes last.
        parts.push(program);
        Ok(Contents {
            path,
            program: digest,
            parts,
        })
    }

    fn program(&mut self, recipe: &Recipe, path: &ImagePath, bytes: Vec<u8>) -> Part {
        let key = (recipe.program.clone(), path.clone());
        let node = Node::File {
            bytes: bytes.into(),
            executable: true,
        };
        let make = || part("program", Tree::of(path.clone(), node));
        self.programs.entry(key).or_insert_with(make).clone()
    }
}

fn part(name: &'static str, tree: Tree) -> Part {
    Part {
        name,
        layer: Arc::new(layer::pack(&tree)),
        tree: Arc::new(tree),
    }
}

/// Reads a program that will start.
fn read_program(recipe: &Recipe) -> Result<Vec<u8>, Problem> {
    let path = || recipe.program.clone();
    let program = fs::read(&recipe.program).map_err(|error| no_program(&recipe.program, error))?;
    elf::check(&program, recipe.platform).map_err(|source| Problem::UnfitProgram { path: path(), source })?;
    Ok(program)
}

fn no_program(path: &Path, source: io::Error) -> Problem {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Problem::NoProgram { path },
        _ => Problem::Unreadable { path, source },
    }
}

/// Layers lie above one another; what is in one must not hide what is in another.
fn check_places(trees: [&Tree; 3]) -> Result<(), Problem> {
    let mut all = Tree::default();
    for tree in trees {
        all.extend(tree.clone())?;
    }
    Ok(())
}

/// Puts an image into the layout: what it is made of first, its manifest last.
fn put_image(layout: &Layout, recipe: &Recipe, contents: &Contents) -> Result<(Descriptor, u64), LayoutError> {
    let of_config = contents.parts.iter().map(|part| LayerOfConfig {
        name: part.name,
        diff_id: part.layer.diff_id,
    });
    let config = config::of(recipe, &contents.path, &of_config.collect::<Vec<_>>());
    let layers = contents.parts.iter();
    let layers = layers.map(|part| manifest::put(layout, MediaType::ImageLayerGzip, &part.layer.blob));
    let layers = layers.collect::<Result<Vec<_>, _>>()?;
    let config = manifest::put(layout, MediaType::ImageConfig, &json::bytes(&config))?;
    let size = config.size() + layers.iter().map(Descriptor::size).sum::<u64>();
    let manifest = json::bytes(&manifest::of_image(config, layers));
    let image = manifest::put(layout, MediaType::ImageManifest, &manifest)?;
    let size = size + image.size();
    Ok((image, size))
}

/// Attaches to an image what it is made of and how it came to be.
fn attach(
    layout: &Layout,
    name: &str,
    recipe: &Recipe,
    contents: &Contents,
    image: &Descriptor,
) -> Result<[Descriptor; 2], LayoutError> {
    let digest = layout.digest_of(image)?;
    let trees: Vec<&Tree> = contents.parts.iter().map(|part| &*part.tree).collect();
    let bill = materials::bill(name, &digest, recipe, &trees);
    let statement = provenance::statement(name, &digest, recipe, &contents.program);
    Ok([
        put_attachment(layout, image, materials::MEDIA_TYPE, &bill)?,
        put_attachment(layout, image, provenance::MEDIA_TYPE, &statement)?,
    ])
}

fn put_attachment(
    layout: &Layout,
    image: &Descriptor,
    media_type: &str,
    document: &serde_json::Value,
) -> Result<Descriptor, LayoutError> {
    let media_type = MediaType::Other(media_type.to_owned());
    let empty = manifest::put(layout, MediaType::EmptyJSON, b"{}")?;
    let document = manifest::put(layout, media_type.clone(), &json::bytes(document))?;
    let manifest = json::bytes(&manifest::of_attachment(empty, document, image.clone()));
    let mut descriptor = manifest::put(layout, MediaType::ImageManifest, &manifest)?;
    descriptor.set_artifact_type(Some(media_type));
    Ok(descriptor)
}

fn named(mut image: Descriptor, name: &str) -> Descriptor {
    image.set_annotations(Some(HashMap::from([(ANNOTATION_REF_NAME.to_owned(), name.to_owned())])));
    image
}

#[cfg(test)]
mod tests;
